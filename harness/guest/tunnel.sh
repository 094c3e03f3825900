#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs steps, one after the other: in the guest, or on the near one of two machines. dsharness/tunnel/steps.py writes
# them, dsharness/tunnel/stream.py cuts up what is printed along the lines that begin with "@tunnel".
#
# usage: tunnel.sh STEPS
#   STEPS: for each step a line "HOW ID PART OTHER INPUT COUNT", then COUNT lines, each one word of its command.
#   PART, OTHER  the step is left out once one of these parts is absent; "-": no part
#   INPUT        the file that is its standard input
#   HOW  do      its failure makes PART absent, or ends the run where there is none
#        probe   the same, after trying for some seconds
#        try     its failure does not matter
#        start   in the background, until the end
#        take    a measurement: its failure ends the run
#        undo    runs at the end, whatever that is; these come first, so that they are found at once
set -u

steps=$1
absent=' '
started=
current=

is_absent() {
	case $absent in
	*" $1 "*) return 0 ;;
	*) return 1 ;;
	esac
}

# each_step VISITOR: calls it with the words of every command in turn, as long as it returns 0; the line before them is
# in variables.
each_step() {
	visitor=$1
	while read -r how id part other input count <&3; do
		set --
		while [ "$count" -gt 0 ] && IFS= read -r word <&3; do
			set -- "$@" "$word"
			count=$((count - 1))
		done
		"$visitor" "$@" || return 0
	done 3<"$steps"
}

# limited SECONDS WORDS...: waited for in the background, so that a signal is heeded at once.
limited() {
	timeout "$@" <"$input" 2>&1 3<&- &
	current=$!
	wait $current
	status=$?
	current=
	return $status
}

probe() {
	tries=12
	until limited 10 "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return $status
		sleep 0.4
	done
}

run() {
	case $how in
	start)
		"$@" <"$input" >/dev/null 2>&1 3<&- &
		started="$! $started"
		;;
	probe) probe "$@" ;;
	*) limited 120 "$@" ;;
	esac
}

forward() {
	[ "$how" != undo ] || return 0
	if is_absent "$part" || is_absent "$other"; then
		echo "@tunnel skip $id"
		return 0
	fi
	echo "@tunnel begin $id"
	run "$@"
	status=$?
	echo
	echo "@tunnel end $id $status"
	[ $status -ne 0 ] && [ "$how" != try ] || return 0
	if [ "$part" = - ] || [ "$how" = take ]; then
		exit 1
	fi
	absent="$absent$part "
}

backward() {
	[ "$how" = undo ] || return
	timeout 10 "$@" <"$input" >/dev/null 2>&1 3<&-
	return 0
}

leave() {
	trap '' INT TERM HUP
	# shellcheck disable=SC2086 # a list of numbers
	[ -z "$started$current" ] || kill $started $current 2>/dev/null
	each_step backward
}

trap leave EXIT
trap 'exit 130' INT TERM HUP

each_step forward
