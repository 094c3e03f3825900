# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Functions for scripts that run the core module several times, one stage per run. dsharness/sweep/stream.py splits their
# output at the lines that begin with "@dsbench". Such a script sources this file, and loads modules by insert.
#
# The target may be the user's own machine: only modules that the script has loaded are removed.

debugfs=/sys/kernel/debug/dsbench
report=$(mktemp) || exit # not a name that others can predict: root writes it
poller=
loaded= # modules to remove, in this order

# is_loaded MODULE
is_loaded() {
	grep -q "^$1 " /proc/modules
}

# insert MODULE COMMAND...: load a module by a command, and remember that it is ours. A module that is loaded is not ours.
# It is remembered before the command, so that a signal during the command does not leave it.
insert() {
	if is_loaded "$1"; then
		echo "$1 is loaded already" >&2
		return 1
	fi
	loaded="$1 $loaded"
	shift
	if ! "$@"; then
		loaded=${loaded#* }
		return 1
	fi
}

# unload: remove our modules. The core may have removed one that it runs.
unload() {
	for module in $loaded; do
		! is_loaded "$module" || rmmod "$module" || return
	done
	loaded=
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

# packet_facts: print how the packets of the datapath are made and received, if it is what runs.
packet_facts() {
	for name in hash sink_gro protocol; do
		file=/sys/module/dsbench_tunnel/parameters/$name
		[ -r "$file" ] && read -r line <"$file" && echo "# packets: $name=$line"
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
	packet_facts
	cat "$report"
	echo "@dsbench samples $1"
	cat $debugfs/samples || fail "$1"
	echo "@dsbench end $1"
	unload || fail "$1"
}
