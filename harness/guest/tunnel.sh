#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs steps in order, in the guest or on the near one of two machines. dsharness/tunnel/steps.py writes the steps;
# dsharness/tunnel/stream.py splits the output at the lines that begin with "@tunnel".
#
# usage: tunnel.sh STEPS
#   STEPS: for each step, a line "HOW ID PART OTHER INPUT COUNT", then COUNT lines with one word of the command each.
#   PART, OTHER  the step is skipped if one of these parts is absent; "-": no part
#   INPUT        the file for standard input
#   HOW  do      a failure makes PART absent; without a PART, it ends the run
#        probe   like do, but retried for some seconds
#        try     a failure is ignored
#        start   runs in the background until the end
#        take    a measurement: a failure ends the run
#        undo    runs at the end, also after a failure; these steps come first, so that backward() finds them at once
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

# each_step VISITOR: call VISITOR with the words of each command, until it returns a failure. The fields of the step's
# line are in variables.
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

# limited SECONDS WORDS...: run a command with a time limit. It runs in the background, so that the shell handles signals
# at once.
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
