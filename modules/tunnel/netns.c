// SPDX-License-Identifier: GPL-2.0
/* Network namespaces: the lists of their tunnels and sockets. */

#include <net/netns/generic.h>

#include "netns.h"

unsigned int udptun_net_id __read_mostly;

struct udptun_net *udptun_net(const struct net *net)
{
	return net_generic(net, udptun_net_id);
}

int __net_init udptun_net_init(struct net *net)
{
	struct udptun_net *un = udptun_net(net);

	INIT_LIST_HEAD(&un->devices);
	INIT_LIST_HEAD(&un->socks);
	return 0;
}
