#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Inside a guest: runs the scripts of several tests one after the other, for guests.py. Each script finds the guest in the
# state in which the first one found it, and an empty kernel log.
#
# usage: scripts.sh SCRIPT...
#
# Marks separate the output of the scripts. Each mark is a line on standard output and a line on standard error:
#   @script 0 boot           the kernel's log of the boot follows on standard error
#   @script NUMBER begin     the output of the script follows
#   @script NUMBER status N  exit status; on standard error the kernel's log since the last log follows
#   @script NUMBER clean     the guest is back in its first state
#   @script NUMBER left      it is not; on standard output the differences follow, and no other script runs
set -u

begin=/run/scripts.begin
session=/run/scripts.session
complaints=/run/scripts.complaints

mark() {
	printf '\n@script %s\n' "$*"
	printf '\n@script %s\n' "$*" >&2
}

# state: a line for each thing that a script may leave behind for the next script. A module precedes those that it uses,
# kernel threads have no executable.
state() {
	sed -n '
		s/^\(dsbench[^ ]*\|udptun\) .*/module \1/p
		s/^[^ ]* \(\/[^ ]*\) \([^ ]*\) .*/mount \1 \2/p' /proc/modules /proc/mounts
	for link in /sys/class/net/*; do echo "link ${link##*/}"; done
	for namespace in /run/netns/*; do [ ! -e "$namespace" ] || echo "namespace ${namespace##*/}"; done
	for file in * /tmp/*; do echo "file $file"; done
	processes=0
	for executable in /proc/[0-9]*/exe; do [ ! -e "$executable" ] || processes=$((processes + 1)); done
	echo "processes $processes"
	cpus=1
	[ ! -e /sys/devices/system/cpu/online ] || read -r cpus </sys/devices/system/cpu/online
	echo "cpus $cpus"
}

# undo STATE: take back what this state has and the first had not. The mount that was made last goes first.
undo() {
	added=$(echo "$1" | grep -vxF -f $begin)
	echo "$added" | sed -n 's/^module //p' | while read -r module; do rmmod "$module"; done
	echo "$added" | sed -n 's/^namespace //p' | while read -r namespace; do ip netns delete "$namespace"; done
	echo "$added" | sed -n 's/^link //p' | while read -r link; do ip link delete "$link"; done
	echo "$added" | sed -n 's/^mount //p' | tac | while read -r folder _; do umount "$folder"; done
	for cpu in /sys/devices/system/cpu/cpu[0-9]*/online; do
		[ ! -e "$cpu" ] || echo 1 >"$cpu"
	done
}

# clean NUMBER: bring the guest back to its first state. Devices of a namespace that was deleted take a moment to go.
clean() {
	read -r leader <$session
	: >$complaints
	for _ in $(seq 20); do
		kill -s KILL -- "-$leader" 2>/dev/null
		rm -rf /tmp/*
		now=$(state)
		if [ "$now" = "$first" ]; then
			dmesg -c >&2
			mark "$1 clean"
			return
		fi
		undo "$now" >/dev/null 2>$complaints
		sleep 0.1
	done
	dmesg -c >&2
	mark "$1 left"
	echo "$now" | diff $begin -
	cat $complaints
	exit 1
}

mark 0 boot
dmesg -c >&2
first=$(state)
echo "$first" >$begin
number=0
for script; do
	number=$((number + 1))
	mark $number begin
	# shellcheck disable=SC2016 # expanded by the inner shell
	setsid sh -c 'echo $$ >"$1"; exec sh "./$2"' sh $session "$script"
	mark $number status $?
	clean $number
done
