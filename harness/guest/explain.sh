#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs inside a guest under QEMU's profile plugin, in the folder of the .ko files. All modules are loaded once, so that
# no two functions ever have the same address, and the core runs once per line of the plan.
#
# usage: explain.sh PLAN SETTINGS MODULES KINDS FUNCTIONS TUNNEL-SETTINGS
#   PLAN      a file with a line per run: "STAGE CONTAINERS OPS N FLOORS", or "STAGE @KIND OPS PAYLOAD BURST" for a device
#   SETTINGS  PARAMETER=VALUE of the core, for all runs
#   MODULES   the container modules
#   KINDS     the kinds of devices; empty: no datapath
#   FUNCTIONS the functions whose code to print after the runs, since instructions are patched at run time: the names of
#             those of modules, the addresses (0x...) of those of the kernel
#   TUNNEL-SETTINGS PARAMETER=VALUE of dsbench_tunnel, for all runs
# datapath.sh, stage.sh and packets.sh are in the same folder.
set -u

plan=$1
settings=$2
modules=$3
kinds=$4
disassembled=$5
tunnel_settings=$6

parameters=/sys/module/dsbench/parameters
sections=/sys/module/dsbench_tunnel/sections/.text
topology=
listed=/tmp/dsbench-functions
code_bytes=16384 # of each function; dsharness/explain/annotate.py has the same number

# shellcheck source=harness/guest/stage.sh
. ./stage.sh
# shellcheck source=harness/guest/packets.sh
. ./packets.sh

# The modules stay from run to run, so stage.sh learns of them only now.
leave() {
	loaded="dsbench_tunnel $modules dsbench"
	stage_leave
	datapath_leave
}

# Print the functions of the modules. The serial port is slow, hence gzip.
functions() {
	echo "@explain begin modules"
	grep -e ' [tTwW] .*\]$' /proc/kallsyms >"$listed"
	gzip -9 <"$listed" | base64
	echo "@explain end modules"
}

# memory ADDRESS: print the kernel's memory from there on. /proc/kcore is an ELF file; a segment is 7 words of 8 bytes.
# The shell's numbers are signed, so the first digit of addresses, an f, is left out.
memory() {
	count=$(od -A n -v -t u2 -j 56 -N 2 /proc/kcore)
	od -A n -v -t x8 -w56 -j 64 -N $((count * 56)) /proc/kcore | while read -r kind offset begin _ size _; do
		at=$((0x${1#0xf} - 0x${begin#f}))
		if [ $((0x$kind & 0xffffffff)) -eq 1 ] && [ $at -ge 0 ] && [ $at -lt $((0x$size)) ]; then
			dd if=/proc/kcore bs=$code_bytes count=1 iflag=skip_bytes skip=$((0x$offset + at)) 2>/dev/null
			break
		fi
	done
}

# code ADDRESS
code() {
	echo "@explain begin code-$1"
	memory "$1" | gzip -9 | base64
	echo "@explain end code-$1"
}

# codes NAME: print the code of all functions of modules of this name, with the suffixes of the compiler's copies, too.
codes() {
	grep -e " [tTwW] $1[.[:space:]]" "$listed" | while read -r address _; do
		code "0x$address"
	done
}

load_modules() {
	# shellcheck disable=SC2086 # a list of parameters
	insmod ./dsbench.ko autorun=0 $settings || return
	for module in $modules; do
		insmod "./$module.ko" || return
	done
}

set_up_devices() {
	borrow
	echo "@explain begin topology"
	# shellcheck disable=SC2086 # a list of names
	topology=$(sh ./datapath.sh up "$topology_mark" $kinds) || fail setup
	echo "$topology"
	echo "@explain end topology"
}

# device KIND: print the kind as dsbench_tunnel wants it.
device() {
	echo "$topology" | sed -n "s/^device \($1:.*\)/\1/p"
}

# load_tunnel PAYLOAD BURST: the module reads its sizes when it is loaded. BURST 0: cells without a burst alone.
load_tunnel() {
	if [ -e /sys/module/dsbench_tunnel ]; then
		rmmod dsbench_tunnel || return
	fi
	present=$(echo "$topology" | sed -n 's/^device //p' | tr '\n' ',')
	# shellcheck disable=SC2086 # a list of parameters
	ip netns exec "dsbench-a-$topology_mark" insmod ./dsbench_tunnel.ko "devices=${present%,}" underlay=veth0 "payloads=$1" packets=32 "burst=$2" $tunnel_settings
}

# set_parameter NAME VALUE: a parameter that these modules lack keeps its default.
set_parameter() {
	[ ! -e "$parameters/$1" ] || echo "$2" >"$parameters/$1"
}

# measure STAGE CONTAINERS OPS: run, and print the report and the samples.
measure() {
	echo "@dsbench begin $1"
	if ! { set_parameter containers "$2" && set_parameter ops "$3" && echo 1 >"$debugfs/run"; }; then
		fail "$1"
	fi
	follow "$1"
}

# elements STAGE CONTAINERS OPS N FLOORS
elements() {
	set_parameter n "$4" || fail "$1"
	set_parameter floors "$5" || fail "$1"
	measure "$1" "$2" "$3"
}

# packets STAGE @KIND OPS PAYLOAD BURST
packets() {
	kind=${2#@}
	[ -n "$(device "$kind")" ] || return 0
	load_tunnel "$4" "$5" || fail "$1"
	echo "@explain begin base-$1"
	cat $sections
	echo "@explain end base-$1"
	measure "$1" "$kind" "$3"
}

trap leave EXIT
trap 'exit 130' INT TERM HUP

echo 0 >/proc/sys/kernel/kptr_restrict
echo "@dsbench begin setup"
load_modules || fail setup
if [ -n "$kinds" ]; then
	set_up_devices
	if echo "$topology" | grep -q '^device '; then
		load_tunnel 64 0 || fail setup
		echo "@explain begin base"
		cat $sections
		echo "@explain end base"
	fi
fi
functions
while read -r stage what ops n floors; do
	case $what in
	@*) packets "$stage" "$what" "$ops" "$n" "$floors" ;;
	*) elements "$stage" "$what" "$ops" "$n" "$floors" ;;
	esac
done <"$plan"
for name in $disassembled; do
	case $name in
	0x*) code "$name" ;;
	*) codes "$name" ;;
	esac
done
