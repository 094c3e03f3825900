// SPDX-License-Identifier: GPL-2.0
/* Transmit: report packets too large for the path, encapsulate, send. */

#include <linux/icmpv6.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/icmp.h>
#include <net/ip6_checksum.h>
#include <net/ip_tunnels.h>
#include <net/udp_tunnel.h>

#include <dsbench/compat.h>
#include <dsbench/local_out.h>

#include "external.h"
#include "route.h"
#include "send.h"
#include "tunnel.h"

/*
 * Ends loops through several devices before the kernel stack overflows. The core
 * and the tunnel each count a level: 5 permits three tunnels, as in ip_tunnel.c.
 */
#define MAX_RECURSION	5

static inline bool udptun_fits(const struct sk_buff *skb, unsigned int mtu)
{
	if (skb_is_gso(skb))
		return skb_gso_validate_network_len(skb, mtu);
	return skb->len <= mtu;
}

/*
 * Report the path MTU to the sender, local or remote. Tell a remote sender even if it
 * permits fragmentation: forwarding ignores the path MTU, so its packets would come
 * here again, and the tunnel must not fragment them.
 */
static noinline void udptun_report_mtu(struct sk_buff *skb, unsigned int mtu)
{
	skb_dst_update_pmtu_no_confirm(skb, mtu);
	if (skb->protocol == htons(ETH_P_IPV6)) {
		if (ipv6_mod_enabled())
			icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	} else {
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
			      htonl(mtu));
	}
}

/*
 * Return true if a packet that must not be fragmented fits the path; else report
 * the path MTU. An IPv6 sender need not go below IPV6_MIN_MTU: packets up to
 * that size are sent with fragmentation of the outer packet permitted.
 */
static __always_inline bool
udptun_check_mtu(struct sk_buff *skb, const struct udptun_route *route,
		 unsigned int overhead, struct udptun_ip_fields *outer)
{
	unsigned int mtu = udptun_route_mtu(route, &outer->df) - overhead;

	if (likely(udptun_fits(skb, mtu)))
		return true;
	if (skb->protocol == htons(ETH_P_IPV6) && mtu < IPV6_MIN_MTU) {
		mtu = IPV6_MIN_MTU;
		if (udptun_fits(skb, mtu)) {
			outer->df = false;
			return true;
		}
	}
	udptun_report_mtu(skb, mtu);
	return false;
}

/* udp_tunnel_handle_offloads() without a call, for most packets. */
static __always_inline int udptun_handle_offloads(struct sk_buff *skb, bool csum)
{
	if (unlikely(skb_is_gso(skb) || skb->encapsulation))
		return udp_tunnel_handle_offloads(skb, csum);
	skb_reset_inner_headers(skb);
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		skb->encapsulation = 1;
	else
		skb->ip_summed = CHECKSUM_NONE;
	return 0;
}

/* Prepare skb for the outer headers. It uses the route under RCU, without a reference. */
static __always_inline int
udptun_prepare(struct sk_buff *skb, const struct udptun_route *route,
	       const struct udptun_conf *conf)
{
	bool xnet = !net_eq(conf->tun->net, dev_net(conf->tun->dev));
	int err;

	err = skb_cow_head(skb, route->headroom);
	if (unlikely(err))
		return err;
	err = udptun_handle_offloads(skb, conf->csum);
	if (unlikely(err))
		return err;

	skb_set_inner_protocol(skb, skb->protocol);
	skb_scrub_packet(skb, xnet);
	skb_clear_hash_if_not_l4(skb);
	skb_dst_set_noref(skb, route->dst);
	return 0;
}

static __always_inline int
udptun_send4(struct sk_buff *skb, const struct udptun_conf *conf,
	     const struct udptun_header4 *template,
	     const struct udptun_ip_fields *outer)
{
	const struct udptun_params *params = &conf->params;
	struct net *net = conf->tun->net;
	struct iphdr *ip;

	ip = udptun_header4_push(skb, template, outer);
	if (params->csum)
		udp_set_csum(false, skb, params->local.v4, params->remote.v4,
			     skb->len - sizeof(*ip));
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	/* The id of the template, 0, is for packets that cannot be fragmented. */
	if (!outer->df)
		ip_select_ident_segs(net, skb, NULL,
				     skb_shinfo(skb)->gso_segs ?: 1);
	ip->check = ip_fast_csum(ip, sizeof(*ip) / 4);
	return dsbench_ip_local_out(net, conf->sk, skb);
}

#if IS_ENABLED(CONFIG_IPV6)
static __always_inline int
udptun_send6(struct sk_buff *skb, const struct udptun_conf *conf,
	     const struct udptun_header6 *template,
	     struct udptun_ip_fields *outer)
{
	const struct udptun_params *params = &conf->params;

	skb->ignore_df = !outer->df;
	udptun_header6_push(skb, template, outer);
	if (!params->zero_csum6_tx)
		udp6_set_csum(false, skb, &params->local.v6, &params->remote.v6,
			      skb->len - sizeof(struct ipv6hdr));
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	return ip6_local_out(conf->tun->net, conf->sk, skb);
}
#else
static __always_inline int
udptun_send6(struct sk_buff *skb, const struct udptun_conf *conf,
	     const struct udptun_header6 *template,
	     struct udptun_ip_fields *outer)
{
	kfree_skb(skb);
	return -EAFNOSUPPORT;
}
#endif

/* Send a prepared packet and count it. */
static __always_inline void udptun_send(struct sk_buff *skb,
					const struct udptun_conf *conf,
					const union udptun_header *template,
					struct udptun_ip_fields *outer)
{
	struct net_device *dev = conf->tun->dev;
	unsigned int len = skb->len;
	int err;

	dev_xmit_recursion_inc();
	err = conf->params.family == AF_INET ?
		      udptun_send4(skb, conf, &template->v4, outer) :
		      udptun_send6(skb, conf, &template->v6, outer);
	dev_xmit_recursion_dec();

	if (likely(!net_xmit_eval(err)))
		dev_sw_netstats_tx_add(dev, 1, len);
	else
		DEV_STATS_INC(dev, tx_dropped);
}

/* Select the source port, and the flow label if none is configured, by the inner flow. */
static void udptun_select_flow(struct sk_buff *skb, const struct udptun_conf *conf,
			       union udptun_header *template,
			       struct udptun_ip_fields *outer)
{
	const struct udptun_params *params = &conf->params;
	struct net *net = conf->tun->net;
	struct flowi6 fl6 = {};
	__be16 sport;

	/* udp_flow_src_port() excludes its upper limit. */
	sport = udp_flow_src_port(net, skb, params->sport_min,
				  params->sport_max + 1, false);
	if (params->family == AF_INET) {
		template->v4.udp.source = sport;
		return;
	}
	template->v6.udp.source = sport;
	/* The packet has its hash now: fl6 is not used. */
	if (!params->flowlabel && !params->flowlabel_inherit)
		outer->flowlabel = ip6_make_flowlabel(net, skb, 0, true, &fl6);
}

/*
 * Like udptun_send(), with a template for this packet, and with the mark written.
 * Takes the fields one by one, so that udptun_transmit() keeps them in registers.
 */
static noinline void udptun_send_adapted(struct sk_buff *skb,
					 const struct udptun_conf *conf,
					 __be32 flowlabel, u8 dsfield, u8 ttl,
					 bool df)
{
	const struct udptun_params *params = &conf->params;
	union udptun_header template = conf->header;
	struct udptun_ip_fields outer = {
		.flowlabel = flowlabel, .dsfield = dsfield, .ttl = ttl, .df = df,
	};

	skb->mark = (skb->mark & params->mark_inherit) | params->mark;
	if (params->sport_max)
		udptun_select_flow(skb, conf, &template, &outer);
	udptun_send(skb, conf, &template, &outer);
}

static enum skb_drop_reason udptun_count_no_route(struct net_device *dev, long err)
{
	if (err == -ELOOP)
		DEV_STATS_INC(dev, collisions);
	else
		DEV_STATS_INC(dev, tx_carrier_errors);
	return SKB_DROP_REASON_IP_OUTNOROUTES;
}

/* Choose the fields of the outer header. Return 0, or the reason to drop the packet. */
static __always_inline enum skb_drop_reason
udptun_choose_fields(struct sk_buff *skb, const struct udptun_params *params,
		     struct udptun_ip_fields *outer)
{
	struct udptun_ip_fields inner;

	if (unlikely(!udptun_inner_read(skb, &inner)))
		return SKB_DROP_REASON_INVALID_PROTO;
	if (unlikely(dev_recursion_level() > MAX_RECURSION))
		return DSBENCH_DROP_RECURSION;

	udptun_outer_choose(params, &inner, outer);
	return SKB_NOT_DROPPED_YET;
}

/* Send a packet by a route. Return 0, or why it was not sent and not consumed. */
static __always_inline enum skb_drop_reason
udptun_transmit_by(struct sk_buff *skb, const struct udptun_conf *conf,
		   const struct udptun_route *route, struct udptun_ip_fields *outer)
{
	if (outer->df && unlikely(!udptun_check_mtu(skb, route, conf->overhead, outer)))
		return SKB_DROP_REASON_PKT_TOO_BIG;
	if (unlikely(udptun_prepare(skb, route, conf)))
		return SKB_DROP_REASON_NOMEM;

	if (unlikely(conf->adapts))
		udptun_send_adapted(skb, conf, outer->flowlabel, outer->dsfield,
				    outer->ttl, outer->df);
	else
		udptun_send(skb, conf, &conf->header, outer);
	return SKB_NOT_DROPPED_YET;
}

/* Look up the route of a packet and send it. Return as udptun_transmit_by(). */
static noinline enum skb_drop_reason
udptun_look_up_and_transmit(struct sk_buff *skb, struct udptun_conf *conf,
			    udptun_route_look_up_t look_up)
{
	const struct udptun_params *params = &conf->params;
	const struct udptun_route *route;
	struct udptun_ip_fields outer;
	enum skb_drop_reason reason;
	struct udptun_route own;

	reason = udptun_choose_fields(skb, params, &outer);
	if (reason)
		return reason;
	route = look_up(conf, outer.dsfield, skb->mark & params->mark_inherit, &own);
	if (IS_ERR(route))
		return udptun_count_no_route(conf->tun->dev, PTR_ERR(route));

	reason = udptun_transmit_by(skb, conf, route, &outer);
	if (route == &own)
		dst_release(own.dst);
	return reason;
}

/* Send a packet by the cached route, if there is one. Return as udptun_transmit_by(). */
static __always_inline enum skb_drop_reason
udptun_transmit(struct sk_buff *skb, struct udptun_conf *conf)
{
	const struct udptun_params *params = &conf->params;
	const struct udptun_route *route;
	struct udptun_ip_fields outer;
	enum skb_drop_reason reason;

	reason = udptun_choose_fields(skb, params, &outer);
	if (unlikely(reason))
		return reason;
	route = udptun_route_cached(conf, outer.dsfield,
				    skb->mark & params->mark_inherit);
	if (unlikely(!route))
		return udptun_look_up_and_transmit(skb, conf, udptun_route_look_up);
	return udptun_transmit_by(skb, conf, route, &outer);
}

static void udptun_drop(struct sk_buff *skb, struct net_device *dev,
			enum skb_drop_reason reason)
{
	DEV_STATS_INC(dev, tx_errors);
	kfree_skb_reason(skb, reason);
}

/*
 * Flattened: calls would cost each packet 80 instructions, 5 %. An inlined nf_hook()
 * costs no more than a static key if there are no hooks.
 */
__flatten netdev_tx_t udptun_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct udptun_device *tun = netdev_priv(dev);
	enum skb_drop_reason reason;

	reason = udptun_transmit(skb, rcu_dereference_bh(tun->conf));
	if (unlikely(reason))
		udptun_drop(skb, dev, reason);
	return NETDEV_TX_OK;
}

netdev_tx_t udptun_xmit_external(struct sk_buff *skb, struct net_device *dev)
{
	struct udptun_device *tun = netdev_priv(dev);
	enum skb_drop_reason reason = DSBENCH_DROP_METADATA;
	struct udptun_conf once;

	if (udptun_external_conf(&once, rcu_dereference_bh(tun->conf), skb))
		reason = udptun_look_up_and_transmit(skb, &once,
						     udptun_route_look_up_external);
	if (unlikely(reason))
		udptun_drop(skb, dev, reason);
	return NETDEV_TX_OK;
}
