/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The user space interface of udptun.ko: rtnetlink devices of kind "udptun",
 * layer 3 tunnels in UDP between two configured peers, or to the peers that the
 * metadata of each packet name. Devices of kind "udptun_rust", by udptun_rust.ko,
 * have the same attributes.
 */
#ifndef _UAPI_UDPTUN_H
#define _UAPI_UDPTUN_H

#include <linux/types.h>

#define UDPTUN_KIND		"udptun"
#define UDPTUN_RUST_KIND	"udptun_rust"

/**
 * enum udptun_attr - attributes in IFLA_INFO_DATA of a udptun device
 *
 * A new device needs a local and a remote address, both of the same family,
 * and a local port. All attributes may be changed later, except for the family
 * and the mode, @IFLA_UDPTUN_EXTERNAL.
 * Attributes that are not given keep their values. The kernel reports all
 * attributes that apply to the family. The socket stays in the network namespace
 * where the device is created (IFLA_LINK_NETNSID), even if the device moves to
 * another one.
 *
 * @IFLA_UDPTUN_UNSPEC: not used
 * @IFLA_UDPTUN_LOCAL: __be32, local IPv4 address of the outer header
 * @IFLA_UDPTUN_LOCAL6: struct in6_addr, local IPv6 address
 * @IFLA_UDPTUN_REMOTE: __be32, the peer's IPv4 address; packets from other
 *	addresses are dropped. Whoever can forge the address gets in
 * @IFLA_UDPTUN_REMOTE6: struct in6_addr, the peer's IPv6 address
 * @IFLA_UDPTUN_LOCAL_PORT: __be16, local UDP port, taken on the local address
 *	and the underlay device only; tunnels with different peers may share it
 * @IFLA_UDPTUN_REMOTE_PORT: __be16, the peer's UDP port; packets from other
 *	ports are dropped; default for a new device: the local port
 * @IFLA_UDPTUN_TTL: __u8, TTL or hop limit of the outer header; 0: inherit from
 *	the inner header; default 64
 * @IFLA_UDPTUN_TOS: __u8, TOS or traffic class of the outer header, a multiple
 *	of 4: the two ECN bits are always copied from the inner header, with
 *	ECT(0) instead of CE (RFC 3168, 9.1.1); 1: inherit from the inner header;
 *	default 0
 * @IFLA_UDPTUN_FLOWLABEL: __be32, IPv6 flow label, 0 to 0xfffff; default 0
 * @IFLA_UDPTUN_UDP_CSUM: __u8, 1: send over IPv4 with a checksum; default 0
 * @IFLA_UDPTUN_UDP_ZERO_CSUM6_TX: __u8, 1: send over IPv6 without a checksum;
 *	default 0
 * @IFLA_UDPTUN_UDP_ZERO_CSUM6_RX: __u8, 1: accept packets over IPv6 without
 *	a checksum; default 0
 * @IFLA_UDPTUN_LINK: __u32, index of the underlay device: packets are sent and
 *	accepted only through this device, and the tunnel is deleted with it; a
 *	VRF stands for all devices in it; 0, the default: the routes select the
 *	device
 * @IFLA_UDPTUN_DF: __u8, see &enum udptun_df
 * @IFLA_UDPTUN_FLOWLABEL_INHERIT: __u8, 1: inherit the flow label of an inner
 *	IPv6 packet, 0 for an inner IPv4 packet; default 0
 * @IFLA_UDPTUN_PORT_RANGE: struct udptun_port_range, the inner flow selects the
 *	source port from this range, and the peer does the same: packets from any
 *	port of the range are accepted. Packets are sent to @IFLA_UDPTUN_REMOTE_PORT
 *	as before, which must be the local port, too, so that ICMP errors find the
 *	tunnel. A flow label of 0 is replaced by one that the inner flow selects,
 *	unless it is inherited (net.ipv6.auto_flowlabels=0 disables that). Both
 *	limits 0, the default: the source port is the local port
 * @IFLA_UDPTUN_FWMARK: __u32, mark of the encapsulated packets, by which routing
 *	rules and filters select them
 * @IFLA_UDPTUN_FWMASK: __u32, bits that @IFLA_UDPTUN_FWMARK sets or clears; the
 *	others are those of the inner packet, or 0 if the device is not in the
 *	network namespace of the socket. All bits if only the mark is given; 0, the
 *	default: the mark is inherited
 * @IFLA_UDPTUN_EXTERNAL: __u8, 1: an external tunnel. The metadata of each packet
 *	name its receiver: of a route (ip route ... encap ip), of tc (tunnel_key), of
 *	BPF, or of a flow of openvswitch.ko. The tunnel has no remote address. Fields
 *	of the metadata that are 0, and flags that are not set, take the values of the
 *	attributes here. A packet without metadata, or for another local address, is
 *	dropped. Every packet to the local address and port that is from no configured
 *	peer of another tunnel is received, with metadata for tc, BPF and
 *	openvswitch.ko. Only one tunnel of a local address, port and underlay can be
 *	external. Cannot be changed; default 0
 * @IFLA_UDPTUN_LINK_IS_FOREIGN: __u8, read-only, 1: the device has moved to another
 *	network namespace, and @IFLA_UDPTUN_LINK is an index in that of the socket,
 *	which IFLA_LINK_NETNSID identifies
 * @__IFLA_UDPTUN_MAX: last attribute plus one
 */
enum udptun_attr {
	IFLA_UDPTUN_UNSPEC,
	IFLA_UDPTUN_LOCAL,
	IFLA_UDPTUN_LOCAL6,
	IFLA_UDPTUN_REMOTE,
	IFLA_UDPTUN_REMOTE6,
	IFLA_UDPTUN_LOCAL_PORT,
	IFLA_UDPTUN_REMOTE_PORT,
	IFLA_UDPTUN_TTL,
	IFLA_UDPTUN_TOS,
	IFLA_UDPTUN_FLOWLABEL,
	IFLA_UDPTUN_UDP_CSUM,
	IFLA_UDPTUN_UDP_ZERO_CSUM6_TX,
	IFLA_UDPTUN_UDP_ZERO_CSUM6_RX,
	IFLA_UDPTUN_LINK,
	IFLA_UDPTUN_DF,
	IFLA_UDPTUN_FLOWLABEL_INHERIT,
	IFLA_UDPTUN_PORT_RANGE,
	IFLA_UDPTUN_FWMARK,
	IFLA_UDPTUN_FWMASK,
	IFLA_UDPTUN_EXTERNAL,
	IFLA_UDPTUN_LINK_IS_FOREIGN,
	__IFLA_UDPTUN_MAX
};

#define IFLA_UDPTUN_MAX	(__IFLA_UDPTUN_MAX - 1)

/**
 * struct udptun_port_range - range of UDP ports
 * @low: first port, 1 or more; 0: no range
 * @high: last port, @low or more; 0: no range
 */
struct udptun_port_range {
	__be16 low;
	__be16 high;
};

/**
 * struct udptun_xstats - counters in IFLA_INFO_XSTATS of a udptun device
 * @rx_stranger: packets to the local address and port, through the underlay if
 *	there is one, from anyone but the configured peers. Tunnels that share
 *	all three share the counter, which starts at 0 when one of them changes
 */
struct udptun_xstats {
	__u64 rx_stranger;
};

/**
 * enum udptun_df - whether the encapsulated packets may be fragmented
 *
 * A packet that must not be fragmented and is too large for the path is dropped,
 * and an ICMP error is sent to its sender, even if the inner packet itself may be
 * fragmented. An IPv6 sender need not go below 1280 bytes: on a narrower path,
 * encapsulated packets of an inner IPv6 packet up to that size are fragmented in
 * any case. Over IPv6, the host fragments, not the routers; the same choice
 * applies.
 *
 * @UDPTUN_DF_UNSET: fragmentation is permitted
 * @UDPTUN_DF_SET: fragmentation is forbidden
 * @UDPTUN_DF_INHERIT: copy the DF bit of an inner IPv4 packet; forbid
 *	fragmentation of an inner IPv6 packet; default
 * @__UDPTUN_DF_MAX: last value plus one
 */
enum udptun_df {
	UDPTUN_DF_UNSET,
	UDPTUN_DF_SET,
	UDPTUN_DF_INHERIT,
	__UDPTUN_DF_MAX
};

#define UDPTUN_DF_MAX	(__UDPTUN_DF_MAX - 1)

#endif /* _UAPI_UDPTUN_H */
