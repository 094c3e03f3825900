// SPDX-License-Identifier: GPL-2.0
/* Queues of decapsulated packets, one for each CPU and device, polled by NAPI. */

#include <linux/netdevice.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <net/gro.h>

#include <dsbench/compat.h>

#include "queue.h"

static struct sk_buff *udptun_queue_skb(struct llist_node *node)
{
	return llist_entry(node, struct sk_buff, ll_node);
}

/**
 * struct udptun_batch - the packets of one poll
 * @first: the oldest packet
 * @count: number of packets
 * @shared: a capture shares the data of a packet
 */
struct udptun_batch {
	struct llist_node *first;
	int count;
	bool shared;
};

/* Take up to @budget packets. Context: owner of the NAPI. */
static void udptun_queue_take(struct udptun_queue *queue, struct udptun_batch *batch,
			      int budget)
{
	struct llist_node *last = NULL;
	struct llist_node *node;

	if (likely(!queue->waiting))
		queue->waiting = llist_reverse_order(llist_del_all(&queue->arrived));

	*batch = (struct udptun_batch) { .first = queue->waiting };
	for (node = batch->first; node && batch->count < budget; node = node->next) {
		batch->shared |= skb_cloned(udptun_queue_skb(node));
		batch->count++;
		last = node;
	}
	if (!last)
		return;
	queue->waiting = last->next;
	last->next = NULL;
	WRITE_ONCE(queue->taken, queue->taken + batch->count);
}

/* Remove the first packet of a batch. */
static struct sk_buff *udptun_batch_next(struct udptun_batch *batch)
{
	struct sk_buff *skb = udptun_queue_skb(batch->first);

	batch->first = batch->first->next;
	skb_mark_not_on_list(skb);
	return skb;
}

static void udptun_batch_merge(struct udptun_batch *batch, struct napi_struct *napi)
{
	while (batch->first)
		napi_gro_receive(napi, udptun_batch_next(batch));
}

static void udptun_batch_pass(struct udptun_batch *batch)
{
	LIST_HEAD(packets);

	while (batch->first)
		list_add_tail(&udptun_batch_next(batch)->list, &packets);
	netif_receive_skb_list(&packets);
}

/*
 * Deliver a batch. A packet that is alone has nothing to merge with, and GRO would
 * cost it more than the rest of the receive path. GRO merges into the buffers of
 * packets, so it must not see shared ones. All packets of a batch take the same path,
 * so each flow stays in order.
 */
static void udptun_batch_deliver(struct udptun_batch *batch, struct napi_struct *napi)
{
	if (batch->count == 1)
		netif_receive_skb(udptun_batch_next(batch));
	else if (likely(!batch->shared && !netif_elide_gro(napi->dev)))
		udptun_batch_merge(batch, napi);
	else
		udptun_batch_pass(batch);
}

static int udptun_queue_poll(struct napi_struct *napi, int budget)
{
	struct udptun_queue *queue = container_of(napi, struct udptun_queue, napi);
	struct udptun_batch batch;
	int count;

	udptun_queue_take(queue, &batch, budget);
	count = batch.count;
	if (likely(count))
		udptun_batch_deliver(&batch, napi);
	/*
	 * The next batch may not pass GRO, so GRO must not keep a packet of this one,
	 * as napi_complete_done() allows with gro_flush_timeout.
	 */
	napi_gro_flush(napi, false);
	if (likely(count < budget))
		napi_complete_done(napi, count);
	return count;
}

/**
 * udptun_queue_add() - queue a packet for delivery
 * @queues: the queues of the device that has received the packet
 * @skb: the packet, data at the inner IP header
 *
 * The queue holds up to net.core.netdev_max_backlog packets, like that of
 * netif_rx(). A packet that is not queued counts as dropped; the caller frees it.
 *
 * Context: BH is disabled, RCU is held.
 * Return: 0 or the reason to drop the packet.
 */
enum skb_drop_reason udptun_queue_add(struct udptun_queue __percpu *queues,
				      struct sk_buff *skb)
{
	struct udptun_queue *queue = this_cpu_ptr(queues);
	enum skb_drop_reason reason;

	if (unlikely(!READ_ONCE(queue->open))) {
		reason = SKB_DROP_REASON_DEV_READY;
		goto drop;
	}
	if (unlikely(queue->added - READ_ONCE(queue->taken) > dsbench_max_backlog())) {
		reason = SKB_DROP_REASON_CPU_BACKLOG;
		goto drop;
	}
	queue->added++;
	/* The poll takes the whole list: the first packet of a new list schedules it. */
	if (llist_add(&skb->ll_node, &queue->arrived))
		napi_schedule(&queue->napi);
	return SKB_NOT_DROPPED_YET;

drop:
	dev_core_stats_rx_dropped_inc(skb->dev);
	return reason;
}

/* Drop the queued packets. Context: the NAPI is disabled. */
static void udptun_queue_purge(struct udptun_queue *queue)
{
	struct udptun_batch batch;

	do {
		udptun_queue_take(queue, &batch, INT_MAX);
		while (batch.first) {
			struct sk_buff *skb = udptun_batch_next(&batch);

			dev_core_stats_rx_dropped_inc(skb->dev);
			kfree_skb_reason(skb, SKB_DROP_REASON_DEV_READY);
		}
	} while (batch.count);
}

/**
 * udptun_queues_create() - create the queues of a device, closed
 * @dev: the device
 *
 * Context: Process context, in ndo_init.
 * Return: the queues, or NULL: out of memory.
 */
struct udptun_queue __percpu *udptun_queues_create(struct net_device *dev)
{
	struct udptun_queue __percpu *queues = alloc_percpu(struct udptun_queue);
	int cpu;

	if (!queues)
		return NULL;
	for_each_possible_cpu(cpu) {
		struct udptun_queue *queue = per_cpu_ptr(queues, cpu);

		init_llist_head(&queue->arrived);
		/* As in gro_cells: busy polling cannot fill the queue, a softirq does. */
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

		napi_enable(&queue->napi);
		WRITE_ONCE(queue->open, true);
		/* Poll a packet that was added while the queue was being closed. */
		local_bh_disable();
		if (!llist_empty(&queue->arrived))
			napi_schedule(&queue->napi);
		local_bh_enable();
	}
}

/*
 * Accept no more packets, and drop the queued ones. No poll is running afterwards. RPS
 * may still hold packets that earlier polls delivered: the core flushes those next.
 *
 * Context: ndo_stop.
 */
void udptun_queues_close(struct udptun_queue __percpu *queues)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct udptun_queue *queue = per_cpu_ptr(queues, cpu);

		WRITE_ONCE(queue->open, false);
		napi_disable(&queue->napi);
		udptun_queue_purge(queue);
	}
}

/**
 * udptun_queues_remove() - take closed queues off their device
 * @queues: the queues
 *
 * Context: Process context, in ndo_uninit.
 */
void udptun_queues_remove(struct udptun_queue __percpu *queues)
{
	int cpu;

	for_each_possible_cpu(cpu)
		__netif_napi_del(&per_cpu_ptr(queues, cpu)->napi);
}

/**
 * udptun_queues_free() - free the queues of a device
 * @queues: the queues, or NULL
 *
 * Context: Process context, a grace period after udptun_queues_remove(): netpoll and
 * a packet that is being received may see the queues until then.
 */
void udptun_queues_free(struct udptun_queue __percpu *queues)
{
	int cpu;

	if (!queues)
		return;
	for_each_possible_cpu(cpu)
		udptun_queue_purge(per_cpu_ptr(queues, cpu));
	free_percpu(queues);
}
