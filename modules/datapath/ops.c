// SPDX-License-Identifier: GPL-2.0
/* tx, rx and path: the same for every device, whatever its kind. */

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
 * struct attempt - one try
 * @packets: to send, or to receive
 * @dev: the device, held
 * @underlay: where its packets leave, held
 * @peer: where they arrive, held
 */
struct attempt {
	struct sk_buff_head packets;
	struct net_device *dev;
	struct net_device *underlay;
	struct net_device *peer;
};

static const struct bench_device *device_of(const struct dsbench_set *set)
{
	return container_of_const(set->subject, struct bench_device, subject);
}

static int find_devices(struct attempt *a, const char *ifname)
{
	a->dev = dev_get_by_name(bench_link.net, ifname);
	a->underlay = dev_get_by_name(bench_link.net, bench_link.underlay);
	a->peer = dev_get_by_name(bench_link.peer_net, bench_link.peer);
	if (a->dev && a->underlay && a->peer)
		return 0;

	pr_err("%s: %s or the link under it is gone\n", ifname, ifname);
	return -ENODEV;
}

static int build(struct attempt *a, const struct bench_device *b, u32 payload)
{
	u32 i;

	for (i = 0; i < bench_packets(payload); i++) {
		struct sk_buff *skb = bench_packet_build(a->dev, b->daddr,
							 payload);

		if (!skb) {
			pr_err("%s: no route to %pI4 by %s, or no memory\n",
			       b->label, &b->daddr, b->ifname);
			return -ENETUNREACH;
		}
		__skb_queue_tail(&a->packets, skb);
	}
	return 0;
}

static void send_all(struct attempt *a)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(&a->packets)))
		ip_local_out(bench_link.net, NULL, skb);
}

/* What the link does between its two ends. */
static int cross_link(const struct attempt *a, struct sk_buff *skb)
{
	__be16 protocol = skb->protocol;

	if (skb_cow_head(skb, ETH_HLEN))
		return -ENOMEM;

	skb_scrub_packet(skb, true);
	eth_header(skb, a->peer, ntohs(protocol), a->peer->dev_addr,
		   a->underlay->dev_addr, skb->len);
	skb->protocol = eth_type_trans(skb, a->peer);
	return 0;
}

/* Let the device encapsulate the packets, and take them behind the underlay. */
static int encapsulate(struct attempt *a, u32 segments)
{
	struct sk_buff *skb;
	int err = 0;

	bench_tap_start(a->underlay->ifindex);
	send_all(a);
	bench_tap_wait(segments);
	bench_tap_take(&a->packets);
	bench_tap_stop();

	skb_queue_walk(&a->packets, skb) {
		if (!err)
			err = cross_link(a, skb);
	}
	return err;
}

static u64 payload_bytes(const struct dsbench_set *set)
{
	return (u64)bench_packets(set->n) * set->n;
}

static u32 segments_of(const struct dsbench_set *set)
{
	return bench_packets(set->n) * DIV_ROUND_UP(set->n, SEGMENT_SIZE);
}

static int get_ready(struct dsbench_set *set, struct attempt *a)
{
	const struct bench_device *b = device_of(set);
	int err;

	err = find_devices(a, b->ifname);
	if (!err)
		err = build(a, b, set->n);
	if (!err && set->op == DSBENCH_RX)
		err = encapsulate(a, segments_of(set));
	if (!err && set->op == DSBENCH_TX)
		bench_tap_start(a->underlay->ifindex);
	bench_sink_drain();
	return err;
}

static void bench_destroy(struct dsbench_set *set)
{
	struct attempt *a = set->priv;

	bench_tap_stop();
	bench_sink_drain();
	__skb_queue_purge(&a->packets);
	dev_put(a->peer);
	dev_put(a->underlay);
	dev_put(a->dev);
	kfree(a);
}

static int bench_create(struct dsbench_set *set)
{
	struct attempt *a = kzalloc(sizeof(*a), GFP_KERNEL);
	int err;

	if (!a)
		return -ENOMEM;

	__skb_queue_head_init(&a->packets);
	set->priv = a;
	err = get_ready(set, a);
	if (err)
		bench_destroy(set);
	return err;
}

static int bench_tx(struct dsbench_set *set, u32 first, u32 last)
{
	send_all(set->priv);
	bench_tap_wait(segments_of(set));
	return 0;
}

/*
 * As a driver's poll delivers a batch: what it woke runs at the end of it. A GSO
 * packet is a batch of its own, for some devices cut it into its segments, and
 * no backlog is made for those of all packets.
 */
static void deliver(struct sk_buff_head *packets)
{
	struct sk_buff *skb;

	local_bh_disable();
	while ((skb = __skb_dequeue(packets))) {
		bool whole_batch = skb_is_gso(skb);

		netif_receive_skb(skb);
		if (whole_batch)
			break;
	}
	local_bh_enable();
}

static int bench_rx(struct dsbench_set *set, u32 first, u32 last)
{
	struct attempt *a = set->priv;

	while (!skb_queue_empty(&a->packets))
		deliver(&a->packets);
	bench_sink_wait(payload_bytes(set));
	return 0;
}

static int bench_path(struct dsbench_set *set, u32 first, u32 last)
{
	send_all(set->priv);
	bench_sink_wait(payload_bytes(set));
	return 0;
}

static int bench_verify(struct dsbench_set *set)
{
	if (set->op != DSBENCH_TX)
		return bench_sink_check(bench_packets(set->n), set->n);
	/* More where a device speaks for itself, as WireGuard does of new keys. */
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
	.batch = bench_packets,
};
