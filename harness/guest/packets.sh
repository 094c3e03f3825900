# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# For scripts that measure the datapath as one of their stages: they read it in the folder that they run in, after
# stage.sh. They say in $kinds which devices there are to be, none for no datapath, and in $tunnel_settings the parameters
# of dsbench_tunnel. datapath.sh lies beside.

borrowed= # the driver that goes with the topology

# load_datapath FOLDER DEVICES PARAMETER=VALUE...: from the near end's namespace, where they have their names.
load_datapath() {
	from=$1
	devices=$2
	shift 2
	names=$(echo "$devices" | sed 's/:[^,]*//g')
	insmod "$from/dsbench.ko" autorun=0 "containers=$names" "$@" || return
	# shellcheck disable=SC2086,SC2154 # a list of parameters; the script that reads this assigns it
	ip netns exec dsbench-a insmod "$from/dsbench_tunnel.ko" "devices=$devices" underlay=veth0 $tunnel_settings || return
	# shellcheck disable=SC2154 # stage.sh assigns it
	echo 1 >"$debugfs/run"
}

# datapath STAGE FOLDER PARAMETER=VALUE...: sets up the devices, and runs the modules of the folder on those that there are;
# the parameters are the core's. The topology stays.
datapath() {
	stage=$1
	shift
	echo "@dsbench topology $stage"
	grep -q '^udptun ' /proc/modules || borrowed=udptun
	# shellcheck disable=SC2086,SC2154 # a list of names; the script that reads this assigns it
	topology=$(sh ./datapath.sh up $kinds) || fail "$stage"
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

# datapath_leave: once dsbench_tunnel is unloaded.
datapath_leave() {
	[ -n "$kinds" ] || return 0
	sh ./datapath.sh down || return
	if [ -n "$borrowed" ] && grep -q "^$borrowed " /proc/modules; then
		rmmod "$borrowed" || return
	fi
	borrowed=
}
