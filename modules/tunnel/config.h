/* SPDX-License-Identifier: GPL-2.0 */
/* The validated configuration of a tunnel. */
#ifndef _UDPTUN_CONFIG_H
#define _UDPTUN_CONFIG_H

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

struct udptun_config {
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
 * udptun_config_read() - update a configuration from a netlink message
 * @cfg: the current configuration, or the defaults of a new device; undefined
 *	after an error
 * @is_new: the device is new: attributes without a default are mandatory
 * @net: network namespace of the tunnel's socket
 * @data: the attributes by &enum udptun_attr, validated against the policy
 * @extack: receives the reason for a rejection
 *
 * Checks the whole configuration, not only the attributes of the message.
 *
 * Context: Process context, under rtnl_lock().
 * Return: 0; -EINVAL, or -ENODEV if the underlay device does not exist.
 */
int udptun_config_read(struct udptun_config *cfg, bool is_new, struct net *net,
		       struct nlattr *data[], struct netlink_ext_ack *extack);

/* Return true if packets are sent with a UDP checksum. */
static inline bool udptun_config_csum(const struct udptun_config *cfg)
{
	return cfg->family == AF_INET ? cfg->csum : !cfg->zero_csum6_tx;
}

/* Return true if a packet's addresses and source port are those of the peer. */
static inline bool udptun_config_match4(const struct udptun_config *cfg,
					__be32 local, __be32 remote,
					__be16 remote_port)
{
	return cfg->remote.v4 == remote && cfg->remote_port == remote_port &&
	       cfg->local.v4 == local;
}

static inline bool udptun_config_match6(const struct udptun_config *cfg,
					const struct in6_addr *local,
					const struct in6_addr *remote,
					__be16 remote_port)
{
	return ipv6_addr_equal(&cfg->remote.v6, remote) &&
	       cfg->remote_port == remote_port &&
	       ipv6_addr_equal(&cfg->local.v6, local);
}

#endif /* _UDPTUN_CONFIG_H */
