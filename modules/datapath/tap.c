// SPDX-License-Identifier: GPL-2.0
/*
 * Takes packets where the sender's IP output passes them to the underlay. The tap
 * is the last netfilter hook, so it works for every kind of device.
 */

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>

#include "tap.h"

#define WAIT_MS		200

/* Index of the device whose packets are taken; 0: none. */
static int tapped_ifindex;
static struct sk_buff_head taken;
static atomic_t taken_segments;

static unsigned int take(void *priv, struct sk_buff *skb,
			 const struct nf_hook_state *state)
{
	unsigned int segments;

	if (!state->out || state->out->ifindex != READ_ONCE(tapped_ifindex))
		return NF_ACCEPT;

	/* Queue the packet before counting it: the waiting thread takes it at once. */
	segments = skb_shinfo(skb)->gso_segs ?: 1;
	skb_queue_tail(&taken, skb);
	atomic_add(segments, &taken_segments);
	return NF_STOLEN;
}

static const struct nf_hook_ops hooks[] = {
	{
		.hook = take,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_POST_ROUTING,
		.priority = NF_IP_PRI_LAST,
	},
	{
		.hook = take,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_POST_ROUTING,
		.priority = NF_IP6_PRI_LAST,
	},
};

/**
 * bench_tap_open() - register the tap
 * @net: the sender's netns
 *
 * Context: may sleep.
 *
 * Return: 0 or a negative error code.
 */
int bench_tap_open(struct net *net)
{
	skb_queue_head_init(&taken);
	return nf_register_net_hooks(net, hooks, ARRAY_SIZE(hooks));
}

/**
 * bench_tap_close() - undo bench_tap_open()
 * @net: the sender's netns
 *
 * Context: may sleep.
 */
void bench_tap_close(struct net *net)
{
	nf_unregister_net_hooks(net, hooks, ARRAY_SIZE(hooks));
	skb_queue_purge(&taken);
}

static void empty(void)
{
	skb_queue_purge(&taken);
	atomic_set(&taken_segments, 0);
}

/**
 * bench_tap_start() - start to take the packets that leave through a device
 * @ifindex: index of the underlay
 *
 * Context: process context.
 */
void bench_tap_start(int ifindex)
{
	empty();	/* packets that arrived late from another CPU */
	WRITE_ONCE(tapped_ifindex, ifindex);
}

/**
 * bench_tap_stop() - stop taking packets, and drop those that were taken
 *
 * Context: process context.
 */
void bench_tap_stop(void)
{
	WRITE_ONCE(tapped_ifindex, 0);
	empty();
}

/**
 * bench_tap_wait() - wait until all packets have been taken
 * @segments: number of packets, where a GSO packet counts as its segments
 *
 * Returns at once unless the device sends from other threads. Gives up after
 * WAIT_MS.
 *
 * Context: may sleep.
 */
void bench_tap_wait(u32 segments)
{
	unsigned long end = jiffies + msecs_to_jiffies(WAIT_MS);

	while (atomic_read(&taken_segments) < segments &&
	       time_before(jiffies, end))
		usleep_range(10, 20);	/* yield the CPU to those threads */
}

/**
 * bench_tap_take() - move the taken packets to a queue
 * @packets: queue to append the packets to, each as IP output left it; NULL to
 *	leave them in the tap
 *
 * Context: process context.
 *
 * Return: number of segments taken since bench_tap_start().
 */
u32 bench_tap_take(struct sk_buff_head *packets)
{
	struct sk_buff *skb;

	while (packets && (skb = skb_dequeue(&taken)))
		__skb_queue_tail(packets, skb);
	return atomic_read(&taken_segments);
}
