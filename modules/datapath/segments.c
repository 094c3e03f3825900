// SPDX-License-Identifier: GPL-2.0
/*
 * Takes TCP segments where the receiver's IP input passes them to TCP, in the last
 * netfilter hook. No connection exists: what TCP itself costs at both ends is the
 * same for every device, and left out.
 */

#include <linux/ip.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/ip.h>

#include "packet.h"
#include "segments.h"

static struct sk_buff_head taken;

/* Counts the bytes of payload that have arrived. */
static atomic64_t *counter;

static u32 payload_offset(const struct sk_buff *skb)
{
	const struct tcphdr *th = (const void *)ip_hdr(skb) + ip_hdrlen(skb);

	return ip_hdrlen(skb) + th->doff * 4;
}

static bool is_ours(const struct sk_buff *skb)
{
	const struct tcphdr *th = (const void *)ip_hdr(skb) + ip_hdrlen(skb);

	return ip_hdr(skb)->protocol == IPPROTO_TCP &&
	       th->dest == htons(BENCH_PORT);
}

static unsigned int take(void *priv, struct sk_buff *skb,
			 const struct nf_hook_state *state)
{
	u32 length;

	if (ip_hdr(skb)->protocol != IPPROTO_TCP ||
	    !pskb_may_pull(skb, ip_hdrlen(skb) + sizeof(struct tcphdr)) ||
	    !is_ours(skb) || skb->len < payload_offset(skb))
		return NF_ACCEPT;

	skb_dst_drop(skb);	/* valid under RCU only */
	/* Queue the packet before counting it: the waiting thread takes it at once. */
	length = skb->len - payload_offset(skb);
	skb_queue_tail(&taken, skb);
	atomic64_add(length, counter);
	return NF_STOLEN;
}

static const struct nf_hook_ops hook = {
	.hook = take,
	.pf = NFPROTO_IPV4,
	.hooknum = NF_INET_LOCAL_IN,
	.priority = NF_IP_PRI_LAST,
};

/**
 * bench_segments_open() - register the receiver
 * @net: the receiver's netns, held by the caller until bench_segments_close()
 * @arrived: counts the bytes of payload that arrive
 *
 * Context: may sleep.
 *
 * Return: 0 or a negative error code.
 */
int bench_segments_open(struct net *net, atomic64_t *arrived)
{
	skb_queue_head_init(&taken);
	counter = arrived;
	return nf_register_net_hook(net, &hook);
}

/**
 * bench_segments_close() - undo bench_segments_open()
 * @net: the receiver's netns
 *
 * Context: may sleep.
 */
void bench_segments_close(struct net *net)
{
	nf_unregister_net_hook(net, &hook);
	skb_queue_purge(&taken);
}

/**
 * bench_segments_take() - discard the segments that have arrived
 * @sum: set to the Internet checksum of their payloads, in order, unfolded
 *
 * Context: process context.
 *
 * Return: their payload, in bytes.
 */
u64 bench_segments_take(__wsum *sum)
{
	struct sk_buff *skb;
	u64 bytes = 0;

	*sum = 0;
	while ((skb = skb_dequeue(&taken))) {
		u32 offset = payload_offset(skb);
		u32 length = skb->len - offset;

		*sum = csum_block_add(*sum,
				      skb_checksum(skb, offset, length, 0),
				      bytes);
		bytes += length;
		kfree_skb(skb);
	}
	return bytes;
}
