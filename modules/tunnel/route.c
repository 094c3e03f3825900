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

/* The cached route is for all flows: no rule for a source port of the range applies. */
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
 * Reserve the headroom that the device of a new route needs, so that packets are
 * not copied. The headroom never shrinks: routes may alternate.
 */
static void udptun_route_adapt_headroom(struct udptun_conf *conf,
					const struct dst_entry *dst)
{
	unsigned int headroom = LL_RESERVED_SPACE(DSBENCH_DST_DEV(dst)) +
				dst->header_len +
				udptun_overhead(conf->params.family);
	struct net_device *dev = conf->tun->dev;

	headroom = min(headroom, UDPTUN_MAX_HEADROOM);
	if (headroom > READ_ONCE(dev->needed_headroom))
		WRITE_ONCE(dev->needed_headroom, headroom);
}

/* The cache holds the route of packets that inherit neither a mark nor a DSCP. */
static bool udptun_route_is_cacheable(const struct udptun_params *params,
				      u8 dsfield, u32 inherited)
{
	return !inherited && (params->tos != UDPTUN_TOS_INHERIT ||
			 !(dsfield & INET_DSCP_MASK));
}

static void udptun_route_cache(struct udptun_conf *conf, struct dst_entry *dst)
{
	if (conf->params.family == AF_INET)
		dst_cache_set_ip4(&conf->dst_cache, dst, conf->params.local.v4);
#if IS_ENABLED(CONFIG_IPV6)
	else
		dst_cache_set_ip6(&conf->dst_cache, dst, &conf->params.local.v6);
#endif
}

/* A mark has a meaning only in its own namespace. */
static u32 udptun_route_inherited(const struct udptun_device *tun, u32 inherited)
{
	if (unlikely(inherited) && !net_eq(tun->net, dev_net(tun->dev)))
		return 0;
	return inherited;
}

static struct dst_entry *udptun_route_find(struct udptun_conf *conf, u8 dsfield,
					   u32 inherited, bool cacheable)
{
	const struct udptun_device *tun = conf->tun;
	struct dst_entry *dst;

	dst = udptun_route_lookup(tun->net, conf->sk, &conf->params, dsfield,
				  inherited | conf->params.mark);
	if (IS_ERR(dst))
		return dst;
	if (DSBENCH_DST_DEV(dst) == tun->dev) {
		dst_release(dst);
		return ERR_PTR(-ELOOP);
	}
	udptun_route_adapt_headroom(conf, dst);
	if (cacheable)
		udptun_route_cache(conf, dst);
	return dst;
}

/**
 * udptun_route() - get the route of a packet to be sent
 * @conf: the configuration of the sending device
 * @dsfield: TOS or traffic class of the packet
 * @inherited: bits of the inner packet's mark that the packet inherits; ignored if
 *	the device has left the namespace of the socket
 *
 * Context: BH is disabled.
 * Return: a reference to the route, or an error pointer; -ELOOP if the route
 * leads into the tunnel itself.
 */
struct dst_entry *udptun_route(struct udptun_conf *conf, u8 dsfield, u32 inherited)
{
	struct dst_entry *dst;
	bool cacheable;

	inherited = udptun_route_inherited(conf->tun, inherited);
	cacheable = udptun_route_is_cacheable(&conf->params, dsfield, inherited);
	if (likely(cacheable)) {
		dst = dst_cache_get(&conf->dst_cache);
		if (likely(dst))
			return dst;
	}
	return udptun_route_find(conf, dsfield, inherited, cacheable);
}

/* Return the route in the cache of the metadata, if it is for our local address. */
static struct dst_entry *udptun_route_cached(struct udptun_conf *once)
{
	union udptun_addr source = { };
	struct dst_entry *dst = NULL;
	struct rtable *rt;

	if (once->params.family == AF_INET) {
		rt = dst_cache_get_ip4(&once->dst_cache, &source.v4);
		dst = rt ? &rt->dst : NULL;
	}
#if IS_ENABLED(CONFIG_IPV6)
	else
		dst = dst_cache_get_ip6(&once->dst_cache, &source.v6);
#endif
	if (!dst || !memcmp(&source, &once->params.local, sizeof(source)))
		return dst;
	dst_release(dst);
	return NULL;
}

/**
 * udptun_route_external() - get the route of a packet of an external tunnel
 * @once: the configuration of the packet, by udptun_external_conf()
 * @dsfield: TOS or traffic class of the packet
 * @inherited: as of udptun_route()
 *
 * Several external tunnels may send by the same metadata, which have one cache.
 *
 * Context: BH is disabled.
 * Return: as udptun_route().
 */
struct dst_entry *udptun_route_external(struct udptun_conf *once, u8 dsfield,
					u32 inherited)
{
	bool cacheable = once->dst_cache.cache;
	struct dst_entry *dst;

	inherited = udptun_route_inherited(once->tun, inherited);
	if (cacheable) {
		dst = udptun_route_cached(once);
		if (dst)
			return dst;
	}
	return udptun_route_find(once, dsfield, inherited, cacheable);
}
