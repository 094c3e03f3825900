/* SPDX-License-Identifier: GPL-2.0 */
/* The life of a device: setup, limits of the underlay, unregistration. */
#ifndef _UDPTUN_DEVICE_H
#define _UDPTUN_DEVICE_H

#include <linux/list.h>
#include <linux/netdevice.h>

struct netlink_ext_ack;
struct udptun_params;
struct udptun_device;

void udptun_device_setup(struct net_device *dev);
void udptun_device_set_mode(struct net_device *dev, bool external);
unsigned int udptun_device_fit(struct udptun_device *tun,
			       const struct udptun_params *params);
int udptun_device_link(struct udptun_device *tun, int link,
		       struct netlink_ext_ack *extack);
u64 udptun_device_strangers(const struct net_device *dev);
void udptun_device_release(struct net_device *dev);
void udptun_device_unregister(struct net_device *dev, struct list_head *head);

int udptun_device_init(void);
void udptun_device_exit(void);

#endif /* _UDPTUN_DEVICE_H */
