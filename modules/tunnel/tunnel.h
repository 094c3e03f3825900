/* SPDX-License-Identifier: GPL-2.0 */
/* The private data of a udptun network device. */
#ifndef _UDPTUN_TUNNEL_H
#define _UDPTUN_TUNNEL_H

#include <linux/list.h>
#include <linux/netdevice.h>
#include <net/net_namespace.h>

/* In bytes, as in ip_tunnel.c: without a limit, stacked tunnels would add up. */
#define UDPTUN_MAX_HEADROOM	512U

struct udptun_conf;
struct udptun_queue;

/**
 * struct udptun_device - private data of a network device
 * @conf: the configuration; changelink replaces it as a whole
 * @queues: decapsulated packets, before their delivery
 * @dev: the network device
 * @net: namespace of the socket; @dev may have moved to another one
 * @node: in udptun_net.devices, until the device is queued for unregistration
 * @lower: the underlay that @dev is linked to as its upper device, or NULL
 * @mtu_is_set: the user has set the MTU; else it follows the underlay
 */
struct udptun_device {
	struct udptun_conf __rcu *conf;
	struct udptun_queue __percpu *queues;
	struct net_device *dev;
	struct net *net;
	struct list_head node;
	struct net_device *lower;
	bool mtu_is_set;
};

#endif /* _UDPTUN_TUNNEL_H */
