#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs inside the target, in the folder of the .ko files: one run of the core module for each size, and one for the
# datapath.
#
# usage: sweep.sh "SIZES" "CONTAINER MODULES" "PARAMETER=VALUE..." "DEVICES" "PARAMETER=VALUE..." "PARAMETER=VALUE..."
#   The modules are loaded by hand, where none are installed; else the list is empty and the core asks modprobe.
#   The parameters are the core's for the sizes, the core's for the datapath, and those of dsbench_tunnel; without
#   devices there is no datapath. datapath.sh, stage.sh and packets.sh lie beside this script.
set -u

sizes=$1
by_hand=$2
size_settings=$3
kinds=$4
datapath_settings=$5
# shellcheck disable=SC2034 # for packets.sh
tunnel_settings=$6

removable="dsbench_tunnel $by_hand dsbench"

# shellcheck source=harness/guest/stage.sh
. ./stage.sh
# shellcheck source=harness/guest/packets.sh
. ./packets.sh

leave() {
	stage_leave
	datapath_leave
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

size() {
	echo "@dsbench begin $1"
	# shellcheck disable=SC2086 # a list of parameters
	load_containers "n=$1" $size_settings || fail "$1"
	follow "$1"
}

packets() {
	echo "@dsbench begin datapath"
	# shellcheck disable=SC2086 # a list of parameters
	datapath datapath . $datapath_settings
}

trap leave EXIT
trap 'exit 130' INT TERM HUP

for n in $sizes; do
	size "$n"
done
[ -z "$kinds" ] || packets
