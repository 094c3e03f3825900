# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# Functions for scripts that measure the datapath as one of their stages. Such a script sources this file after stage.sh
# and assigns
#   kinds            the kinds of devices; empty: no datapath
#   tunnel_settings  the parameters of dsbench_tunnel
# datapath.sh is in the same folder.

borrowed= # the drivers that are unloaded together with the topology
topology_mark=$(mktemp -u XXXXXXXX) || exit # ends the names of the network namespaces: the machine may have others

# borrow: remember the drivers of ours that are not loaded yet.
borrow() {
	for driver in udptun udptun_rust; do
		is_loaded "$driver" || borrowed="$borrowed $driver"
	done
}

# load_datapath FOLDER DEVICES PARAMETER=VALUE...: load the modules and start the run. dsbench_tunnel is loaded in the
# near namespace, where it finds the devices by name.
load_datapath() {
	from=$1
	devices=$2
	shift 2
	names=$(echo "$devices" | sed 's/:[^,]*//g')
	insert dsbench insmod "$from/dsbench.ko" autorun=0 "containers=$names" "$@" || return
	# shellcheck disable=SC2086,SC2154 # a list of parameters; the sourcing script assigns it
	insert dsbench_tunnel ip netns exec "dsbench-a-$topology_mark" insmod "$from/dsbench_tunnel.ko" \
		"devices=$devices" underlay=veth0 $tunnel_settings || return
	# shellcheck disable=SC2154 # stage.sh assigns it
	echo 1 >"$debugfs/run"
}

# datapath STAGE FOLDER PARAMETER=VALUE...: set up the devices and run the modules of the folder on those that are present.
# The parameters are those of the core. The topology stays.
datapath() {
	stage=$1
	shift
	echo "@dsbench topology $stage"
	borrow
	# shellcheck disable=SC2086,SC2154 # a list of names; the sourcing script assigns it
	topology=$(sh ./datapath.sh up "$topology_mark" $kinds) || fail "$stage"
	echo "$topology"
	present=$(echo "$topology" | sed -n 's/^device //p' | tr '\n' ',')
	if [ -z "$present" ]; then
		echo "@dsbench end $stage"
		return
	fi
	folder=$1
	shift
	load_datapath "$folder" "${present%,}" "$@" || fail "$stage"
	follow "$stage"
}

# datapath_leave: delete the topology, after dsbench_tunnel is unloaded.
datapath_leave() {
	[ -n "$kinds" ] || return 0
	sh ./datapath.sh down "$topology_mark" || return
	for driver in $borrowed; do
		! is_loaded "$driver" || rmmod "$driver" || return
	done
	borrowed=
}
