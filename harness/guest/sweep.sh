#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs inside the target, in the folder of the .ko files: one run of the core module for each size, and one for the
# datapath.
#
# usage: sweep.sh "SIZES" "CONTAINER MODULES" "SETTINGS" "FIRST" "LATER" "DEVICES" "SETTINGS" "TUNNEL SETTINGS"
#   CONTAINER MODULES  loaded with insmod where none are installed; else empty: the core asks modprobe
#   SETTINGS           PARAMETER=VALUE... of the core, for the sizes and for the datapath
#   FIRST, LATER       the same, for the guest's first run and for the runs after it
#   DEVICES            empty: no datapath
#   TUNNEL SETTINGS    PARAMETER=VALUE... of dsbench_tunnel
# datapath.sh, stage.sh and packets.sh lie beside this script.
set -u

sizes=$1
by_hand=$2
size_settings=$3
position=$4 # the settings that depend on the runs before
later=$5
kinds=$6
datapath_settings=$7
# shellcheck disable=SC2034 # for packets.sh
tunnel_settings=$8

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
	load_containers "n=$1" $size_settings $position || fail "$1"
	follow "$1"
	position=$later
}

packets() {
	echo "@dsbench begin datapath"
	# shellcheck disable=SC2086 # a list of parameters
	datapath datapath . $datapath_settings $position
}

trap leave EXIT
trap 'exit 130' INT TERM HUP

for n in $sizes; do
	size "$n"
done
[ -z "$kinds" ] || packets
