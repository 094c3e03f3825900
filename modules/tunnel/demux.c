// SPDX-License-Identifier: GPL-2.0
/*
 * Early demultiplexing of packets to ports with several peers. The kernel's own looks
 * only at the first socket with an address and port, so it serves one peer. Here, the
 * last netfilter hook before the lookup of the input route finds the peer. It gives
 * the packet the socket, and the input route of the peer's previous packet, as the
 * kernel does for a connected socket.
 */

#include <linux/hash.h>
#include <linux/hashtable.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/netns/hash.h>
#include <net/route.h>
#include <net/sock.h>

#include <dsbench/compat.h>

#include "demux.h"
#include "lookup.h"
#include "netns.h"
#include "socket.h"

#if IS_ENABLED(CONFIG_NETFILTER)

/* RTNL serialises changes; the hook needs RCU. */
static DEFINE_HASHTABLE(udptun_demux_confs, UDPTUN_LOOKUP_BITS);

/*
 * Return the bucket of a peer. net_hash_mix() is random: the owner of one network
 * namespace cannot fill the buckets of another one.
 */
static struct hlist_head *udptun_demux_bucket(const struct net *net, __be32 local,
					      __be16 local_port, __be32 remote,
					      __be16 remote_port)
{
	u32 ports = (__force u32)local_port << 16 | (__force u16)remote_port;
	u32 key = ((__force u32)local ^ (__force u32)remote ^ ports) +
		  net_hash_mix(net);

	return &udptun_demux_confs[hash_32(key, UDPTUN_LOOKUP_BITS)];
}

static struct udptun_conf *udptun_demux_find(const struct net *net,
					     const struct iphdr *ip,
					     const struct udphdr *udp)
{
	const struct hlist_head *bucket;
	struct udptun_conf *conf;

	bucket = udptun_demux_bucket(net, ip->daddr, udp->dest, ip->saddr, udp->source);
	hlist_for_each_entry_rcu(conf, bucket, demux_node) {
		const struct udptun_params *params = &conf->params;

		if (params->remote.v4 == ip->saddr && params->local.v4 == ip->daddr &&
		    params->remote_port == udp->source &&
		    params->local_port == udp->dest && conf->tun->net == net)
			return conf;
	}
	return NULL;
}

/* A packet that a bridge forwards passes the hook as well, with BRIDGE_NETFILTER. */
static bool udptun_demux_is_bridged(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	return skb_ext_exist(skb, SKB_EXT_BRIDGE_NF);
#else
	return false;
#endif
}

/*
 * Return true if the kernel would demultiplex this UDP packet early, and its device is
 * in no VRF: the device of such a packet changes after the hook.
 */
static bool udptun_demux_may(const struct net *net, const struct sk_buff *skb)
{
	return skb->pkt_type == PACKET_HOST && !skb->sk && !skb_dst(skb) &&
	       ip_hdr(skb)->ihl == sizeof(struct iphdr) / 4 &&
	       !ip_is_fragment(ip_hdr(skb)) &&
	       READ_ONCE(net->ipv4.sysctl_ip_early_demux) &&
	       READ_ONCE(net->ipv4.sysctl_udp_early_demux) &&
	       !netif_is_l3_slave(skb->dev) && !netif_is_l3_master(skb->dev) &&
	       !udptun_demux_is_bridged(skb);
}

/*
 * Return the input route of the peer's last packet, if this one may take it: it comes
 * from the same device, so the stack has checked its source (rp_filter, rules for the
 * device), and no route has changed.
 */
static struct dst_entry *udptun_demux_route(const struct net *net,
					    const struct udptun_conf *conf,
					    const struct sk_buff *skb)
{
	struct dst_entry *dst = rcu_dereference(conf->input);

	if (unlikely(!dst || READ_ONCE(conf->input_iif) != skb->skb_iif))
		return NULL;
	if (unlikely(READ_ONCE(dst->obsolete) != DST_OBSOLETE_FORCE_CHK ||
		     container_of(dst, struct rtable, dst)->rt_genid !=
			     rt_genid_ipv4(net)))
		return NULL;
	return dst;
}

static noinline void udptun_demux(struct net *net, struct sk_buff *skb)
{
	const unsigned int length = sizeof(struct iphdr) + sizeof(struct udphdr);
	struct udptun_conf *conf;
	struct dst_entry *dst;

	if (!udptun_demux_may(net, skb) || !pskb_may_pull(skb, length))
		return;
	conf = udptun_demux_find(net, ip_hdr(skb), udp_hdr(skb));
	/* The kernel prefers a socket that is bound to the device. */
	if (!conf || unlikely(READ_ONCE(conf->sock->bound)))
		return;
	dst = udptun_demux_route(net, conf, skb);
	if (unlikely(!dst))
		return;

	/* The socket is freed after a grace period: packets hold no reference. */
	skb->sk = conf->sk;
	skb->destructor = sock_pfree;
	skb_dst_set_noref(skb, dst);
}

/* Every packet that the namespace receives passes here: a leaf function for all but UDP. */
static unsigned int udptun_demux_hook(void *priv, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	if (ip_hdr(skb)->protocol == IPPROTO_UDP)
		udptun_demux(state->net, skb);
	return NF_ACCEPT;
}

static const struct nf_hook_ops udptun_demux_ops = {
	.hook = udptun_demux_hook,
	.pf = NFPROTO_IPV4,
	.hooknum = NF_INET_PRE_ROUTING,
	.priority = NF_IP_PRI_LAST,
};

static bool udptun_demux_serves(const struct udptun_params *params)
{
	return DSBENCH_LOCKLESS_EARLY_DEMUX && params->family == AF_INET &&
	       !params->link && !params->sport_max && !params->external;
}

/* Register the hook of the namespace for the first peer. */
static int udptun_demux_use(struct net *net)
{
	struct udptun_net *un = udptun_net(net);
	int err;

	if (!un->demuxed) {
		err = nf_register_net_hook(net, &udptun_demux_ops);
		if (err)
			return err;
	}
	un->demuxed++;
	return 0;
}

static void udptun_demux_unuse(struct net *net)
{
	if (!--udptun_net(net)->demuxed)
		nf_unregister_net_hook(net, &udptun_demux_ops);
}

/**
 * udptun_demux_add() - demultiplex packets from a peer early
 * @conf: the configuration, attached; idempotent
 *
 * Does nothing for IPv6, a range of source ports, external tunnels and tunnels with an
 * underlay device: their packets arrive without early demux.
 *
 * Context: Process context, under rtnl_lock().
 */
void udptun_demux_add(struct udptun_conf *conf)
{
	const struct udptun_params *params = &conf->params;
	struct net *net = conf->tun->net;
	int err;

	if (udptun_demux_has(conf) || !udptun_demux_serves(params))
		return;
	err = udptun_demux_use(net);
	if (err) {
		pr_debug("port %u: no early demux: error %d\n",
			 ntohs(params->local_port), err);
		return;
	}
	hlist_add_head_rcu(&conf->demux_node,
			   udptun_demux_bucket(net, params->local.v4,
					       params->local_port, params->remote.v4,
					       params->remote_port));
}

/**
 * udptun_demux_remove() - undo udptun_demux_add()
 * @conf: the configuration; idempotent
 *
 * Context: Process context, under rtnl_lock().
 */
void udptun_demux_remove(struct udptun_conf *conf)
{
	if (!udptun_demux_has(conf))
		return;
	hlist_del_init_rcu(&conf->demux_node);
	udptun_demux_unuse(conf->tun->net);
}

#else

void udptun_demux_add(struct udptun_conf *conf)
{
}

void udptun_demux_remove(struct udptun_conf *conf)
{
}

#endif /* CONFIG_NETFILTER */

static void udptun_demux_replace(struct udptun_conf *conf, struct dst_entry *dst)
{
	/* Several CPUs may replace it at the same time. RCU readers may use the old one. */
	dst_release(unrcu_pointer(xchg(&conf->input, RCU_INITIALIZER(dst))));
}

/**
 * udptun_demux_learn() - keep the input route of a packet for the next ones
 * @conf: the configuration of the peer; its device is up
 * @skb: a packet from the peer that the stack has routed
 *
 * Context: RCU is held.
 */
void udptun_demux_learn(struct udptun_conf *conf, const struct sk_buff *skb)
{
	struct dst_entry *dst = skb_dst(skb);

	if (rcu_access_pointer(conf->input) != dst) {
		if (!dst_hold_safe(dst))
			return;
		udptun_demux_replace(conf, dst);
	}
	WRITE_ONCE(conf->input_iif, skb->skb_iif);
}

/**
 * udptun_demux_forget() - release the input route
 * @conf: a configuration that no packet uses any more
 */
void udptun_demux_forget(struct udptun_conf *conf)
{
	udptun_demux_replace(conf, NULL);
}
