#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs inside the target, in the folder of the .ko files: one run of the core module for each size. What it prints is
# cut up by dsharness/sweepstream.py along the lines that begin with "@dsbench".
#
# usage: sweep.sh "SIZES" "CONTAINER MODULES" PARAMETER=VALUE...
#   The modules are loaded by hand, where none are installed; else the list is empty and the core asks modprobe.
set -u

sizes=$1
by_hand=$2
shift 2

debugfs=/sys/kernel/debug/dsbench
report=${TMPDIR:-/tmp}/dsbench-report.$$
poller=

unload() {
	for module in $by_hand; do
		grep -q "^$module " /proc/modules && rmmod "$module"
	done
	if grep -q '^dsbench ' /proc/modules; then
		rmmod dsbench
	fi
}

leave() {
	[ -z "$poller" ] || kill "$poller" 2>/dev/null
	unload
	rm -f "$report"
}

# fail SIZE: the kernel's last words on it, then the end.
fail() {
	echo "@dsbench failed $1"
	dmesg | grep dsbench | tail -n 3
	echo "@dsbench end $1"
	exit 1
}

# poll SIZE: how far the run is, twice a second.
poll() {
	while read -r state taken total <$debugfs/run; do
		[ "$state" = running ] && echo "@dsbench progress $1 $taken $total"
		sleep 0.5
	done
}

load() {
	if [ -z "$by_hand" ]; then
		insmod dsbench.ko "$@"
		return
	fi
	insmod dsbench.ko autorun=0 "$@" || return
	for module in $by_hand; do
		insmod "$module.ko" || return
	done
	echo 1 >$debugfs/run
}

trap leave EXIT
trap 'exit 130' INT TERM HUP

for n in $sizes; do
	echo "@dsbench begin $n"
	load "n=$n" "$@" || fail "$n"
	poll "$n" 2>/dev/null &
	poller=$!
	cat /proc/dsbench >"$report" || fail "$n"
	kill "$poller"
	wait "$poller" 2>/dev/null
	poller=
	echo "@dsbench report $n"
	cat "$report"
	echo "@dsbench samples $n"
	cat $debugfs/samples || fail "$n"
	echo "@dsbench end $n"
	unload || fail "$n"
done
