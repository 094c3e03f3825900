/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UDPTUN_DEVICE_H
#define _UDPTUN_DEVICE_H

#include <linux/list.h>
#include <linux/netdevice.h>
#include <net/gro_cells.h>
#include <net/net_namespace.h>

struct udptun_config;
struct udptun_peer;

struct udptun_device {
	/* All of it is replaced by changelink. */
	struct udptun_peer __rcu *peer;
	struct gro_cells gro_cells;
	struct net_device *dev;
	/* Where the socket is; dev may have moved elsewhere. */
	struct net *net;
	/* In udptun_net.devices until the device is to be unregistered. */
	struct list_head node;
	/* By the user; else it follows the underlay of a new configuration. */
	bool mtu_is_set;
};

void udptun_device_setup(struct net_device *dev);
unsigned int udptun_device_fit(struct udptun_device *tun,
			       const struct udptun_config *cfg);
void udptun_device_release(struct net_device *dev);
void udptun_device_unregister(struct net_device *dev, struct list_head *head);

int udptun_device_init(void);
void udptun_device_exit(void);

#endif /* _UDPTUN_DEVICE_H */
