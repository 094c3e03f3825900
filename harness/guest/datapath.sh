#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Creates the network that the datapath is measured on, in two network namespaces:
#
#   dsbench-a-MARK                           dsbench-b-MARK
#   +----------------------+                 +----------------------+
#   | veth0      192.0.2.1 |=================| 192.0.2.2      veth0 |   the bare link
#   | udptun0    10.99.1.1 |.................| 10.99.1.2    udptun0 |   over the link,
#   | vxlan0     10.99.2.1 |.................| 10.99.2.2     vxlan0 |   one tunnel of each kind
#   | ...                  |                 |                  ... |
#   +----------------------+                 +----------------------+
#
# usage: datapath.sh up MARK KIND...   print a line per kind: "device KIND:INTERFACE:FAR-ADDRESS" or "absent KIND REASON",
#                                      and "options KIND OPTION..." for a tunnel that is present
#        datapath.sh down MARK         delete everything
#
# With a number in the variable peers, each kind has that many tunnels on one port of the far end, made by a kind's function
# many_KIND, and the FAR-ADDRESS is the first of as many in a row: a packet's destination decides on its tunnel.
#
# The MARK keeps the namespaces apart from those of others.
#
# A KIND is "veth", the bare link, or a kind of tunnel: dsharness/results/datapath.py owns the list and passes it, this
# script has a function make_KIND for each tunnel.
#
# All tunnels have the same settings, so that only their kind differs: IPv4 in UDP over IPv4, no outer checksum (except
# wireguard, which always has one), TTL 64, and an MTU with room for a payload of 1400 bytes.
# Only the measured packets are sent: neighbour entries are permanent, IPv6 is disabled.
set -u

near=dsbench-a-${2-}
far=dsbench-b-${2-}
underlay=veth0
near_outer=192.0.2.1
far_outer=192.0.2.2
near_hardware=02:00:00:00:00:01
far_hardware=02:00:00:00:00:02
mtu=1440 # of every tunnel, in bytes: wireguard, which has the largest overhead, fits it into 1500

peers=${peers-} # empty: one tunnel of each kind
here=$(dirname "$0")
udptunctl=udptunctl
[ ! -x "$here/udptunctl" ] || udptunctl=$here/udptunctl

inside() {
	ip netns exec "$@"
}

# quiet NAMESPACE: the kernel sends no packets of its own, and does not check the return path of packets.
quiet() {
	# shellcheck disable=SC2016 # the inner shell expands it
	inside "$1" sh -c '
		cd /proc/sys/net || exit
		for family in all default; do
			[ ! -e ipv6/conf/$family/disable_ipv6 ] || echo 1 >ipv6/conf/$family/disable_ipv6
			echo 0 >ipv4/conf/$family/rp_filter
		done' &&
	ip -n "$1" link set lo up
}

# ethernet INTERFACE NEAR-ADDRESS FAR-ADDRESS: permanent neighbour entries at both ends, so that no ARP is sent.
ethernet() {
	ip -n "$near" neigh replace "$3" lladdr $far_hardware dev "$1" nud permanent &&
	ip -n "$far" neigh replace "$2" lladdr $near_hardware dev "$1" nud permanent
}

# hardware NAMESPACE: print the hardware address of its interfaces.
hardware() {
	case $1 in
	"$near") echo $near_hardware ;;
	*) echo $far_hardware ;;
	esac
}

# The options of each kind besides its addresses. The results have them, too.
options_udptun="port 7000 ttl 64 nocsum"
options_udptun_rust="kind udptun_rust port 7001 ttl 64 nocsum"
options_vxlan="id 1 dstport 4789 ttl 64 nolearning noudpcsum"
options_geneve="id 1 dstport 6081 ttl 64 noudpcsum"
options_geneve_l3="id 2 dstport 6082 ttl 64 noudpcsum innerprotoinherit"
options_bareudp="dstport 6635 ethertype ipv4"
options_fou="ttl 64 encap fou encap-sport 5555 encap-dport 5555 noencap-csum"
options_wireguard="listen-port 51820"

# make_KIND NAMESPACE INTERFACE LOCAL REMOTE: create one end of a tunnel, without inner addresses.
# shellcheck disable=SC2086 # the options are lists of words
make_udptun() {
	inside "$1" "$udptunctl" add "$2" local "$3" remote "$4" $options_udptun
}

# shellcheck disable=SC2086
make_udptun_rust() {
	inside "$1" "$udptunctl" add "$2" local "$3" remote "$4" $options_udptun_rust
}

# shellcheck disable=SC2086
make_vxlan() {
	ip -n "$1" link add "$2" address "$(hardware "$1")" type vxlan local "$3" remote "$4" $options_vxlan
}

# shellcheck disable=SC2086
make_geneve() {
	ip -n "$1" link add "$2" address "$(hardware "$1")" type geneve remote "$4" $options_geneve
}

# geneve as a layer 3 device: without an Ethernet header inside.
# shellcheck disable=SC2086
make_geneve_l3() {
	ip -n "$1" link add "$2" type geneve remote "$4" $options_geneve_l3
}

# shellcheck disable=SC2086
make_bareudp() {
	ip -n "$1" link add "$2" type bareudp $options_bareudp
}

# shellcheck disable=SC2086
make_fou() {
	ip -n "$1" fou add port 5555 ipproto 4 &&
	ip -n "$1" link add "$2" type ipip local "$3" remote "$4" $options_fou
}

make_wireguard() {
	command -v wg >/dev/null || { echo "wg of wireguard-tools is not installed" >&2; return 1; }
	ip -n "$1" link add "$2" type wireguard
}

# finish_KIND INTERFACE NEAR-ADDRESS FAR-ADDRESS: further setup of a kind, once both ends are up.
finish_vxlan() {
	ethernet "$@"
}

finish_geneve() {
	ethernet "$@"
}

finish_bareudp() {
	ip -n "$near" route add "$3/32" dev "$1" encap ip id 0 src $near_outer dst $far_outer ttl 64 &&
	ip -n "$far" route add "$2/32" dev "$1" encap ip id 0 src $far_outer dst $near_outer ttl 64
}

# A keepalive starts the handshake now; it is turned off afterwards, so that none is sent during the measurement.
finish_wireguard() {
	keys=$(mktemp -d) || return
	(umask 077; wg genkey >"$keys/a"; wg genkey >"$keys/b")
	# shellcheck disable=SC2086
	inside "$near" wg set "$1" private-key "$keys/a" $options_wireguard peer "$(wg pubkey <"$keys/b")" \
		endpoint $far_outer:51820 allowed-ips "$3/32" &&
	inside "$far" wg set "$1" private-key "$keys/b" $options_wireguard peer "$(wg pubkey <"$keys/a")" \
		endpoint $near_outer:51820 allowed-ips "$2/32" &&
	inside "$near" wg set "$1" peer "$(wg pubkey <"$keys/b")" persistent-keepalive 1 &&
	await_handshake "$1" &&
	inside "$near" wg set "$1" peer "$(wg pubkey <"$keys/b")" persistent-keepalive 0
	finished=$?
	rm -r "$keys"
	return $finished
}

await_handshake() {
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		inside "$near" wg show "$1" latest-handshakes | grep -qv '[[:space:]]0$' && return
		sleep 1
	done
	echo "no handshake within 10 s" >&2
	return 1
}

# defined FUNCTION
defined() {
	command -v "$1" >/dev/null
}

# tunnel KIND NUMBER: create both ends and bring them up. Fail with the reason on standard error.
tunnel() {
	defined "make_$1" || { echo "unknown kind of tunnel: $1" >&2; return 1; }
	interface=${1}0
	near_inner=10.99.$2.1
	far_inner=10.99.$2.2
	"make_$1" "$near" "$interface" $near_outer $far_outer &&
	"make_$1" "$far" "$interface" $far_outer $near_outer &&
	connect "$near" "$interface" "$near_inner" $mtu &&
	connect "$far" "$interface" "$far_inner" $mtu || return
	! defined "finish_$1" || "finish_$1" "$interface" "$near_inner" "$far_inner"
}

# connect NAMESPACE INTERFACE ADDRESS MTU: assign the address, set the MTU, bring the interface up.
connect() {
	ip -n "$1" -batch - <<-END
		address add $3/24 dev $2
		link set $2 mtu $4 up
	END
}

# own_sockets ENTRIES: give the network namespaces to come a table of UDP sockets of their own, of this size; 0: the common one. With many
# tunnels the near end has a socket for each, and the far end, which has one, must not search among them. 6.1 lacks this.
own_sockets() {
	setting=/proc/sys/net/ipv4/udp_child_hash_entries
	[ -z "$peers" ] || [ ! -e $setting ] || echo "$1" >$setting
}

bare_link() {
	own_sockets 65536 &&
	ip netns add "$near" &&
	ip netns add "$far" &&
	own_sockets 0 &&
	quiet "$near" &&
	quiet "$far" &&
	ip -n "$near" link add $underlay address $near_hardware type veth \
		peer name $underlay address $far_hardware netns "$far" &&
	connect "$near" $underlay $near_outer 1500 &&
	connect "$far" $underlay $far_outer 1500 &&
	ethernet $underlay $near_outer $far_outer
}

# each TEXT...: print the texts once for each tunnel, with its number for @i, its number from 1 on for @v, and the end of its addresses for
# @a.
each() {
	awk -v count="$peers" 'BEGIN {
		for (i = 0; i < count; i++)
			for (place = 1; place < ARGC; place++) {
				line = ARGV[place]
				gsub(/@i/, i, line)
				gsub(/@v/, i + 1, line)
				gsub(/@a/, int(i / 256) "." i % 256, line)
				print line
			}
	}' "$@"
}

# The near end of tunnel number i has the outer address 198.18.@a, so that the far end tells its peers apart by their addresses. All inner
# addresses of the far end, 10.128.@a, are its own by one route, and so are the outer ones of the near end.
outer=198.18
inner=10.128
source_address=10.127.0.1

# many_ends KIND NEAR FAR: make the tunnels, with these words after "type" at both ends, and a route to each.
many_ends() {
	each "link add $1@i type $2" "link set $1@i mtu $mtu up" "route add $inner.@a/32 dev $1@i src $source_address" |
		ip -n "$near" -batch - &&
	each "link add $1@i type $3" "link set $1@i mtu $mtu up" | ip -n "$far" -batch -
}

# many_ethernets KIND NEAR FAR: as many_ends, for devices with an Ethernet header.
many_ethernets() {
	each "link add $1@i address $near_hardware type $2" "link set $1@i mtu $mtu up" \
		"route add $inner.@a/32 dev $1@i src $source_address" \
		"neigh replace $inner.@a lladdr $far_hardware dev $1@i nud permanent" | ip -n "$near" -batch - &&
	each "link add $1@i address $far_hardware type $3" "link set $1@i mtu $mtu up" | ip -n "$far" -batch -
}

many_veth() {
	ip -n "$near" route add $inner.0.0/16 via $far_outer src $source_address
}

many_udptun() {
	many_ends udptun "udptun local $outer.@a remote $far_outer $options_udptun" \
		"udptun local $far_outer remote $outer.@a $options_udptun"
}

many_udptun_rust() {
	options=${options_udptun_rust#kind }
	many_ends udptun_rust "${options%% *} local $outer.@a remote $far_outer ${options#* }" \
		"${options%% *} local $far_outer remote $outer.@a ${options#* }"
}

many_vxlan() {
	options=${options_vxlan#id 1 }
	many_ethernets vxlan "vxlan id @v local $near_outer remote $far_outer $options" \
		"vxlan id @v local $far_outer remote $near_outer $options"
}

many_geneve() {
	options=${options_geneve#id 1 }
	many_ethernets geneve "geneve id @v remote $far_outer $options" "geneve id @v remote $near_outer $options"
}

many_geneve_l3() {
	options=${options_geneve_l3#id 2 }
	many_ends geneve_l3 "geneve id @v remote $far_outer $options" "geneve id @v remote $near_outer $options"
}

# bareudp is one device, whose routes say where a packet goes.
many_bareudp() {
	make_bareudp "$near" bareudp0 &&
	make_bareudp "$far" bareudp0 &&
	ip -n "$near" link set bareudp0 mtu $mtu up &&
	ip -n "$far" link set bareudp0 mtu $mtu up &&
	each "route add $inner.@a/32 dev bareudp0 src $source_address encap ip id 0 src $near_outer dst $far_outer ttl 64" |
		ip -n "$near" -batch -
}

many_fou() {
	ip -n "$near" fou add port 5555 ipproto 4 &&
	ip -n "$far" fou add port 5555 ipproto 4 &&
	many_ends fou "ipip local $outer.@a remote $far_outer $options_fou" "ipip local $far_outer remote $outer.@a $options_fou"
}

# room_for_neighbours: let the kernel keep a neighbour for each tunnel. With more than 1024 it would give up one for each new one.
room_for_neighbours() {
	for level in 1 2 3; do
		echo $((4 * peers + 1024)) >/proc/sys/net/ipv4/neigh/default/gc_thresh$level || return
	done
}

# many KIND: make as many tunnels as the variable peers says.
many() {
	defined "many_$1" || { echo "$1 is not measured with several peers" >&2; return 1; }
	room_for_neighbours &&
	ip -n "$near" address add $source_address/32 dev lo &&
	ip -n "$near" route add local $outer.0.0/16 dev lo &&
	ip -n "$far" route add local $inner.0.0/16 dev lo &&
	ip -n "$far" route add $outer.0.0/16 via $near_outer &&
	"many_$1"
}

# reason KIND: print the last error message, reworded if it comes from ip.
reason() {
	message=$(grep -v -e '^[[:space:]]*$' -e '^Command failed' "$errors" | tail -n 1)
	case $message in
	*"Unknown device type"* | *"not supported"* | *"No such device"*) echo "this kernel has no $1" ;;
	"") echo "setup failed without a message" ;;
	*) echo "$message" ;;
	esac
}

# insert DRIVER: load a driver of ours from the folder of this script.
insert() {
	modprobe -q -a udp_tunnel ip6_udp_tunnel
	insmod "$here/$1.ko"
}

# load KIND: load the modules that the kernel does not request itself. A driver of ours that is loaded stays.
load() {
	case $1 in
	udptun | udptun_rust) grep -q "^$1 " /proc/modules || modprobe -q "$1" || insert "$1" ;;
	fou) modprobe -q -a ipip fou ;;
	esac
}

# present_many KIND: set up the kind with many tunnels, and print its line.
present_many() {
	load "$1" >/dev/null 2>&1
	if ! many "$1" >/dev/null 2>"$errors"; then
		echo "absent $1 $(reason "$1")"
		return
	fi
	[ "$1" = veth ] && name=$underlay || name=${1}0
	echo "device $1:$name:$inner.0.0"
	[ "$1" = veth ] || eval "echo options $1 \"\$options_$1\""
}

# present KIND NUMBER: set up the kind and print its line.
present() {
	if [ -n "$peers" ]; then
		present_many "$1"
		return
	fi
	if [ "$1" = veth ]; then
		echo "device veth:$underlay:$far_outer"
		return
	fi
	load "$1" >/dev/null 2>&1
	if tunnel "$1" "$2" >/dev/null 2>"$errors"; then
		echo "device $1:${1}0:10.99.$2.2"
		eval "echo options $1 \"\$options_$1\""
	else
		echo "absent $1 $(reason "$1")"
		for namespace in "$near" "$far"; do
			ip -n "$namespace" link delete "${1}0" 2>/dev/null || : # it may not exist
		done
	fi
}

up() {
	missing=
	if ! ip -V 2>/dev/null | grep -q iproute2; then
		missing="ip of iproute2 is not installed"
	elif [ ! -d /proc/sys/net ]; then
		missing="this kernel has no network"
	elif ! bare_link >/dev/null 2>"$errors"; then
		missing=$(reason veth)
	fi
	number=0
	for kind; do
		number=$((number + 1))
		if [ -n "$missing" ]; then
			echo "absent $kind $missing"
		else
			present "$kind" $number
		fi
	done
}

# Deleting the namespaces also deletes their devices.
down() {
	for namespace in "$near" "$far"; do
		[ ! -e "/run/netns/$namespace" ] || ip netns delete "$namespace"
	done
}

errors=$(mktemp) || exit
trap 'rm -f "$errors"' EXIT
command=${1-}
[ $# -ge 2 ] || command=
[ -z "$command" ] || shift 2
case $command in
up) up "$@" ;;
down) down ;;
*)
	echo "usage: datapath.sh up MARK KIND... | down MARK" >&2
	exit 2
	;;
esac
