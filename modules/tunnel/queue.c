// SPDX-License-Identifier: GPL-2.0
/* Queues of decapsulated packets, one for each CPU and device, polled by NAPI. */

#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <net/gro.h>

#include <dsbench/compat.h>

#include "queue.h"

/* Move up to @budget packets to @batch. Return their number. */
static int udptun_queue_take(struct udptun_queue *queue, struct list_head *batch,
			     int budget)
{
	int count;

	spin_lock(&queue->lock);
	if (likely(queue->length <= budget)) {
		count = queue->length;
		list_splice_tail_init(&queue->packets, batch);
	} else {
		for (count = 0; count < budget; count++)
			list_move_tail(queue->packets.next, batch);
	}
	queue->length -= count;
	spin_unlock(&queue->lock);
	return count;
}

/*
 * GRO merges into the buffers of packets, so it must not see one whose data a
 * capture shares. All packets of a batch take the same way: one flow stays in order.
 */
static bool udptun_queue_may_merge(const struct net_device *dev,
				   const struct list_head *batch)
{
	const struct sk_buff *skb;

	if (netif_elide_gro(dev))
		return false;
	list_for_each_entry(skb, batch, list) {
		if (unlikely(skb_cloned(skb)))
			return false;
	}
	return true;
}

static void udptun_queue_merge(struct napi_struct *napi, struct list_head *batch)
{
	struct sk_buff *skb, *next;

	list_for_each_entry_safe(skb, next, batch, list) {
		skb_list_del_init(skb);
		napi_gro_receive(napi, skb);
	}
}

/*
 * Deliver a batch. A packet that is alone has nothing to merge with, and GRO would
 * cost it more than the rest of the receive path.
 */
static void udptun_queue_deliver(struct napi_struct *napi, struct list_head *batch)
{
	if (list_is_singular(batch)) {
		struct sk_buff *skb = list_first_entry(batch, struct sk_buff,
						       list);

		skb_list_del_init(skb);
		netif_receive_skb(skb);
	} else if (udptun_queue_may_merge(napi->dev, batch)) {
		udptun_queue_merge(napi, batch);
	} else {
		netif_receive_skb_list(batch);
	}
}

static int udptun_queue_poll(struct napi_struct *napi, int budget)
{
	struct udptun_queue *queue = container_of(napi, struct udptun_queue, napi);
	LIST_HEAD(batch);
	int count;

	count = udptun_queue_take(queue, &batch, budget);
	if (likely(count))
		udptun_queue_deliver(napi, &batch);
	/* The next batch may pass GRO by: GRO keeps no packet of this one. */
	if (count < budget)
		napi_complete_done(napi, count);
	else
		napi_gro_flush(napi, false);
	return count;
}

/**
 * udptun_queue_add() - queue a packet for delivery
 * @queues: the queues of the device that has received the packet
 * @skb: the packet, data at the inner IP header
 *
 * The queue holds up to net.core.netdev_max_backlog packets, like that of
 * netif_rx(). A packet that is not queued is counted as dropped, not consumed.
 *
 * Context: BH is disabled, RCU is held.
 * Return: 0 or the reason to drop the packet.
 */
enum skb_drop_reason udptun_queue_add(struct udptun_queue __percpu *queues,
				      struct sk_buff *skb)
{
	struct udptun_queue *queue = this_cpu_ptr(queues);
	enum skb_drop_reason reason = SKB_NOT_DROPPED_YET;
	bool first = false;

	spin_lock(&queue->lock);
	if (unlikely(!queue->open)) {
		reason = SKB_DROP_REASON_DEV_READY;
	} else if (unlikely(queue->length > dsbench_max_backlog())) {
		reason = SKB_DROP_REASON_CPU_BACKLOG;
	} else {
		list_add_tail(&skb->list, &queue->packets);
		first = !queue->length++;
	}
	spin_unlock(&queue->lock);

	if (first)
		napi_schedule(&queue->napi);
	if (unlikely(reason))
		dev_core_stats_rx_dropped_inc(skb->dev);
	return reason;
}

/**
 * udptun_queues_create() - create the queues of a device, closed
 * @dev: the device
 *
 * Context: Process context, in ndo_init.
 * Return: the queues, to be freed by free_percpu() after udptun_queues_remove()
 * and an RCU grace period, or NULL: out of memory.
 */
struct udptun_queue __percpu *udptun_queues_create(struct net_device *dev)
{
	struct udptun_queue __percpu *queues = alloc_percpu(struct udptun_queue);
	int cpu;

	if (!queues)
		return NULL;
	for_each_possible_cpu(cpu) {
		struct udptun_queue *queue = per_cpu_ptr(queues, cpu);

		spin_lock_init(&queue->lock);
		INIT_LIST_HEAD(&queue->packets);
		/* As in gro_cells: sockets cannot poll what a softirq fills. */
		set_bit(NAPI_STATE_NO_BUSY_POLL, &queue->napi.state);
		netif_napi_add(dev, &queue->napi, udptun_queue_poll);
	}
	return queues;
}

/* Accept packets. Context: ndo_open. */
void udptun_queues_open(struct udptun_queue __percpu *queues)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct udptun_queue *queue = per_cpu_ptr(queues, cpu);

		/* First: a packet schedules the NAPI only if it finds the queue empty. */
		napi_enable(&queue->napi);
		spin_lock_bh(&queue->lock);
		queue->open = true;
		spin_unlock_bh(&queue->lock);
	}
}

/*
 * Drop the queued packets and accept no more. Afterwards none is being delivered:
 * the core flushes the queues behind ours next, where RPS may have put some.
 *
 * Context: ndo_stop.
 */
void udptun_queues_close(struct udptun_queue __percpu *queues)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct udptun_queue *queue = per_cpu_ptr(queues, cpu);
		struct sk_buff *skb, *next;
		LIST_HEAD(packets);

		spin_lock_bh(&queue->lock);
		queue->open = false;
		queue->length = 0;
		list_splice_init(&queue->packets, &packets);
		spin_unlock_bh(&queue->lock);

		napi_disable(&queue->napi);
		list_for_each_entry_safe(skb, next, &packets, list) {
			skb_list_del_init(skb);
			dev_core_stats_rx_dropped_inc(skb->dev);
			kfree_skb_reason(skb, SKB_DROP_REASON_DEV_READY);
		}
	}
}

/**
 * udptun_queues_remove() - take closed queues off their device
 * @queues: the queues
 *
 * netpoll may still see them: free them after a grace period.
 *
 * Context: Process context, in ndo_uninit.
 */
void udptun_queues_remove(struct udptun_queue __percpu *queues)
{
	int cpu;

	for_each_possible_cpu(cpu)
		__netif_napi_del(&per_cpu_ptr(queues, cpu)->napi);
}
