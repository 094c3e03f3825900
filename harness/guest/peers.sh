#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs inside a guest, in the folder of the .ko files: one run of the datapath for each number of tunnels and each kind of device.
#
# usage: peers.sh NUMBERS KINDS PARAMETERS TUNNEL-PARAMETERS
#   Each argument is a list of words in one string.
#   NUMBERS            numbers of tunnels, each with the warm-up in ms: NUMBER:WARMUP
#   KINDS              the kinds of devices
#   PARAMETERS         PARAMETER=VALUE of the core
#   TUNNEL-PARAMETERS  PARAMETER=VALUE of dsbench_tunnel
# datapath.sh, stage.sh and packets.sh are in the same folder.
set -u

numbers=$1 all_kinds=$2 settings=$3 common=$4

# shellcheck source=harness/guest/stage.sh
. ./stage.sh
# shellcheck source=harness/guest/packets.sh
. ./packets.sh

leave() {
	stage_leave
	datapath_leave
}

# peers_of KIND NUMBER WARMUP
peers_of() {
	# shellcheck disable=SC2034 # for packets.sh
	kinds=$1 tunnel_settings="$common peers=$2"
	export peers="$2"
	echo "@dsbench begin $1:$2"
	# shellcheck disable=SC2086 # a list of parameters
	datapath "$1:$2" . $settings "warmup=$3"
	datapath_leave || fail "$1:$2"
}

kinds=
trap leave EXIT
trap 'exit 130' INT TERM HUP

for number in $numbers; do
	for kind in $all_kinds; do
		peers_of "$kind" "${number%:*}" "${number#*:}"
	done
done
