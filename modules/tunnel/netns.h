/* SPDX-License-Identifier: GPL-2.0 */
/* The state that udptun keeps for each network namespace. */
#ifndef _UDPTUN_NETNS_H
#define _UDPTUN_NETNS_H

#include <linux/list.h>
#include <net/net_namespace.h>

/* The tunnels and sockets of a network namespace. RTNL protects both lists. */
struct udptun_net {
	struct list_head devices;
	struct list_head socks;
};

extern unsigned int udptun_net_id;

struct udptun_net *udptun_net(const struct net *net);
int __net_init udptun_net_init(struct net *net);

#endif /* _UDPTUN_NETNS_H */
