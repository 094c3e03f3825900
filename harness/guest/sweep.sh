#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs inside the target, in the folder of the .ko files: one run of the core module per size, and one run of the
# datapath.
#
# usage: sweep.sh SIZES MODULES SIZE-PARAMETERS FIRST LATER DEVICES DATAPATH-PARAMETERS TUNNEL-PARAMETERS
#   Each argument is a list of words in one string.
#   SIZES                numbers of elements
#   MODULES              the container modules to load by insmod; empty: they are installed, and the core uses modprobe
#   SIZE-PARAMETERS      PARAMETER=VALUE of the core, for the sizes
#   FIRST, LATER         PARAMETER=VALUE of the core, for the first run of the guest and for its later runs
#   DEVICES              the kinds of devices; empty: no datapath
#   DATAPATH-PARAMETERS  PARAMETER=VALUE of the core, for the datapath
#   TUNNEL-PARAMETERS    PARAMETER=VALUE of dsbench_tunnel
# datapath.sh, stage.sh and packets.sh are in the same folder.
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
		insert dsbench insmod dsbench.ko "$@"
		return
	fi
	insert dsbench insmod dsbench.ko autorun=0 "$@" || return
	for module in $by_hand; do
		insert "$module" insmod "$module.ko" || return
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
