/* SPDX-License-Identifier: GPL-2.0 */
/* Routes to peers. */
#ifndef _UDPTUN_ROUTE_H
#define _UDPTUN_ROUTE_H

#include <linux/rcupdate.h>
#include <net/dst.h>
#include <net/inet_dscp.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <net/route.h>

#include <dsbench/compat.h>

#include "tunnel.h"

/**
 * struct udptun_route - a route to a peer, and what each packet needs of it
 * @dst: the route, held
 * @cookie: shows whether an IPv6 route is still valid
 * @genid: generation of the IPv4 routes that it belongs to
 * @headroom: bytes before the inner header that its device and the outer headers need
 * @is_plain: an IPv4 route without IPsec, encapsulation and metrics of the MTU: valid
 *	during its generation, and its MTU is that of the device until a path MTU is
 *	learned
 * @rcu: frees a cached route that another one has replaced
 *
 * A cached route is immutable. Packets use it under RCU, without a reference, as
 * those of TCP sockets do: what keeps a packet for longer calls skb_dst_force().
 */
struct udptun_route {
	struct dst_entry *dst;
	u32 cookie;
	int genid;
	unsigned int headroom;
	bool is_plain;
	struct rcu_head rcu;
};

struct dst_entry *udptun_route_lookup(struct net *net, const struct sock *sk,
				      const struct udptun_params *params,
				      u8 dsfield, u32 mark);
typedef const struct udptun_route *(*udptun_route_look_up_t)(struct udptun_conf *conf,
							     u8 dsfield, u32 inherited,
							     struct udptun_route *own);

const struct udptun_route *udptun_route_look_up(struct udptun_conf *conf, u8 dsfield,
						u32 inherited, struct udptun_route *own);
const struct udptun_route *udptun_route_look_up_external(struct udptun_conf *once,
							 u8 dsfield, u32 inherited,
							 struct udptun_route *own);
void udptun_route_drop(struct udptun_conf *conf);

/* The cache holds the route of packets that inherit neither a mark nor a DSCP. */
static inline bool udptun_route_is_cacheable(const struct udptun_params *params,
					     u8 dsfield, u32 inherited)
{
	return !inherited && (params->tos != UDPTUN_TOS_INHERIT ||
			      !(dsfield & INET_DSCP_MASK));
}

/* Return true if a cached route may still be used, like dst_check(). */
static inline bool udptun_route_is_valid(const struct udptun_route *route,
					 const struct net *net)
{
	if (likely(route->is_plain))
		return READ_ONCE(route->dst->obsolete) == DST_OBSOLETE_FORCE_CHK &&
		       route->genid == rt_genid_ipv4(net);
	return dst_check(route->dst, route->cookie);
}

/**
 * udptun_route_cached() - return the cached route, if it is for a packet to be sent
 * @conf: the configuration of the sending device
 * @dsfield: as of udptun_route_look_up()
 * @inherited: as of udptun_route_look_up()
 *
 * Context: BH is disabled, RCU is held.
 * Return: the route or NULL.
 */
static __always_inline const struct udptun_route *
udptun_route_cached(const struct udptun_conf *conf, u8 dsfield, u32 inherited)
{
	const struct udptun_route *route = rcu_dereference_bh(conf->route);

	if (likely(route &&
		   udptun_route_is_cacheable(&conf->params, dsfield, inherited) &&
		   udptun_route_is_valid(route, conf->tun->net)))
		return route;
	return NULL;
}

/* Return the path MTU of a route. Clear @df if the MTU is locked: packets are fragmented. */
static __always_inline unsigned int udptun_route_mtu(const struct udptun_route *route,
						     bool *df)
{
	const struct dst_entry *dst = route->dst;
	const struct rtable *rt4 = container_of(dst, struct rtable, dst);

	if (likely(route->is_plain && !rt4->rt_pmtu && !rt4->rt_mtu_locked))
		return min(READ_ONCE(DSBENCH_DST_DEV(dst)->mtu), IP_MAX_MTU);
	if (dst->ops->family == AF_INET && ip_mtu_locked(dst))
		*df = false;
	return dst_mtu(dst);
}

#endif /* _UDPTUN_ROUTE_H */
