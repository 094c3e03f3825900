# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Functions for scripts that run the core module several times, one stage per run. dsharness/sweep/stream.py splits their
# output at the lines that begin with "@dsbench". Such a script sources this file and assigns
#   removable  the modules that unload removes, in this order

debugfs=/sys/kernel/debug/dsbench
report=${TMPDIR:-/tmp}/dsbench-report.$$
poller=

# shellcheck disable=SC2154 # the sourcing script assigns it
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

# fail STAGE: print the kernel's last messages, then exit with status 1.
fail() {
	echo "@dsbench failed $1"
	dmesg | grep -e dsbench -e udptun | tail -n 3
	echo "@dsbench end $1"
	exit 1
}

# poll STAGE: print the progress of the run, twice a second.
poll() {
	while read -r state completed total <$debugfs/run; do
		[ "$state" = running ] && echo "@dsbench progress $1 $completed $total"
		sleep 0.5
	done
}

# kernel_facts: print what /proc/dsbench does not say of the kernel, as lines of its header. No process is started.
kernel_facts() {
	read -r line </proc/cmdline && echo "# cmdline: $line"
	for file in /sys/devices/system/cpu/vulnerabilities/*; do
		[ -r "$file" ] && read -r line <"$file" && echo "# mitigation: ${file##*/}: $line"
	done
}

# follow STAGE: wait for the run that was started, print its report and samples, and unload the modules.
follow() {
	poll "$1" 2>/dev/null &
	poller=$!
	cat /proc/dsbench >"$report" || fail "$1"
	kill "$poller"
	wait "$poller" 2>/dev/null
	poller=
	echo "@dsbench report $1"
	kernel_facts
	cat "$report"
	echo "@dsbench samples $1"
	cat $debugfs/samples || fail "$1"
	echo "@dsbench end $1"
	unload || fail "$1"
}
