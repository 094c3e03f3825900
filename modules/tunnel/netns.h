/* SPDX-License-Identifier: GPL-2.0 */
/* The state that udptun keeps for each network namespace. */
#ifndef _UDPTUN_NETNS_H
#define _UDPTUN_NETNS_H

#include <linux/list.h>
#include <net/net_namespace.h>

/**
 * struct udptun_net - the tunnels and sockets of a network namespace
 * @devices: the tunnels whose sockets are in it
 * @socks: the sockets
 * @demuxed: number of peers in the table of demux.c
 *
 * RTNL protects it.
 */
struct udptun_net {
	struct list_head devices;
	struct list_head socks;
	unsigned int demuxed;
};

extern unsigned int udptun_net_id;

struct udptun_net *udptun_net(const struct net *net);
int __net_init udptun_net_init(struct net *net);

#endif /* _UDPTUN_NETNS_H */
