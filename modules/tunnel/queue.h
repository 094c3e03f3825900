/* SPDX-License-Identifier: GPL-2.0 */
/* Queues of decapsulated packets, one for each CPU and device, polled by NAPI. */
#ifndef _UDPTUN_QUEUE_H
#define _UDPTUN_QUEUE_H

#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>

/**
 * struct udptun_queue - the packets that a CPU has decapsulated for a device
 * @lock: protects @packets, @length and @open. A CPU adds packets only to its own
 *	queue, but the thread of a threaded NAPI, or the CPU that takes over from
 *	one that goes offline, polls the queue from elsewhere
 * @packets: packets to deliver, oldest first
 * @length: number of packets in @packets
 * @open: the device is up; a closed queue is empty, and accepts no packets
 * @napi: delivers the packets
 */
struct udptun_queue {
	spinlock_t lock;
	struct list_head packets;
	unsigned int length;
	bool open;
	struct napi_struct napi;
};

struct udptun_queue __percpu *udptun_queues_create(struct net_device *dev);
void udptun_queues_open(struct udptun_queue __percpu *queues);
void udptun_queues_close(struct udptun_queue __percpu *queues);
void udptun_queues_remove(struct udptun_queue __percpu *queues);
enum skb_drop_reason udptun_queue_add(struct udptun_queue __percpu *queues,
				      struct sk_buff *skb);

#endif /* _UDPTUN_QUEUE_H */
