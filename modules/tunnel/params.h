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

struct udptun_params {
	sa_family_t family;
	__be16 local_port;
	__be16 remote_port;
	u8 ttl;
	u8 tos;
	u8 df;
	bool csum;
	bool zero_csum6_tx;
	bool zero_csum6_rx;
	bool flowlabel_inherit;
	__be32 flowlabel;
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

#endif /* _UDPTUN_PARAMS_H */
