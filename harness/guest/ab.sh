#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Runs inside a guest: loads the modules of the two sides by turns, in the order of the plan, with one run per load. The
# modules of both sides have the same names, so each side has its own folder, unpacked from <side>.tar, with the
# containers in a subfolder.
#
# usage: ab.sh PLAN "DEVICES" "PARAMETER=VALUE..."
#   PLAN        a file with a line per load: "STAGE SIDE PARAMETER=VALUE...". The parameters are those of the core. A STAGE
#               that ends in ":datapath" measures the datapath.
#   DEVICES     the kinds of devices; empty: no datapath
#   PARAMETERS  those of dsbench_tunnel
# stage.sh, packets.sh and datapath.sh are in the same folder.
set -u

plan=$1
# shellcheck disable=SC2034 # for packets.sh
kinds=$2 tunnel_settings=$3

# shellcheck source=harness/guest/stage.sh
. ./stage.sh
# shellcheck source=harness/guest/packets.sh
. ./packets.sh

leave() {
	stage_leave
	datapath_leave
}

# load SIDE PARAMETER=VALUE...: load the core and the containers of a side. insmod, because modprobe knows no sides.
load() {
	folder=$1
	shift
	insert dsbench insmod "$folder/dsbench.ko" autorun=0 "$@" || return
	for file in "$folder"/containers/*.ko; do
		name=${file##*/}
		insert "${name%.ko}" insmod "$file" || return
	done
	echo 1 >"$debugfs/run"
}

# containers STAGE SIDE PARAMETER=VALUE...
containers() {
	stage=$1
	shift
	load "$@" || fail "$stage"
	follow "$stage"
}

# packets STAGE SIDE PARAMETER=VALUE...: load the side's own drivers first, so that modprobe does not load others.
packets() {
	for driver in udptun udptun_rust; do
		if [ -e "$2/$driver.ko" ]; then
			modprobe -q -a udp_tunnel ip6_udp_tunnel
			insmod "$2/$driver.ko" || fail "$1"
			borrowed="$borrowed $driver"
		fi
	done
	datapath "$@"
	datapath_leave || fail "$1"
}

# side STAGE SIDE PARAMETER=VALUE...
side() {
	echo "@dsbench begin $1"
	case $1 in
	*:datapath) packets "$@" ;;
	*) containers "$@" ;;
	esac
}

trap leave EXIT
trap 'exit 130' INT TERM HUP

for archive in *.tar; do
	mkdir -p "${archive%.tar}" && tar -xf "$archive" -C "${archive%.tar}" || exit
done
while read -r line <&3; do
	# shellcheck disable=SC2086 # a list of words
	side $line 3<&-
done 3<"$plan"
