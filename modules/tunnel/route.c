// SPDX-License-Identifier: GPL-2.0
/* Routes to peers, and their cache. */

#include <net/dst_cache.h>
#include <net/inet_dscp.h>
#include <net/ip6_route.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include <net/route.h>

#include <dsbench/compat.h>

#include "route.h"
#include "tunnel.h"

/* All flows share the cached route: rules cannot match a source port of the range. */
static __be16 udptun_route_sport(const struct udptun_params *params)
{
	return params->sport_max ? 0 : params->local_port;
}

static struct dst_entry *udptun_route_lookup4(struct net *net,
					      const struct udptun_params *params,
					      u8 dsfield, u32 mark)
{
	struct flowi4 fl4;
	struct rtable *rt;

	ip_tunnel_init_flow(&fl4, IPPROTO_UDP, params->remote.v4, params->local.v4, 0,
			    dsfield & INET_DSCP_MASK, net, params->link, mark, 0,
			    0);
	fl4.fl4_sport = udptun_route_sport(params);
	fl4.fl4_dport = params->remote_port;

	rt = ip_route_output_key(net, &fl4);
	return IS_ERR(rt) ? ERR_CAST(rt) : &rt->dst;
}

#if IS_ENABLED(CONFIG_IPV6)
static struct dst_entry *udptun_route_lookup6(struct net *net, const struct sock *sk,
					      const struct udptun_params *params,
					      u8 dsfield, u32 mark)
{
	struct flowi6 fl6 = {
		.flowi6_proto = IPPROTO_UDP,
		.flowi6_oif = params->link,
		.flowi6_mark = mark,
		.daddr = params->remote.v6,
		.saddr = params->local.v6,
		.fl6_sport = udptun_route_sport(params),
		.fl6_dport = params->remote_port,
		.flowlabel = ip6_make_flowinfo(dsfield & INET_DSCP_MASK,
					       params->flowlabel),
	};

	return ip6_dst_lookup_flow(net, sk, &fl6, NULL);
}
#else
static struct dst_entry *udptun_route_lookup6(struct net *net, const struct sock *sk,
					      const struct udptun_params *params,
					      u8 dsfield, u32 mark)
{
	return ERR_PTR(-EAFNOSUPPORT);
}
#endif

/**
 * udptun_route_lookup() - look up the route to a peer, bypassing the cache
 * @net: network namespace of the socket
 * @sk: socket, or NULL
 * @params: the addresses and ports
 * @dsfield: TOS or traffic class of the packet
 * @mark: mark of the packet
 *
 * Return: a reference to the route, or an error pointer.
 */
struct dst_entry *udptun_route_lookup(struct net *net, const struct sock *sk,
				      const struct udptun_params *params,
				      u8 dsfield, u32 mark)
{
	if (params->family == AF_INET)
		return udptun_route_lookup4(net, params, dsfield, mark);
	return udptun_route_lookup6(net, sk, params, dsfield, mark);
}

/*
 * Return true if the route is valid during its generation of IPv4 routes, and if its MTU
 * is that of the device until a path MTU is learned.
 */
static bool udptun_route_is_plain(const struct dst_entry *dst)
{
	return dst->ops->family == AF_INET && !dst_xfrm(dst) &&
	       !(dst->flags & DST_XFRM_QUEUE) && !dst->lwtstate &&
	       !dst_metric_raw(dst, RTAX_MTU) &&
	       !dst_metric_locked(dst, RTAX_MTU);
}

/* Initialise a route. Consumes the reference to @dst. */
static void udptun_route_init(struct udptun_route *route, struct dst_entry *dst)
{
	const struct rtable *rt4 = container_of(dst, struct rtable, dst);
	sa_family_t family = dst->ops->family;

	*route = (struct udptun_route) {
		.dst = dst,
		.genid = family == AF_INET ? rt4->rt_genid : 0,
		.headroom = LL_RESERVED_SPACE(DSBENCH_DST_DEV(dst)) +
			    dst->header_len + udptun_overhead(family),
		.is_plain = udptun_route_is_plain(dst),
	};
#if IS_ENABLED(CONFIG_IPV6)
	if (family == AF_INET6)
		route->cookie = rt6_get_cookie(container_of(dst, struct rt6_info, dst));
#endif
}

/*
 * Replace the cached route. Packets that still use the old one do so under RCU, and
 * the kernel frees a route only after a grace period.
 */
static void udptun_route_replace(struct udptun_conf *conf, struct udptun_route *route)
{
	struct udptun_route *old;

	/* Several CPUs may replace it at the same time. */
	old = unrcu_pointer(xchg(&conf->route, RCU_INITIALIZER(route)));
	if (old) {
		dst_release(old->dst);
		kfree_rcu(old, rcu);
	}
}

/**
 * udptun_route_drop() - drop the cached route
 * @conf: a configuration that no packet uses any more
 */
void udptun_route_drop(struct udptun_conf *conf)
{
	udptun_route_replace(conf, NULL);
}

/*
 * Reserve the headroom that the device of a new route needs, so that packets are
 * not copied. The headroom never shrinks: routes may alternate.
 */
static void udptun_route_adapt_headroom(struct net_device *dev,
					const struct udptun_route *route)
{
	unsigned int headroom = min(route->headroom, UDPTUN_MAX_HEADROOM);

	if (headroom > READ_ONCE(dev->needed_headroom))
		WRITE_ONCE(dev->needed_headroom, headroom);
}

/* A mark has a meaning only in its own namespace. */
static u32 udptun_route_inherited(const struct udptun_device *tun, u32 inherited)
{
	if (unlikely(inherited) && !net_eq(tun->net, dev_net(tun->dev)))
		return 0;
	return inherited;
}

/* Look up the route of a packet. Return 0 or an error. */
static int udptun_route_create(struct udptun_route *route, const struct udptun_conf *conf,
			       u8 dsfield, u32 inherited)
{
	const struct udptun_device *tun = conf->tun;
	struct dst_entry *dst;

	dst = udptun_route_lookup(tun->net, conf->sk, &conf->params, dsfield,
				  inherited | conf->params.mark);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	if (DSBENCH_DST_DEV(dst) == tun->dev) {
		dst_release(dst);
		return -ELOOP;
	}
	udptun_route_init(route, dst);
	udptun_route_adapt_headroom(tun->dev, route);
	return 0;
}

/**
 * udptun_route_look_up() - look up the route of a packet to be sent, and cache it
 * @conf: the configuration of the sending device
 * @dsfield: TOS or traffic class of the packet
 * @inherited: bits of the inner packet's mark that the packet inherits; ignored if
 *	the device has left the namespace of the socket
 * @own: receives a route that cannot be cached; the caller releases its dst
 *
 * Context: BH is disabled, RCU is held.
 * Return: the cached route, @own, or an error pointer; -ELOOP if the route leads into
 * the tunnel itself.
 */
const struct udptun_route *udptun_route_look_up(struct udptun_conf *conf, u8 dsfield,
						u32 inherited, struct udptun_route *own)
{
	const struct udptun_route *route;
	struct udptun_route *cached;
	bool cacheable;
	int err;

	inherited = udptun_route_inherited(conf->tun, inherited);
	route = udptun_route_cached(conf, dsfield, inherited);
	if (route)
		return route;
	cacheable = udptun_route_is_cacheable(&conf->params, dsfield, inherited);
	/* The cached route, if there is one, is invalid. */
	if (cacheable)
		udptun_route_replace(conf, NULL);
	err = udptun_route_create(own, conf, dsfield, inherited);
	if (err)
		return ERR_PTR(err);
	if (!cacheable)
		return own;

	cached = kmemdup(own, sizeof(*own), GFP_ATOMIC);
	if (!cached)
		return own;
	udptun_route_replace(conf, cached);
	return cached;
}

/* Return the route in the cache of the metadata, if it is for our local address. */
static struct dst_entry *udptun_route_of_metadata(const struct udptun_params *params,
						  struct dst_cache *cache)
{
	union udptun_addr source = { };
	struct dst_entry *dst = NULL;
	struct rtable *rt;

	if (params->family == AF_INET) {
		rt = dst_cache_get_ip4(cache, &source.v4);
		dst = rt ? &rt->dst : NULL;
	}
#if IS_ENABLED(CONFIG_IPV6)
	else
		dst = dst_cache_get_ip6(cache, &source.v6);
#endif
	if (!dst || !memcmp(&source, &params->local, sizeof(source)))
		return dst;
	dst_release(dst);
	return NULL;
}

static void udptun_route_cache(struct dst_cache *cache, struct dst_entry *dst,
			       const struct udptun_params *params)
{
	if (params->family == AF_INET)
		dst_cache_set_ip4(cache, dst, params->local.v4);
#if IS_ENABLED(CONFIG_IPV6)
	else
		dst_cache_set_ip6(cache, dst, &params->local.v6);
#endif
}

/**
 * udptun_route_look_up_external() - get the route of a packet of an external tunnel
 * @once: the configuration of the packet, by udptun_external_conf()
 * @dsfield: TOS or traffic class of the packet
 * @inherited: as of udptun_route_look_up()
 * @own: receives the route; the caller releases its dst
 *
 * Several external tunnels may send by the same metadata, which have one cache.
 *
 * Context: BH is disabled, RCU is held.
 * Return: @own, or as udptun_route_look_up().
 */
const struct udptun_route *udptun_route_look_up_external(struct udptun_conf *once,
							 u8 dsfield, u32 inherited,
							 struct udptun_route *own)
{
	struct dst_entry *dst = NULL;
	int err;

	if (once->dst_cache)
		dst = udptun_route_of_metadata(&once->params, once->dst_cache);
	if (dst) {
		udptun_route_init(own, dst);
		return own;
	}
	inherited = udptun_route_inherited(once->tun, inherited);
	err = udptun_route_create(own, once, dsfield, inherited);
	if (err)
		return ERR_PTR(err);
	if (once->dst_cache)
		udptun_route_cache(once->dst_cache, own->dst, &once->params);
	return own;
}
