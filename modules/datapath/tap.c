// SPDX-License-Identifier: GPL-2.0
/*
 * Takes packets away where the sender's IP output hands them to the underlay,
 * by netfilter's last hook, so that no device need know of it.
 */

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>

#include "tap.h"

#define WAIT_MS		200

/* Of the device whose packets are taken; 0 for none. */
static int taking;
static struct sk_buff_head taken;
static atomic_t taken_segments;

static unsigned int take(void *priv, struct sk_buff *skb,
			 const struct nf_hook_state *state)
{
	unsigned int segments;

	if (!state->out || state->out->ifindex != READ_ONCE(taking))
		return NF_ACCEPT;

	/* Who waits for the count takes the packet at once. */
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
 * bench_tap_open() - be ready to take packets
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
 * bench_tap_start() - take what leaves by a device from now on
 * @ifindex: the underlay's
 *
 * Context: process context.
 */
void bench_tap_start(int ifindex)
{
	empty();	/* of what came late on another CPU */
	WRITE_ONCE(taking, ifindex);
}

/**
 * bench_tap_stop() - let packets pass again, and drop those that were taken
 *
 * Context: process context.
 */
void bench_tap_stop(void)
{
	WRITE_ONCE(taking, 0);
	empty();
}

/**
 * bench_tap_wait() - wait until so much was taken
 * @segments: packets, or segments that a GSO packet stands for
 *
 * As bench_sink_wait(), for devices that send from other threads.
 *
 * Context: may sleep.
 */
void bench_tap_wait(u32 segments)
{
	unsigned long end = jiffies + msecs_to_jiffies(WAIT_MS);

	while (atomic_read(&taken_segments) < segments &&
	       time_before(jiffies, end))
		usleep_range(10, 20);	/* leave it the CPU */
}

/**
 * bench_tap_take() - hand over what was taken
 * @packets: gets them at its end, each as IP output left it; NULL to keep them
 *
 * Context: process context.
 *
 * Return: segments that were taken.
 */
u32 bench_tap_take(struct sk_buff_head *packets)
{
	struct sk_buff *skb;

	while (packets && (skb = skb_dequeue(&taken)))
		__skb_queue_tail(packets, skb);
	return atomic_read(&taken_segments);
}
