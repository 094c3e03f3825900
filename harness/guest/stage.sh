# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# For scripts that run the core module several times, a stage each, and are cut up by dsharness/sweep/stream.py along the
# lines that begin with "@dsbench". They read it in the folder that they run in, and say in $removable what unload
# removes, in this order.

debugfs=/sys/kernel/debug/dsbench
report=${TMPDIR:-/tmp}/dsbench-report.$$
poller=

# shellcheck disable=SC2154 # the script that reads this assigns it
unload() {
	for module in $removable; do
		if grep -q "^$module " /proc/modules; then
			rmmod "$module" || return
		fi
	done
}

stage_leave() {
	[ -z "$poller" ] || kill "$poller" 2>/dev/null
	unload
	rm -f "$report"
}

# fail STAGE: the kernel's last words on it, then the end.
fail() {
	echo "@dsbench failed $1"
	dmesg | grep -e dsbench -e udptun | tail -n 3
	echo "@dsbench end $1"
	exit 1
}

# poll STAGE: how far the run is, twice a second.
poll() {
	while read -r state taken total <$debugfs/run; do
		[ "$state" = running ] && echo "@dsbench progress $1 $taken $total"
		sleep 0.5
	done
}

# follow STAGE: the run that was started, and what came of it.
follow() {
	poll "$1" 2>/dev/null &
	poller=$!
	cat /proc/dsbench >"$report" || fail "$1"
	kill "$poller"
	wait "$poller" 2>/dev/null
	poller=
	echo "@dsbench report $1"
	cat "$report"
	echo "@dsbench samples $1"
	cat $debugfs/samples || fail "$1"
	echo "@dsbench end $1"
	unload || fail "$1"
}
