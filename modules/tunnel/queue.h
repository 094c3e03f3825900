/* SPDX-License-Identifier: GPL-2.0 */
/* Queues of decapsulated packets, one for each CPU and device, polled by NAPI. */
#ifndef _UDPTUN_QUEUE_H
#define _UDPTUN_QUEUE_H

#include <linux/llist.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>

/**
 * struct udptun_queue - the packets that a CPU has decapsulated for a device
 * @arrived: packets, newest first. Only this CPU adds to it
 * @added: number of packets ever added
 * @open: the device is up
 * @waiting: packets that exceeded the budget of the last poll, oldest first
 * @taken: number of packets ever taken. The owner of @napi changes @waiting and
 *	@taken: on this CPU, or in the thread of a threaded NAPI, or on the CPU
 *	that takes over from one that goes offline
 * @napi: delivers the packets
 */
struct udptun_queue {
	struct llist_head arrived;
	unsigned int added;
	bool open;
	struct llist_node *waiting;
	unsigned int taken;
	struct napi_struct napi;
};

struct udptun_queue __percpu *udptun_queues_create(struct net_device *dev);
void udptun_queues_open(struct udptun_queue __percpu *queues);
void udptun_queues_close(struct udptun_queue __percpu *queues);
void udptun_queues_remove(struct udptun_queue __percpu *queues);
void udptun_queues_free(struct udptun_queue __percpu *queues);
enum skb_drop_reason udptun_queue_add(struct udptun_queue __percpu *queues,
				      struct sk_buff *skb);

#endif /* _UDPTUN_QUEUE_H */
