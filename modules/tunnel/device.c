// SPDX-License-Identifier: GPL-2.0
/* Devices: features and operations, limits of the underlay, unregistration. */

#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <net/dst.h>
#include <net/ip_tunnels.h>
#include <net/neighbour.h>

#include <dsbench/compat.h>

#include "device.h"
#include "netns.h"
#include "queue.h"
#include "conf.h"
#include "demux.h"
#include "route.h"
#include "send.h"
#include "socket.h"
#include "tunnel.h"

/* Offloads that the stack does in software before encapsulation. */
#define UDPTUN_FEATURES	(NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | \
			 NETIF_F_RXCSUM | NETIF_F_GSO_SOFTWARE)

static int udptun_init_dev(struct net_device *dev)
{
	struct udptun_device *tun = netdev_priv(dev);

	/* Tunnels nest: with a class of its own, lockdep does not take that for recursion. */
	netdev_lockdep_set_classes(dev);
	tun->queues = udptun_queues_create(dev);
	return tun->queues ? 0 : -ENOMEM;
}

/*
 * The device has been down for a grace period: no packet is in udptun_xmit(),
 * or in udptun_receive() beyond the check of netif_running().
 */
static void udptun_uninit(struct net_device *dev)
{
	struct udptun_device *tun = netdev_priv(dev);
	struct udptun_conf *conf = rtnl_dereference(tun->conf);

	udptun_conf_detach(conf);
	/* The routes' namespace may be freed before the last reference to the device. */
	udptun_route_drop(conf);
	udptun_demux_forget(conf);
	udptun_queues_remove(tun->queues);
}

static int udptun_open(struct net_device *dev)
{
	struct udptun_device *tun = netdev_priv(dev);

	udptun_queues_open(tun->queues);
	return 0;
}

static int udptun_stop(struct net_device *dev)
{
	struct udptun_device *tun = netdev_priv(dev);

	udptun_queues_close(tun->queues);
	return 0;
}

static int udptun_change_mtu(struct net_device *dev, int mtu)
{
	struct udptun_device *tun = netdev_priv(dev);

	tun->mtu_is_set = true;
	WRITE_ONCE(dev->mtu, mtu);
	return 0;
}

/*
 * The header_ops, which packet sockets need, make IP choose an output function that adds
 * a link header. There is none: send without that function.
 */
static int udptun_neigh_output(struct neighbour *neigh, struct sk_buff *skb)
{
	return dev_queue_xmit(skb);
}

static int udptun_neigh_construct(struct net_device *dev, struct neighbour *neigh)
{
	neigh->output = udptun_neigh_output;
	return 0;
}

static int udptun_get_iflink(const struct net_device *dev)
{
	const struct udptun_device *tun = netdev_priv(dev);
	const struct udptun_conf *conf;
	int link;

	rcu_read_lock();
	conf = rcu_dereference(tun->conf);
	link = conf && conf->params.link ? conf->params.link : dev->ifindex;
	rcu_read_unlock();
	return link;
}

/*
 * Return the number of packets from strangers at the socket of a device.
 *
 * Context: Process context, under rtnl_lock().
 */
u64 udptun_device_strangers(const struct net_device *dev)
{
	const struct udptun_device *tun = netdev_priv(dev);
	const struct udptun_conf *conf = rtnl_dereference(tun->conf);

	return conf->detached ? 0 : atomic64_read(&conf->sock->strangers);
}

#define UDPTUN_OPS							\
	.ndo_init = udptun_init_dev,					\
	.ndo_uninit = udptun_uninit,					\
	.ndo_open = udptun_open,					\
	.ndo_stop = udptun_stop,					\
	.ndo_change_mtu = udptun_change_mtu,				\
	.ndo_neigh_construct = udptun_neigh_construct,			\
	.ndo_get_iflink = udptun_get_iflink,				\
	.ndo_get_stats64 = dev_get_tstats64

static const struct net_device_ops udptun_ops = {
	UDPTUN_OPS,
	.ndo_start_xmit = udptun_xmit,
};

static const struct net_device_ops udptun_external_ops = {
	UDPTUN_OPS,
	.ndo_start_xmit = udptun_xmit_external,
};

static const char udptun_stat_names[][ETH_GSTRING_LEN] = {
	"rx_stranger",
};

static int udptun_get_sset_count(struct net_device *dev, int sset)
{
	return sset == ETH_SS_STATS ? ARRAY_SIZE(udptun_stat_names) :
				      -EOPNOTSUPP;
}

static void udptun_get_strings(struct net_device *dev, u32 sset, u8 *data)
{
	if (sset == ETH_SS_STATS)
		memcpy(data, udptun_stat_names, sizeof(udptun_stat_names));
}

static void udptun_get_ethtool_stats(struct net_device *dev,
				     struct ethtool_stats *stats, u64 *data)
{
	data[0] = udptun_device_strangers(dev);
}

static const struct ethtool_ops udptun_ethtool_ops = {
	.get_link = ethtool_op_get_link,
	.get_sset_count = udptun_get_sset_count,
	.get_strings = udptun_get_strings,
	.get_ethtool_stats = udptun_get_ethtool_stats,
};

static const struct device_type udptun_type = {
	.name = UDPTUN_KIND,
};

/* The outer length fields must also hold the length of a GSO packet. */
static void udptun_device_limit_gso(struct net_device *dev, unsigned int overhead)
{
	netif_set_tso_max_size(dev, IP_MAX_MTU - overhead);
}

/* Initialise the parts of a device that do not depend on its configuration. */
void udptun_device_setup(struct net_device *dev)
{
	struct udptun_device *tun = netdev_priv(dev);

	tun->dev = dev;
	INIT_LIST_HEAD(&tun->node);

	dev->netdev_ops = &udptun_ops;
	dev->ethtool_ops = &udptun_ethtool_ops;
	dev->header_ops = &ip_tunnel_header_ops;
	SET_NETDEV_DEVTYPE(dev, &udptun_type);
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST;
	dev->priv_flags |= IFF_NO_QUEUE;
	dsbench_set_lltx(dev);
	/* udptun_report_mtu() in send.c updates the path MTU of a packet's route. */
	netif_keep_dst(dev);
	dev->features |= UDPTUN_FEATURES;
	dev->hw_features |= UDPTUN_FEATURES;
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	dev->mtu = ETH_DATA_LEN - udptun_overhead(AF_INET6);
	dev->min_mtu = IPV4_MIN_MTU;
	dev->max_mtu = IP_MAX_MTU - udptun_overhead(AF_INET);
	udptun_device_limit_gso(dev, udptun_overhead(AF_INET6));
	/* That is the default. Users may raise gso_max_size where UDP carries more. */
	if (DSBENCH_HAS_BIG_UDP)
		netif_set_tso_max_size(dev, GSO_MAX_SIZE);
	dev->needs_free_netdev = true;
}

/*
 * Choose the transmit function of a new device. The mode never changes: a tunnel
 * with one peer does not ask for metadata.
 */
void udptun_device_set_mode(struct net_device *dev, bool external)
{
	dev->netdev_ops = external ? &udptun_external_ops : &udptun_ops;
}

/* Limits of the underlay, in bytes. */
struct underlay {
	unsigned int mtu;
	unsigned int headroom;
	unsigned int tailroom;
};

static void udptun_underlay_read(struct underlay *underlay,
				 const struct net_device *dev)
{
	underlay->mtu = min_t(unsigned int, READ_ONCE(dev->mtu), IP_MAX_MTU);
	underlay->headroom = dev->hard_header_len +
			     READ_ONCE(dev->needed_headroom);
	underlay->tailroom = READ_ONCE(dev->needed_tailroom);
}

static void udptun_underlay_find(struct underlay *underlay, struct net *net,
				 const struct udptun_params *params)
{
	const struct net_device *dev;
	struct dst_entry *dst;

	*underlay = (struct underlay) {
		.mtu = ETH_DATA_LEN,
		.headroom = LL_MAX_HEADER,
	};

	/* A VRF does not transmit: the route leads to the device that does. */
	dev = params->link ? __dev_get_by_index(net, params->link) : NULL;
	if (dev && !netif_is_l3_master(dev)) {
		udptun_underlay_read(underlay, dev);
		return;
	}
	/* An external tunnel has no route of its own: the metadata of a packet select it. */
	if (params->external)
		return;
	dst = udptun_route_lookup(net, NULL, params, params->tos, params->mark);
	if (IS_ERR(dst))
		return;
	udptun_underlay_read(underlay, DSBENCH_DST_DEV(dst));
	dst_release(dst);
}

/**
 * udptun_device_fit() - adapt a device's headroom and limits to its underlay
 * @tun: the device
 * @params: the parameters, which may not be in use yet
 *
 * Without a route to the peer, the limits are those of Ethernet.
 *
 * Context: Process context, under rtnl_lock().
 * Return: the MTU that the underlay leaves for inner packets, in bytes.
 */
unsigned int udptun_device_fit(struct udptun_device *tun,
			       const struct udptun_params *params)
{
	unsigned int overhead = udptun_overhead(params->family);
	struct net_device *dev = tun->dev;
	struct underlay underlay;

	udptun_underlay_find(&underlay, tun->net, params);
	/* Senders read both without a lock. */
	WRITE_ONCE(dev->needed_headroom, min(underlay.headroom + overhead,
					     UDPTUN_MAX_HEADROOM));
	WRITE_ONCE(dev->needed_tailroom, underlay.tailroom);
	dev->max_mtu = IP_MAX_MTU - overhead;
	if (!DSBENCH_HAS_BIG_UDP)
		udptun_device_limit_gso(dev, overhead);
	return max(underlay.mtu, overhead + dev->min_mtu) - overhead;
}

/* The priv_destructor: called after the last reference to the device is gone. */
void udptun_device_release(struct net_device *dev)
{
	struct udptun_device *tun = netdev_priv(dev);

	udptun_conf_destroy(rcu_dereference_protected(tun->conf, true));
	udptun_queues_free(tun->queues);
}

static void udptun_device_unlink(struct udptun_device *tun)
{
	if (!tun->lower)
		return;
	netdev_upper_dev_unlink(tun->lower, tun->dev);
	tun->lower = NULL;
}

/**
 * udptun_device_link() - make a device the upper device of its underlay
 * @tun: the device
 * @link: index of the underlay, 0 if there is none
 * @extack: receives the reason for a failure
 *
 * Replaces the link to an earlier underlay. The core refuses a link that would
 * make a device carry itself.
 *
 * Context: Process context, under rtnl_lock().
 * Return: 0 or an error; then the earlier link stays.
 */
int udptun_device_link(struct udptun_device *tun, int link,
		       struct netlink_ext_ack *extack)
{
	struct net_device *lower;
	int err;

	lower = link ? __dev_get_by_index(tun->net, link) : NULL;
	if (lower == tun->lower)
		return 0;
	if (!lower) {
		udptun_device_unlink(tun);
		return 0;
	}
	/* Replace the link in one step: the new underlay may be stacked on the old one. */
	err = netdev_adjacent_change_prepare(tun->lower, lower, tun->dev,
					     extack);
	if (err == -EBUSY)
		NL_SET_ERR_MSG(extack, "The underlay device is itself carried by this tunnel");
	else if (err == -EMLINK)
		NL_SET_ERR_MSG(extack, "Too many devices are stacked on each other");
	else if (err)
		NL_SET_ERR_MSG(extack, "The device cannot be stacked on its underlay");
	if (err)
		return err;
	netdev_adjacent_change_commit(tun->lower, lower, tun->dev);
	tun->lower = lower;
	return 0;
}

/*
 * Queue a device for unregistration. Every path that unregisters a device uses
 * this function: it takes the device off the list, so none is queued twice.
 */
void udptun_device_unregister(struct net_device *dev, struct list_head *head)
{
	struct udptun_device *tun = netdev_priv(dev);

	list_del_init(&tun->node);
	/* The core may unregister the underlay first, which then must have no upper device. */
	udptun_device_unlink(tun);
	unregister_netdevice_queue(dev, head);
}

static bool udptun_is_carried_by(const struct udptun_device *tun,
				 const struct net_device *lower)
{
	return rtnl_dereference(tun->conf)->params.link == lower->ifindex;
}

static void udptun_queue_carried(const struct net_device *lower,
				 struct list_head *kill_list)
{
	struct udptun_net *un = udptun_net(dev_net(lower));
	struct udptun_device *tun, *next;

	/* net_generic() is NULL if setup_net() failed before our init ran. */
	if (!un)
		return;

	list_for_each_entry_safe(tun, next, &un->devices, node) {
		if (udptun_is_carried_by(tun, lower))
			udptun_device_unregister(tun->dev, kill_list);
	}
}

/*
 * Unregister the devices bound to an underlay together with it, and the devices
 * bound to those devices. All are collected in one list: unregistering each
 * alone would recurse into this notifier.
 */
static int udptun_netdevice_event(struct notifier_block *nb, unsigned long event,
				  void *data)
{
	const struct net_device *lower = netdev_notifier_info_to_dev(data);
	const struct net_device *dev;
	LIST_HEAD(kill_list);

	if (event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;

	udptun_queue_carried(lower, &kill_list);
	list_for_each_entry(dev, &kill_list, unreg_list)
		udptun_queue_carried(dev, &kill_list);
	unregister_netdevice_many(&kill_list);
	return NOTIFY_DONE;
}

static struct notifier_block netdevice_notifier = {
	.notifier_call = udptun_netdevice_event,
};

/* Unregister the devices whose sockets are in a dying namespace, wherever they are. */
static void __net_exit udptun_net_exit_batch(struct list_head *nets)
{
	struct udptun_device *tun, *next;
	LIST_HEAD(kill_list);
	struct net *net;

	rtnl_lock();
	list_for_each_entry(net, nets, exit_list) {
		list_for_each_entry_safe(tun, next, &udptun_net(net)->devices,
					 node)
			udptun_device_unregister(tun->dev, &kill_list);
	}
	unregister_netdevice_many(&kill_list);
	rtnl_unlock();
}

static struct pernet_operations net_ops = {
	.init = udptun_net_init,
	.exit_batch = udptun_net_exit_batch,
	.id = &udptun_net_id,
	.size = sizeof(struct udptun_net),
};

int udptun_device_init(void)
{
	int err;

	err = register_pernet_device(&net_ops);
	if (err)
		return err;

	err = register_netdevice_notifier(&netdevice_notifier);
	if (err)
		goto err_notifier;

	return 0;

err_notifier:
	unregister_pernet_device(&net_ops);
	return err;
}

void udptun_device_exit(void)
{
	unregister_netdevice_notifier(&netdevice_notifier);
	unregister_pernet_device(&net_ops);
}
