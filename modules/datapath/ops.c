// SPDX-License-Identifier: GPL-2.0
/* tx, rx and path: the same code for every kind of device. */

#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include <net/dst.h>
#include <net/ip.h>

#include "link.h"
#include "ops.h"
#include "packet.h"
#include "sink.h"
#include "sizes.h"
#include "tap.h"

/**
 * struct bench_try - one try
 * @packets: packets to send or to receive
 * @dev: the device, held
 * @underlay: the near end of the link, held
 * @peer: the far end of the link, held
 */
struct bench_try {
	struct sk_buff_head packets;
	struct net_device *dev;
	struct net_device *underlay;
	struct net_device *peer;
};

static const struct bench_device *device_of(const struct dsbench_set *set)
{
	return container_of_const(set->subject, struct bench_device, subject);
}

static int find_devices(struct bench_try *t, const char *ifname)
{
	t->dev = dev_get_by_name(bench_link.net, ifname);
	t->underlay = dev_get_by_name(bench_link.net, bench_link.underlay);
	t->peer = dev_get_by_name(bench_link.peer_net, bench_link.peer);
	if (t->dev && t->underlay && t->peer)
		return 0;

	pr_err("%s: the device or its underlay no longer exists\n", ifname);
	return -ENODEV;
}

static u32 packets_of(const struct dsbench_set *set)
{
	return bench_packets(set->n, set->burst);
}

static int build(struct bench_try *t, const struct dsbench_set *set)
{
	const struct bench_device *b = device_of(set);
	u32 i;

	for (i = 0; i < packets_of(set); i++) {
		struct sk_buff *skb = bench_packet_build(t->dev, b->daddr,
							 set->n, i);

		if (!skb) {
			pr_err("%s: no route to %pI4 through %s, or out of memory\n",
			       b->label, &b->daddr, b->ifname);
			return -ENETUNREACH;
		}
		__skb_queue_tail(&t->packets, skb);
	}
	return 0;
}

/* Send one by one: each packet raises a softirq, which runs before the next one. */
static void send_all(struct bench_try *t)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(&t->packets)))
		ip_local_out(bench_link.net, skb->sk, skb);
}

/* Send a burst: the softirqs that its packets raise run at its end. */
static void send_burst(struct bench_try *t, u32 burst)
{
	struct sk_buff *skb;

	local_bh_disable();
	while (burst-- && (skb = __skb_dequeue(&t->packets)))
		ip_local_out(bench_link.net, skb->sk, skb);
	local_bh_enable();
}

static void send(const struct dsbench_set *set)
{
	struct bench_try *t = set->priv;

	if (!set->burst) {
		send_all(t);
		return;
	}
	while (!skb_queue_empty(&t->packets))
		send_burst(t, set->burst);
}

/*
 * Do what the veth does to a packet on its way to the peer. A packet that arrives
 * has no socket.
 */
static int cross_link(const struct bench_try *t, struct sk_buff *skb)
{
	__be16 protocol = skb->protocol;

	if (skb_cow_head(skb, ETH_HLEN))
		return -ENOMEM;

	skb_orphan(skb);
	skb_scrub_packet(skb, true);
	eth_header(skb, t->peer, ntohs(protocol), t->peer->dev_addr,
		   t->underlay->dev_addr, skb->len);
	skb->protocol = eth_type_trans(skb, t->peer);
	return 0;
}

/* Send the packets through the device, and collect them after the underlay. */
static int encapsulate(struct bench_try *t, u32 segments)
{
	struct sk_buff *skb;
	int err = 0;

	bench_tap_start(t->underlay->ifindex);
	send_all(t);
	bench_tap_wait(segments);
	bench_tap_take(&t->packets);
	bench_tap_stop();

	skb_queue_walk(&t->packets, skb) {
		if (!err)
			err = cross_link(t, skb);
	}
	return err;
}

static u64 payload_bytes(const struct dsbench_set *set)
{
	return (u64)packets_of(set) * set->n;
}

static u32 segments_of(const struct dsbench_set *set)
{
	return packets_of(set) * DIV_ROUND_UP(set->n, SEGMENT_SIZE);
}

static int get_ready(struct dsbench_set *set, struct bench_try *t)
{
	int err;

	err = find_devices(t, device_of(set)->ifname);
	if (!err)
		err = build(t, set);
	if (!err && set->op == DSBENCH_RX)
		err = encapsulate(t, segments_of(set));
	if (!err && set->op == DSBENCH_TX)
		bench_tap_start(t->underlay->ifindex);
	bench_sink_drain();
	return err;
}

static void bench_destroy(struct dsbench_set *set)
{
	struct bench_try *t = set->priv;

	bench_tap_stop();
	bench_sink_drain();
	__skb_queue_purge(&t->packets);
	dev_put(t->peer);
	dev_put(t->underlay);
	dev_put(t->dev);
	kfree(t);
}

static int bench_create(struct dsbench_set *set)
{
	struct bench_try *t = kzalloc(sizeof(*t), GFP_KERNEL);
	int err;

	if (!t)
		return -ENOMEM;

	__skb_queue_head_init(&t->packets);
	set->priv = t;
	err = get_ready(set, t);
	if (err)
		bench_destroy(set);
	return err;
}

static int bench_tx(struct dsbench_set *set, u32 first, u32 last)
{
	send(set);
	bench_tap_wait(segments_of(set));
	return 0;
}

/*
 * Deliver a burst as a driver's poll function does: softirqs raised by the burst
 * run at its end. A GSO packet is a burst of its own: some devices segment it, and
 * the backlog cannot hold the segments of all packets.
 */
static void deliver(struct sk_buff_head *packets, u32 burst)
{
	struct sk_buff *skb;

	local_bh_disable();
	while (burst-- && (skb = __skb_dequeue(packets))) {
		bool whole_burst = skb_is_gso(skb);

		netif_receive_skb(skb);
		if (whole_burst)
			break;
	}
	local_bh_enable();
}

static int bench_rx(struct dsbench_set *set, u32 first, u32 last)
{
	struct bench_try *t = set->priv;

	while (!skb_queue_empty(&t->packets))
		deliver(&t->packets, set->burst ?: PACKETS_MAX);
	bench_sink_wait(payload_bytes(set));
	return 0;
}

static int bench_path(struct dsbench_set *set, u32 first, u32 last)
{
	send(set);
	bench_sink_wait(payload_bytes(set));
	return 0;
}

static int bench_verify(struct dsbench_set *set)
{
	if (set->op != DSBENCH_TX)
		return bench_sink_check(packets_of(set), set->n);
	/* A device may send packets of its own, as WireGuard does for new keys. */
	return bench_tap_take(NULL) >= segments_of(set) ? 0 : -EUCLEAN;
}

const struct dsbench_ops bench_ops = {
	.create = bench_create,
	.destroy = bench_destroy,
	.verify = bench_verify,
	.op = {
		[DSBENCH_TX] = bench_tx,
		[DSBENCH_RX] = bench_rx,
		[DSBENCH_PATH] = bench_path,
	},
	.bare = true,
	.sleeps = true,
	.size = bench_payload,
	.burst = bench_burst,
	.batch = bench_packets,
};
