#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Makes what the datapath is measured on, in two network namespaces:
#
#   dsbench-a                                dsbench-b
#   +----------------------+                 +----------------------+
#   | veth0      192.0.2.1 |=================| 192.0.2.2      veth0 |   the bare link
#   | udptun0    10.99.1.1 |.................| 10.99.1.2    udptun0 |   and through it
#   | vxlan0     10.99.2.1 |.................| 10.99.2.2     vxlan0 |   one tunnel of each kind
#   | ...                  |                 |                  ... |
#   +----------------------+                 +----------------------+
#
# usage: datapath.sh up KIND...    a line each: "device KIND:INTERFACE:FAR-ADDRESS", or "absent KIND REASON"
#        datapath.sh down
#
# What is chosen alike for all tunnels, so that their kind alone differs: IPv4 in UDP over IPv4, no outer checksum (but
# wireguard, which always has one), TTL 64, and an MTU with room for a payload of 1400 octets.
# Nothing but what is measured sends packets: neighbours are permanent, IPv6 is off.
set -u

near=dsbench-a
far=dsbench-b
underlay=veth0
near_outer=192.0.2.1
far_outer=192.0.2.2
near_hardware=02:00:00:00:00:01
far_hardware=02:00:00:00:00:02
mtu=1440 # of every tunnel: what wireguard, which adds most, leaves of 1500

here=$(dirname "$0")
udptunctl=udptunctl
[ ! -x "$here/udptunctl" ] || udptunctl=$here/udptunctl

inside() {
	ip netns exec "$@"
}

# quiet NAMESPACE: no packets of the kernel's own, and no check that a return path would have to pass.
quiet() {
	# shellcheck disable=SC2016 # it is for the shell in there
	inside "$1" sh -c '
		cd /proc/sys/net || exit
		for family in all default; do
			[ ! -e ipv6/conf/$family/disable_ipv6 ] || echo 1 >ipv6/conf/$family/disable_ipv6
			echo 0 >ipv4/conf/$family/rp_filter
		done' &&
	ip -n "$1" link set lo up
}

# ethernet INTERFACE NEAR-ADDRESS FAR-ADDRESS: each end knows the other's hardware address, so nobody asks.
ethernet() {
	ip -n $near neigh replace "$3" lladdr $far_hardware dev "$1" nud permanent &&
	ip -n $far neigh replace "$2" lladdr $near_hardware dev "$1" nud permanent
}

# hardware NAMESPACE: the hardware address of each of its interfaces.
hardware() {
	case $1 in
	"$near") echo $near_hardware ;;
	*) echo $far_hardware ;;
	esac
}

# make_KIND NAMESPACE INTERFACE LOCAL REMOTE: one end of a tunnel, without addresses.
make_udptun() {
	inside "$1" "$udptunctl" add "$2" local "$3" remote "$4" port 7000 ttl 64 nocsum
}

make_vxlan() {
	ip -n "$1" link add "$2" address "$(hardware "$1")" type vxlan id 1 local "$3" remote "$4" dstport 4789 ttl 64 nolearning noudpcsum
}

make_geneve() {
	ip -n "$1" link add "$2" address "$(hardware "$1")" type geneve id 1 remote "$4" dstport 6081 ttl 64 noudpcsum
}

make_bareudp() {
	ip -n "$1" link add "$2" type bareudp dstport 6635 ethertype ipv4
}

make_fou() {
	ip -n "$1" fou add port 5555 ipproto 4 &&
	ip -n "$1" link add "$2" type ipip local "$3" remote "$4" ttl 64 \
		encap fou encap-sport 5555 encap-dport 5555 noencap-csum
}

make_wireguard() {
	command -v wg >/dev/null || { echo "wg of wireguard-tools is not installed" >&2; return 1; }
	ip -n "$1" link add "$2" type wireguard
}

# finish_KIND INTERFACE NEAR-ADDRESS FAR-ADDRESS: what a kind needs beyond its two ends, once they are up.
finish_vxlan() {
	ethernet "$@"
}

finish_geneve() {
	ethernet "$@"
}

finish_bareudp() {
	ip -n $near route add "$3/32" dev "$1" encap ip id 0 src $near_outer dst $far_outer ttl 64 &&
	ip -n $far route add "$2/32" dev "$1" encap ip id 0 src $far_outer dst $near_outer ttl 64
}

# The keys are agreed on now: a keepalive asks for them, and there is none later.
finish_wireguard() {
	keys=$(mktemp -d) || return
	(umask 077; wg genkey >"$keys/a"; wg genkey >"$keys/b")
	inside $near wg set "$1" private-key "$keys/a" listen-port 51820 peer "$(wg pubkey <"$keys/b")" \
		endpoint $far_outer:51820 allowed-ips "$3/32" &&
	inside $far wg set "$1" private-key "$keys/b" listen-port 51820 peer "$(wg pubkey <"$keys/a")" \
		endpoint $near_outer:51820 allowed-ips "$2/32" &&
	inside $near wg set "$1" peer "$(wg pubkey <"$keys/b")" persistent-keepalive 1 &&
	shaken_hands "$1" &&
	inside $near wg set "$1" peer "$(wg pubkey <"$keys/b")" persistent-keepalive 0
	finished=$?
	rm -r "$keys"
	return $finished
}

shaken_hands() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		inside $near wg show "$1" latest-handshakes | grep -qv '[[:space:]]0$' && return
		sleep 1
	done
	echo "no handshake within 10 s" >&2
	return 1
}

# tunnel KIND NUMBER: both ends, up; or neither, and the reason on standard error.
tunnel() {
	interface=${1}0
	near_inner=10.99.$2.1
	far_inner=10.99.$2.2
	"make_$1" $near "$interface" $near_outer $far_outer &&
	"make_$1" $far "$interface" $far_outer $near_outer &&
	connect $near "$interface" "$near_inner" $mtu &&
	connect $far "$interface" "$far_inner" $mtu || return
	case $1 in
	vxlan | geneve | bareudp | wireguard) "finish_$1" "$interface" "$near_inner" "$far_inner" ;;
	esac
}

# connect NAMESPACE INTERFACE ADDRESS MTU
connect() {
	ip -n "$1" -batch - <<-END
		address add $3/24 dev $2
		link set $2 mtu $4 up
	END
}

bare_link() {
	ip netns add $near &&
	ip netns add $far &&
	quiet $near &&
	quiet $far &&
	ip -n $near link add $underlay address $near_hardware type veth \
		peer name $underlay address $far_hardware netns $far &&
	connect $near $underlay $near_outer 1500 &&
	connect $far $underlay $far_outer 1500 &&
	ethernet $underlay $near_outer $far_outer
}

# reason KIND: the last that was said, in the words of one who does not have the tools' source at hand.
reason() {
	said=$(grep -v -e '^[[:space:]]*$' -e '^Command failed' "$complaints" | tail -n 1)
	case $said in
	*"Unknown device type"* | *"not supported"* | *"No such device"*) echo "this kernel has no $1" ;;
	"") echo "it cannot be set up" ;;
	*) echo "$said" ;;
	esac
}

insert_udptun() {
	modprobe -q -a udp_tunnel ip6_udp_tunnel
	insmod "$here/udptun.ko"
}

# load KIND: what it takes beside what the kernel asks for itself; a udptun that is there already stays.
load() {
	case $1 in
	udptun) grep -q '^udptun ' /proc/modules || modprobe -q udptun || insert_udptun ;;
	fou) modprobe -q -a ipip fou ;;
	esac
}

# present KIND NUMBER: the line about it.
present() {
	if [ "$1" = veth ]; then
		echo "device veth:$underlay:$far_outer"
		return
	fi
	load "$1" >/dev/null 2>&1
	if tunnel "$1" "$2" >/dev/null 2>"$complaints"; then
		echo "device $1:${1}0:10.99.$2.2"
	else
		echo "absent $1 $(reason "$1")"
		for namespace in $near $far; do
			ip -n "$namespace" link delete "${1}0" 2>/dev/null || : # it may never have been
		done
	fi
}

up() {
	without=
	if ! ip -V 2>/dev/null | grep -q iproute2; then
		without="ip of iproute2 is not installed"
	elif [ ! -d /proc/sys/net ]; then
		without="this kernel has no network"
	elif ! bare_link >/dev/null 2>"$complaints"; then
		without=$(reason veth)
	fi
	number=0
	for kind; do
		number=$((number + 1))
		if [ -n "$without" ]; then
			echo "absent $kind $without"
		else
			present "$kind" $number
		fi
	done
}

# Their devices go with them.
down() {
	for namespace in $near $far; do
		[ ! -e "/run/netns/$namespace" ] || ip netns delete "$namespace"
	done
}

complaints=$(mktemp) || exit
trap 'rm -f "$complaints"' EXIT
command=${1-}
[ $# -eq 0 ] || shift
case $command in
up) up "$@" ;;
down) down ;;
*)
	echo "usage: datapath.sh up KIND... | down" >&2
	exit 2
	;;
esac
