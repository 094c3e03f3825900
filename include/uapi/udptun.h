/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What user space says to udptun.ko: rtnetlink devices of kind "udptun",
 * layer 3 tunnels in UDP between two configured peers.
 */
#ifndef _UAPI_UDPTUN_H
#define _UAPI_UDPTUN_H

#define UDPTUN_KIND	"udptun"

/**
 * enum udptun_attr - attributes in IFLA_INFO_DATA of a udptun device
 *
 * A new device needs a local and a remote address, both of the same family,
 * and a local port. Everything may be changed later, but for the family, and
 * whatever is not given stays as it is. The kernel reports all that belongs to
 * the family. The socket lies in the network namespace where the device is
 * made (IFLA_LINK_NETNSID), also when the device moves to another one.
 *
 * @IFLA_UDPTUN_UNSPEC: not used
 * @IFLA_UDPTUN_LOCAL: __be32, own IPv4 address of the encapsulated packets
 * @IFLA_UDPTUN_LOCAL6: struct in6_addr, own IPv6 address
 * @IFLA_UDPTUN_REMOTE: __be32, the peer's IPv4 address; a packet from any other
 *	address is dropped
 * @IFLA_UDPTUN_REMOTE6: struct in6_addr, the peer's IPv6 address
 * @IFLA_UDPTUN_LOCAL_PORT: __be16, own UDP port; tunnels whose peers differ may
 *	share it
 * @IFLA_UDPTUN_REMOTE_PORT: __be16, the peer's UDP port; a packet from any other
 *	port is dropped; as the local port when it is not given to a new device
 * @IFLA_UDPTUN_TTL: __u8, TTL or hop limit of the encapsulated packets; 0: as
 *	in the packet inside; 64 when it is not given to a new device
 * @IFLA_UDPTUN_TOS: __u8, TOS or traffic class, a multiple of 4 because its two
 *	ECN bits are those of the packet inside, but ECT(0) for CE, as RFC 3168,
 *	9.1.1, has it; 1: as in the packet inside; default 0
 * @IFLA_UDPTUN_FLOWLABEL: __be32, IPv6 flow label, 0 to 0xfffff; default 0
 * @IFLA_UDPTUN_UDP_CSUM: __u8, 1: checksum what is sent over IPv4; default 0
 * @IFLA_UDPTUN_UDP_ZERO_CSUM6_TX: __u8, 1: send over IPv6 without a checksum;
 *	default 0
 * @IFLA_UDPTUN_UDP_ZERO_CSUM6_RX: __u8, 1: accept packets over IPv6 that have
 *	no checksum; default 0
 * @IFLA_UDPTUN_LINK: __u32, index of the device that carries the tunnel:
 *	packets go out there, and are accepted from there alone; its end is the
 *	tunnel's; 0, the default: as the routes say. What ICMP says of the path's
 *	MTU is heard only where the routes, too, lead out there
 * @IFLA_UDPTUN_DF: __u8, see &enum udptun_df
 * @IFLA_UDPTUN_FLOWLABEL_INHERIT: __u8, 1: the flow label as in the IPv6 packet
 *	inside, 0 for an IPv4 packet; default 0
 * @__IFLA_UDPTUN_MAX: one beyond the last attribute
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
	__IFLA_UDPTUN_MAX
};

#define IFLA_UDPTUN_MAX	(__IFLA_UDPTUN_MAX - 1)

/**
 * enum udptun_df - whether routers may fragment the encapsulated packets
 *
 * A packet that must not be fragmented, and is too large for the path, is
 * dropped, and its sender is told by ICMP. Fragments of IPv6 are made by the
 * host, not by routers: they follow the same choice.
 *
 * @UDPTUN_DF_UNSET: always
 * @UDPTUN_DF_SET: never
 * @UDPTUN_DF_INHERIT: as the packet inside says, IPv6 being never; default
 * @__UDPTUN_DF_MAX: one beyond the last
 */
enum udptun_df {
	UDPTUN_DF_UNSET,
	UDPTUN_DF_SET,
	UDPTUN_DF_INHERIT,
	__UDPTUN_DF_MAX
};

#define UDPTUN_DF_MAX	(__UDPTUN_DF_MAX - 1)

#endif /* _UAPI_UDPTUN_H */
