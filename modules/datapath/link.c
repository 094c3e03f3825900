// SPDX-License-Identifier: GPL-2.0
/* The link: both ends of the veth that carries all packets. */

#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/rtnetlink.h>
#include <linux/string.h>

#include "link.h"

static char *underlay;
module_param(underlay, charp, 0444);
MODULE_PARM_DESC(underlay, "the veth that sends all packets; they arrive at its peer");

struct bench_link bench_link;

/* Record both ends of the link. Under RTNL, which keeps the peer in its netns. */
static int follow_link(struct net_device *dev)
{
	struct net_device *peer = NULL;

	if (dev->netdev_ops->ndo_get_peer_dev)
		peer = dev->netdev_ops->ndo_get_peer_dev(dev);
	if (!peer) {
		pr_err("underlay=%s: must be a veth\n", underlay);
		return -EINVAL;
	}
	strscpy(bench_link.underlay, dev->name, sizeof(bench_link.underlay));
	strscpy(bench_link.peer, peer->name, sizeof(bench_link.peer));
	bench_link.peer_net = get_net(dev_net(peer));
	return 0;
}

/**
 * bench_link_open() - find both ends of the link that underlay= names
 *
 * Holds both network namespaces until bench_link_close().
 *
 * Context: may sleep.
 *
 * Return: 0, or a negative error code after a message in the log.
 */
int bench_link_open(void)
{
	struct net_device *dev;
	int err;

	bench_link.net = get_net(current->nsproxy->net_ns);

	rtnl_lock();
	rcu_read_lock();	/* required by ndo_get_peer_dev */
	dev = dev_get_by_name_rcu(bench_link.net, underlay ?: "");
	if (dev) {
		err = follow_link(dev);
	} else {
		pr_err("underlay=%s: no such device in this network namespace\n",
		       underlay ?: "");
		err = -ENODEV;
	}
	rcu_read_unlock();
	rtnl_unlock();

	if (err)
		put_net(bench_link.net);
	return err;
}

/**
 * bench_link_close() - undo bench_link_open()
 *
 * Context: may sleep.
 */
void bench_link_close(void)
{
	put_net(bench_link.peer_net);
	put_net(bench_link.net);
}
