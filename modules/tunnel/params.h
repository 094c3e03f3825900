/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses, ports and options of a tunnel, as validated. */
#ifndef _UDPTUN_PARAMS_H
#define _UDPTUN_PARAMS_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/socket.h>
#include <net/inet_ecn.h>
#include <net/ipv6.h>
#include <uapi/udptun.h>

#define UDPTUN_TTL_INHERIT	0
#define UDPTUN_TTL_DEFAULT	64
#define UDPTUN_TOS_INHERIT	1

union udptun_addr {
	__be32 v4;
	struct in6_addr v6;
};

/**
 * struct udptun_params - addresses, ports and options of a tunnel
 * @family: AF_INET or AF_INET6
 * @local_port: local port
 * @remote_port: the peer's port
 * @sport_min: first source port that the inner flow may select
 * @sport_max: last source port; 0: the source port is the local port
 * @ttl: TTL or hop limit, or UDPTUN_TTL_INHERIT
 * @tos: TOS or traffic class, or UDPTUN_TOS_INHERIT
 * @df: see &enum udptun_df
 * @csum: send over IPv4 with a checksum
 * @zero_csum6_tx: send over IPv6 without a checksum
 * @zero_csum6_rx: accept packets over IPv6 without a checksum
 * @flowlabel_inherit: inherit the flow label
 * @external: the metadata of each packet name its receiver; there is no peer
 * @flowlabel: flow label
 * @mark: mark of the outer packet
 * @mark_inherit: bits of the mark that are those of the inner packet; no bits of
 *	@mark
 * @link: index of the underlay, or 0
 * @local: local address
 * @remote: the peer's address
 */
struct udptun_params {
	sa_family_t family;
	__be16 local_port;
	__be16 remote_port;
	u16 sport_min;
	u16 sport_max;
	u8 ttl;
	u8 tos;
	u8 df;
	bool csum;
	bool zero_csum6_tx;
	bool zero_csum6_rx;
	bool flowlabel_inherit;
	bool external;
	__be32 flowlabel;
	u32 mark;
	u32 mark_inherit;
	int link;
	union udptun_addr local;
	union udptun_addr remote;
};

struct net;
struct netlink_ext_ack;
struct nlattr;

/**
 * udptun_params_read() - update the parameters from a netlink message
 * @params: the current parameters, or the defaults of a new device; undefined
 *	after an error
 * @is_new: the device is new: attributes without a default are mandatory
 * @net: network namespace of the tunnel's socket
 * @data: the attributes by &enum udptun_attr, validated against the policy
 * @extack: receives the reason for a rejection
 *
 * Checks all parameters, not only the attributes of the message.
 *
 * Context: Process context, under rtnl_lock().
 * Return: 0; -EINVAL, or -ENODEV if the underlay device does not exist.
 */
int udptun_params_read(struct udptun_params *params, bool is_new, struct net *net,
		       struct nlattr *data[], struct netlink_ext_ack *extack);

/* Return true if packets are sent with a UDP checksum. */
static inline bool udptun_params_csum(const struct udptun_params *params)
{
	return params->family == AF_INET ? params->csum : !params->zero_csum6_tx;
}

/* Return true if a packet's source address and port are those of the peer. */
static inline bool udptun_params_match4(const struct udptun_params *params,
					__be32 remote, __be16 remote_port)
{
	return params->remote.v4 == remote && params->remote_port == remote_port;
}

static inline bool udptun_params_match6(const struct udptun_params *params,
					const struct in6_addr *remote,
					__be16 remote_port)
{
	return ipv6_addr_equal(&params->remote.v6, remote) &&
	       params->remote_port == remote_port;
}

/* Return true if a port is in the range of source ports. */
static inline bool udptun_params_in_range(const struct udptun_params *params,
					  __be16 port)
{
	return ntohs(port) >= params->sport_min &&
	       ntohs(port) <= params->sport_max;
}

#endif /* _UDPTUN_PARAMS_H */
