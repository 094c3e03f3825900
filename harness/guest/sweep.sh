#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs inside the target, in the folder of the .ko files: one run of the core module for each size, and one for the
# datapath.
#
# usage: sweep.sh "SIZES" "CONTAINER MODULES" "PARAMETER=VALUE..." "DEVICES" "PARAMETER=VALUE..." "PARAMETER=VALUE..."
#   The modules are loaded by hand, where none are installed; else the list is empty and the core asks modprobe.
#   The parameters are the core's for the sizes, the core's for the datapath, and those of dsbench_tunnel; without
#   devices there is no datapath. datapath.sh lies beside this script.
set -u

sizes=$1
by_hand=$2
size_settings=$3
kinds=$4
datapath_settings=$5
tunnel_settings=$6

removable="dsbench_tunnel $by_hand dsbench"
borrowed=

# shellcheck source=harness/guest/stage.sh
. ./stage.sh

leave() {
	stage_leave
	if [ -n "$kinds" ]; then
		sh ./datapath.sh down
		[ -z "$borrowed" ] || rmmod "$borrowed" 2>/dev/null
	fi
}

load_containers() {
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

# load_datapath DEVICES: from the near end's namespace, where they have their names.
load_datapath() {
	names=$(echo "$1" | sed 's/:[^,]*//g')
	# shellcheck disable=SC2086 # a list of parameters
	insmod dsbench.ko autorun=0 "containers=$names" $datapath_settings || return
	# shellcheck disable=SC2086 # a list of parameters
	ip netns exec dsbench-a insmod ./dsbench_tunnel.ko "devices=$1" underlay=veth0 $tunnel_settings || return
	echo 1 >$debugfs/run
}

size() {
	echo "@dsbench begin $1"
	# shellcheck disable=SC2086 # a list of parameters
	load_containers "n=$1" $size_settings || fail "$1"
	follow "$1"
}

datapath() {
	echo "@dsbench begin datapath"
	echo "@dsbench topology datapath"
	grep -q '^udptun ' /proc/modules || borrowed=udptun
	# shellcheck disable=SC2086 # a list of names
	topology=$(sh ./datapath.sh up $kinds) || fail datapath
	echo "$topology"
	devices=$(echo "$topology" | sed -n 's/^device //p' | tr '\n' ',')
	if [ -z "$devices" ]; then
		echo "@dsbench end datapath"
		return
	fi
	load_datapath "${devices%,}" || fail datapath
	follow datapath
}

trap leave EXIT
trap 'exit 130' INT TERM HUP

for n in $sizes; do
	size "$n"
done
[ -z "$kinds" ] || datapath
