// SPDX-License-Identifier: GPL-2.0
/* Receive: find the sender, check and decapsulate the packet, deliver it. */

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <net/dst_metadata.h>
#include <net/gro.h>
#include <net/inet_ecn.h>
#include <net/ip_tunnels.h>
#include <net/route.h>
#include <net/tcp_states.h>
#include <net/udp.h>

#include <dsbench/compat.h>

#include "demux.h"
#include "lookup.h"
#include "queue.h"
#include "receive.h"
#include "route.h"
#include "socket.h"
#include "tunnel.h"

/* Find the peer with a range of source ports. */
static struct udptun_conf *udptun_find_range_sender(const struct udptun_sock *sock,
						    const struct sk_buff *skb)
{
	if (sock->family == AF_INET)
		return udptun_lookup_range4(sock, ip_hdr(skb)->saddr,
					    udp_hdr(skb)->source);
	return udptun_lookup_range6(sock, &ipv6_hdr(skb)->saddr,
				    udp_hdr(skb)->source);
}

static struct udptun_conf *udptun_find_sender(const struct udptun_sock *sock,
					      const struct sk_buff *skb)
{
	if (sock->family == AF_INET)
		return udptun_lookup4(sock, ip_hdr(skb)->saddr,
				      udp_hdr(skb)->source);
	return udptun_lookup6(sock, &ipv6_hdr(skb)->saddr, udp_hdr(skb)->source);
}

/*
 * Return the socket that would receive this packet or ICMP error if no socket
 * were bound to a device: the kernel prefers bound sockets. Return NULL if it came
 * through a VRF: there, unbound sockets receive only with udp_l3mdev_accept.
 */
static const struct udptun_sock *udptun_unbound_sock(const struct sock *sk,
						     const struct udptun_sock *sock,
						     const struct sk_buff *skb)
{
	const struct udptun_sock *unbound = rcu_dereference(sock->unbound);
	bool v4 = sock->family == AF_INET;

	if (!unbound ||
	    !udp_sk_bound_dev_eq(sock_net(sk), 0,
				 v4 ? inet_iif(skb) : inet6_iif(skb),
				 v4 ? inet_sdif(skb) : inet6_sdif(skb)))
		return NULL;
	return unbound;
}

/* Count a packet that no peer has sent. Dynamic debug enables the message. */
static noinline void udptun_count_stranger(struct sock *sk, struct udptun_sock *sock,
					   const struct sk_buff *skb)
{
	dsbench_udp_drop(sk);
	atomic64_inc(&sock->strangers);
	if (sock->family == AF_INET)
		pr_debug_ratelimited("port %u of %pI4: dropped a packet from %pI4 port %u, which is no peer\n",
				     ntohs(sock->port), &ip_hdr(skb)->daddr,
				     &ip_hdr(skb)->saddr,
				     ntohs(udp_hdr(skb)->source));
	else
		pr_debug_ratelimited("port %u of %pI6c: dropped a packet from %pI6c port %u, which is no peer\n",
				     ntohs(sock->port), &ipv6_hdr(skb)->daddr,
				     &ipv6_hdr(skb)->saddr,
				     ntohs(udp_hdr(skb)->source));
}

/* Return the external tunnel, which receives packets that no peer has sent, or NULL. */
static struct udptun_conf *udptun_find_external(const struct udptun_sock *sock,
						const struct udptun_sock *unbound)
{
	struct udptun_conf *conf = udptun_lookup_external(sock);

	return conf || !unbound ? conf : udptun_lookup_external(unbound);
}

/*
 * Find a peer with a range of source ports, then a peer of the unbound socket, then the
 * external tunnel. If there is none, count the packet as a stranger's.
 */
static noinline struct udptun_conf *udptun_find_other_sender(struct sock *sk,
							     struct udptun_sock *sock,
							     const struct sk_buff *skb)
{
	const struct udptun_sock *unbound;
	struct udptun_conf *conf;

	conf = udptun_find_range_sender(sock, skb);
	if (conf)
		return conf;
	unbound = udptun_unbound_sock(sk, sock, skb);
	if (unbound)
		conf = udptun_find_sender(unbound, skb) ?:
		       udptun_find_range_sender(unbound, skb);
	if (!conf)
		conf = udptun_find_external(sock, unbound);
	if (!conf)
		udptun_count_stranger(sk, sock, skb);
	return conf;
}

/* RFC 6936: over IPv6, accept a packet without a checksum only if configured. */
static bool udptun_lacks_checksum(const struct udptun_params *params,
				  const struct sk_buff *skb)
{
	return params->family == AF_INET6 && !params->zero_csum6_rx &&
	       !udp_hdr(skb)->check;
}

static u8 udptun_outer_dsfield(const struct udptun_params *params,
			       const struct sk_buff *skb)
{
	return params->family == AF_INET ? ip_hdr(skb)->tos :
					ipv6_get_dsfield(ipv6_hdr(skb));
}

static u8 udptun_inner_dsfield(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP) ? ip_hdr(skb)->tos :
						  ipv6_get_dsfield(ipv6_hdr(skb));
}

/*
 * Apply the congestion mark of the outer header to the inner header (RFC 6040).
 * Return false if the packet must be dropped: the inner header is not
 * ECN-capable, so it cannot carry the mark, or no memory is left.
 */
static __always_inline bool udptun_decapsulate_ecn(struct sk_buff *skb, u8 outer)
{
	unsigned int header_len = skb->protocol == htons(ETH_P_IP) ?
					  sizeof(struct iphdr) :
					  sizeof(struct ipv6hdr);
	u8 inner = udptun_inner_dsfield(skb);

	if (likely(!((outer ^ inner) & INET_ECN_MASK)))
		return true;
	/* A capture or the sender may share the data. */
	if (skb_ensure_writable(skb, header_len))
		return false;
	return INET_ECN_decapsulate(skb, outer, inner) <= 1;
}

static void udptun_count_malformed(struct net_device *dev, enum skb_drop_reason reason)
{
	if (reason == SKB_DROP_REASON_INVALID_PROTO)
		DEV_STATS_INC(dev, rx_frame_errors);
	else
		DEV_STATS_INC(dev, rx_length_errors);
	DEV_STATS_INC(dev, rx_errors);
}

/*
 * Return the offset of the inner transport header. tc may segment a GSO packet before
 * the protocols set the header, so the offset must be exact. Other packets may have
 * that of an IPv6 extension header.
 */
static __always_inline int udptun_transport_offset(const struct sk_buff *skb)
{
	const int ip6_len = sizeof(struct ipv6hdr);
	__be16 frag_off;
	u8 nexthdr;
	int offset;

	if (skb->protocol == htons(ETH_P_IP))
		return ip_hdrlen(skb);

	nexthdr = ipv6_hdr(skb)->nexthdr;
	if (likely(!skb_is_gso(skb) || !ipv6_ext_hdr(nexthdr)))
		return ip6_len;
	offset = ipv6_skip_exthdr(skb, ip6_len, &nexthdr, &frag_off);
	return offset < 0 ? ip6_len : offset;
}

/* Queue a packet for delivery and count it. A full queue counts it as dropped. */
static __always_inline enum skb_drop_reason
udptun_deliver(struct udptun_device *tun, struct sk_buff *skb)
{
	unsigned int len = skb->len;
	enum skb_drop_reason reason;

	/* The hash of the outer flow is the same for all inner flows. */
	skb_clear_hash(skb);
	/* It still points to the outer UDP header, which is before the data. */
	skb_set_transport_header(skb, udptun_transport_offset(skb));

	reason = udptun_queue_add(tun->queues, skb);
	if (likely(!reason))
		dev_sw_netstats_rx_add(tun->dev, len);
	return reason;
}

/*
 * Return 0, or the reason to drop the packet, which is counted then. Inlined into both
 * callers: without metadata, the code for them costs nothing.
 */
static __always_inline enum skb_drop_reason
udptun_decapsulate(struct udptun_conf *conf, struct sk_buff *skb,
		   struct metadata_dst *metadata)
{
	struct udptun_device *tun = conf->tun;
	struct net_device *dev = tun->dev;
	u8 dsfield = udptun_outer_dsfield(&conf->params, skb);
	enum skb_drop_reason reason;
	__be16 protocol;

	reason = udptun_inner_check(skb, sizeof(struct udphdr), &protocol);
	if (unlikely(reason)) {
		udptun_count_malformed(dev, reason);
		return reason;
	}
	if (unlikely(udptun_lacks_checksum(&conf->params, skb))) {
		DEV_STATS_INC(dev, rx_crc_errors);
		DEV_STATS_INC(dev, rx_errors);
		return SKB_DROP_REASON_UDP_CSUM;
	}
	if (unlikely(__iptunnel_pull_header(skb, sizeof(struct udphdr),
					    protocol, true,
					    !net_eq(tun->net, dev_net(dev))))) {
		DEV_STATS_INC(dev, rx_dropped);
		return SKB_DROP_REASON_NOMEM;
	}
	skb_reset_network_header(skb);
	skb_reset_mac_header(skb);
	if (unlikely(!udptun_decapsulate_ecn(skb, dsfield))) {
		DEV_STATS_INC(dev, rx_frame_errors);
		DEV_STATS_INC(dev, rx_errors);
		return DSBENCH_DROP_ECN;
	}

	skb->dev = dev;
	if (metadata)
		skb_dst_set(skb, dst_clone(&metadata->dst));
	return udptun_deliver(tun, skb);
}

/*
 * Return true if the stack accepts the peer's packets on the device that received this
 * one. Early demux reuses the input route of a connected socket, so the stack checks
 * the source (rp_filter, rules for the device) of the first packet only. Repeat the
 * check when the device changes, as TCP's early demux does.
 */
static noinline bool udptun_check_device(struct udptun_sock *sock,
					 struct sk_buff *skb)
{
	const struct iphdr *ip = ip_hdr(skb);

	skb_dst_drop(skb);
	if (dsbench_route_input(skb, ip->daddr, ip->saddr, ip->tos, skb->dev) ||
	    skb_rtable(skb)->rt_type != RTN_LOCAL)
		return false;
	WRITE_ONCE(sock->iif, skb->skb_iif);
	return true;
}

/* A device that is down, or being unregistered, does not receive. */
static bool udptun_is_up(struct net_device *dev)
{
	if (likely(netif_running(dev)))
		return true;
	DEV_STATS_INC(dev, rx_dropped);
	return false;
}

/* Receive at an external tunnel. Return the reason to drop the packet, or 0. */
static noinline enum skb_drop_reason
udptun_receive_external(struct udptun_conf *conf, struct sk_buff *skb)
{
	struct metadata_dst *metadata;
	enum skb_drop_reason reason;

	if (!udptun_is_up(conf->tun->dev))
		return SKB_DROP_REASON_DEV_READY;

	metadata = DSBENCH_UDP_TUN_RX_DST(skb, conf->params.family);
	if (!metadata) {
		DEV_STATS_INC(conf->tun->dev, rx_dropped);
		return SKB_DROP_REASON_NOMEM;
	}
	reason = udptun_decapsulate(conf, skb, metadata);
	dst_release(&metadata->dst);
	return reason;
}

/**
 * udptun_receive() - receive a UDP packet at a tunnel's port
 * @sk: the socket of the port
 * @skb: the packet, data at the UDP header, checksum verified
 *
 * Packets from anyone but a configured peer go to the external tunnel of the port,
 * or are dropped.
 *
 * Context: RCU is held.
 * Return: 0: the packet is always consumed.
 */
static int udptun_receive(struct sock *sk, struct sk_buff *skb)
{
	struct udptun_sock *sock = rcu_dereference_sk_user_data(sk);
	enum skb_drop_reason reason = SKB_DROP_REASON_NO_SOCKET;
	struct udptun_conf *conf;

	/* NULL: the socket is being closed. */
	if (unlikely(!sock))
		goto drop;
	if (READ_ONCE(sk->sk_state) == TCP_ESTABLISHED &&
	    unlikely(skb->skb_iif != READ_ONCE(sock->iif)) &&
	    !udptun_check_device(sock, skb)) {
		reason = SKB_DROP_REASON_IP_RPFILTER;
		goto drop;
	}
	conf = udptun_find_sender(sock, skb);
	if (unlikely(!conf)) {
		conf = udptun_find_other_sender(sk, sock, skb);
		if (!conf)
			goto drop;
		if (conf->params.external) {
			reason = udptun_receive_external(conf, skb);
			goto done;
		}
	}
	if (unlikely(!udptun_is_up(conf->tun->dev))) {
		reason = SKB_DROP_REASON_DEV_READY;
		goto drop;
	}
	if (udptun_demux_has(conf) && unlikely(!udptun_demux_knows(conf, skb)))
		udptun_demux_learn(conf, skb);
	reason = udptun_decapsulate(conf, skb, NULL);
done:
	if (likely(!reason))
		return 0;
drop:
	kfree_skb_reason(skb, reason);
	return 0;
}

/* Find the tunnel that sent the packet that caused an ICMP error. */
static struct udptun_conf *udptun_find_receiver(const struct udptun_sock *sock,
						const void *ip,
						const struct udphdr *udp)
{
	if (sock->family == AF_INET) {
		const struct iphdr *ip4 = ip;

		return udptun_lookup4(sock, ip4->daddr, udp->dest) ?:
		       udptun_lookup_range4(sock, ip4->daddr, udp->source);
	} else {
		const struct ipv6hdr *ip6 = ip;

		return udptun_lookup6(sock, &ip6->daddr, udp->dest) ?:
		       udptun_lookup_range6(sock, &ip6->daddr, udp->source);
	}
}

/**
 * udptun_err_lookup() - match an ICMP error to a peer, or to an external tunnel
 * @sk: the socket of the source port of the packet that caused the error. If no socket
 *	has that port, the socket of the destination port: with a range of source
 *	ports, that is the local port, too
 * @skb: network and transport headers at those of that packet
 *
 * If one matches, the stack updates the path MTU, also for the cached route.
 * It looks up the route of the socket, which is bound to params.link. Then it
 * calls udptun_err_receive().
 *
 * Context: RCU is held.
 * Return: 0 or -ENOENT.
 */
static int udptun_err_lookup(struct sock *sk, struct sk_buff *skb)
{
	struct udptun_sock *sock = rcu_dereference_sk_user_data(sk);
	const struct udptun_sock *unbound;

	if (!sock || !pskb_may_pull(skb, skb_transport_offset(skb) +
					 sizeof(struct udphdr)))
		return -ENOENT;
	if (udptun_find_receiver(sock, skb_network_header(skb), udp_hdr(skb)))
		return 0;
	unbound = udptun_unbound_sock(sk, sock, skb);
	if (unbound && udptun_find_receiver(unbound, skb_network_header(skb),
					    udp_hdr(skb)))
		return 0;
	return udptun_find_external(sock, unbound) ? 0 : -ENOENT;
}

/* Return the path MTU that an ICMP error reports, or 0 if it is about something else. */
static u32 udptun_reported_mtu(const struct udptun_sock *sock,
			       const struct sk_buff *skb)
{
	const struct icmphdr *icmp = icmp_hdr(skb);

	if (sock->family == AF_INET6)
		return icmp6_hdr(skb)->icmp6_type == ICMPV6_PKT_TOOBIG ?
			       ntohl(icmp6_hdr(skb)->icmp6_mtu) : 0;
	return icmp->type == ICMP_DEST_UNREACH && icmp->code == ICMP_FRAG_NEEDED ?
		       ntohs(icmp->un.frag.mtu) : 0;
}

/* Store the path MTU for the route that a tunnel's packets take. */
static void udptun_learn_mtu(struct sock *sk, struct sk_buff *skb,
			     const struct udptun_params *params, u32 mtu)
{
	int network_offset = skb_network_offset(skb);
	struct net_device *dev = skb->dev;
	u32 mark = skb->mark;
	struct dst_entry *dst;
	u8 dsfield;

	/* update_pmtu() reads the addresses from the network header. */
	skb_reset_network_header(skb);
	dsfield = udptun_outer_dsfield(params, skb);
	dst = udptun_route_lookup(sock_net(sk), sk, params, dsfield, params->mark);
	if (!IS_ERR(dst)) {
		/* For IPv4, update_pmtu() looks up the route again, by device and mark. */
		skb->dev = DSBENCH_DST_DEV(dst);
		skb->mark = params->mark;
		dst->ops->update_pmtu(dst, NULL, skb, mtu, false);
		skb->mark = mark;
		skb->dev = dev;
		dst_release(dst);
	}
	skb_set_network_header(skb, network_offset);
}

/* Read the receiver of a packet that an external tunnel has sent. */
static void udptun_read_receiver(struct udptun_params *params, const void *ip,
				 const struct udphdr *udp)
{
	if (params->family == AF_INET)
		params->remote.v4 = ((const struct iphdr *)ip)->daddr;
	else
		params->remote.v6 = ((const struct ipv6hdr *)ip)->daddr;
	params->remote_port = udp->dest;
}

/*
 * Receive an ICMP error that udptun_err_lookup() has matched. The stack has stored
 * the path MTU for the route that it finds for the socket. The tunnel's packets take
 * another route in two cases: the stack does not know the mark of the tunnel, and for
 * IPv6 it may choose a better route than one through params.link.
 */
static void DSBENCH_ENCAP_ERR_RCV(udptun_err_receive)
{
	const struct udptun_sock *sock = rcu_dereference_sk_user_data(sk);
	struct udptun_params params;
	struct udptun_conf *conf;
	u32 mtu;

	mtu = sock ? udptun_reported_mtu(sock, skb) : 0;
	if (!mtu)
		return;
	conf = udptun_find_receiver(sock, skb->data, DSBENCH_ENCAP_ERR_UDP);
	if (!conf)
		conf = udptun_lookup_external(sock);
	if (!conf || (!conf->params.mark &&
		      (sock->family == AF_INET || !sock->link)))
		return;

	params = conf->params;
	if (params.external)
		udptun_read_receiver(&params, skb->data, DSBENCH_ENCAP_ERR_UDP);
	udptun_learn_mtu(sk, skb, &params, mtu);
}

/* Inner IPv4 and IPv6 packets of one tunnel belong to different flows. */
static void udptun_separate_versions(struct list_head *head, unsigned int offset,
				     u8 first)
{
	struct sk_buff *p;

	list_for_each_entry(p, head, list) {
		if (NAPI_GRO_CB(p)->same_flow &&
		    (p->data[offset] ^ first) & 0xf0)
			NAPI_GRO_CB(p)->same_flow = 0;
	}
}

static struct sk_buff *udptun_gro_receive(struct sock *sk,
					  struct list_head *head,
					  struct sk_buff *skb)
{
	unsigned int offset = skb_gro_offset(skb);
	const struct packet_offload *offload;
	struct sk_buff *pp = NULL;
	const u8 *first;
	int flush = 1;

	first = skb_gro_header(skb, offset + 1, offset);
	if (unlikely(!first))
		goto out;
	offload = gro_find_receive_by_type(udptun_protocol(*first));
	if (unlikely(!offload))
		goto out;

	udptun_separate_versions(head, offset, *first);
	pp = call_gro_receive(offload->callbacks.gro_receive, head, skb);
	flush = 0;
out:
	skb_gro_flush_final(skb, pp, flush);
	return pp;
}

static int udptun_gro_complete(struct sock *sk, struct sk_buff *skb, int nhoff)
{
	const struct packet_offload *offload;
	int err = -EINVAL;

	offload = gro_find_complete_by_type(udptun_protocol(skb->data[nhoff]));
	if (likely(offload))
		err = offload->callbacks.gro_complete(skb, nhoff);
	/* If the packet is forwarded, GSO expects the inner header here. */
	skb_set_inner_mac_header(skb, nhoff);
	return err;
}

const struct udptun_sock_ops udptun_receive_ops = {
	.receive = udptun_receive,
	.err_lookup = udptun_err_lookup,
	.err_receive = udptun_err_receive,
	.gro_receive = udptun_gro_receive,
	.gro_complete = udptun_gro_complete,
};
