// SPDX-License-Identifier: GPL-2.0
/*
 * dsbench_tunnel.ko: parameters, and the devices that they name, registered with
 * the core one by one. All is fixed while the module is loaded.
 */

#include <linux/inet.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/rtnetlink.h>
#include <linux/string.h>

#include "datapath.h"

#define DEVICES_MAX	16
#define PAYLOADS_MAX	16

static char *devices;
module_param(devices, charp, 0444);
MODULE_PARM_DESC(devices, "LABEL:INTERFACE:DESTINATION with commas between: the label in the results, the device, the far end's IPv4 address behind it");

static char *underlay;
module_param(underlay, charp, 0444);
MODULE_PARM_DESC(underlay, "the veth by which all packets leave; its peer is where they arrive");

static unsigned int payloads[PAYLOADS_MAX] = { 64, 512, 1400, PAYLOAD_MAX };
static unsigned int payload_count = 4;
module_param_array(payloads, uint, &payload_count, 0444);
MODULE_PARM_DESC(payloads, "bytes of payload (default 64,512,1400,64400); above 1400 one GSO packet");

static unsigned int packets = 32;
module_param(packets, uint, 0444);
MODULE_PARM_DESC(packets, "packets in a try (default 32); GSO packets, 8 at the most");

struct bench_link bench_link;

static struct bench_device bench[DEVICES_MAX];
static unsigned int bench_count;

/**
 * bench_packets() - how many packets a try sends
 * @payload: bytes of each
 *
 * Context: any.
 *
 * Return: 1 to PACKETS_MAX; GSO packets, 1 to GSO_PACKETS_MAX.
 */
u32 bench_packets(u32 payload)
{
	return payload > SEGMENT_SIZE ? min(packets, GSO_PACKETS_MAX) : packets;
}

/**
 * bench_payload() - the sizes that are measured
 * @index: which
 *
 * Context: any.
 *
 * Return: bytes of payload, 0 behind the last.
 */
u32 bench_payload(u32 index)
{
	return index < payload_count ? payloads[index] : 0;
}

static int check_numbers(void)
{
	unsigned int i;

	if (!packets || packets > PACKETS_MAX) {
		pr_err("packets=%u: must be a whole number from 1 to %u\n",
		       packets, PACKETS_MAX);
		return -EINVAL;
	}
	for (i = 0; i < payload_count; i++) {
		if (!payloads[i] || payloads[i] > PAYLOAD_MAX) {
			pr_err("payloads=%u: must be whole numbers from 1 to %u\n",
			       payloads[i], PAYLOAD_MAX);
			return -EINVAL;
		}
	}
	return 0;
}

static bool parse_device(struct bench_device *b, char *text)
{
	char *label = strsep(&text, ":");
	char *ifname = strsep(&text, ":");

	return ifname && text && *label &&
	       strscpy(b->label, label, sizeof(b->label)) > 0 &&
	       strscpy(b->ifname, ifname, sizeof(b->ifname)) > 0 &&
	       in4_pton(text, -1, (u8 *)&b->daddr, '\0', NULL);
}

static int check_device(const struct bench_device *b)
{
	struct net_device *dev = dev_get_by_name(bench_link.net, b->ifname);

	if (!dev) {
		pr_err("devices=%s:%s: there is no such device in this network namespace\n",
		       b->label, b->ifname);
		return -ENODEV;
	}
	dev_put(dev);
	return 0;
}

static int parse_devices(void)
{
	char *copy = kstrdup(devices ?: "", GFP_KERNEL);
	char *rest = copy;
	char *word;
	int err = 0;

	if (!copy)
		return -ENOMEM;

	while (!err && (word = strsep(&rest, ","))) {
		if (bench_count == DEVICES_MAX ||
		    !parse_device(&bench[bench_count], word)) {
			pr_err("devices=%s: must be 1 to %u of LABEL:INTERFACE:IPV4-ADDRESS with commas between, labels of up to %u characters\n",
			       devices ?: "", DEVICES_MAX,
			       DSBENCH_NAME_LEN - 1);
			err = -EINVAL;
			break;
		}
		err = check_device(&bench[bench_count++]);
	}
	kfree(copy);
	return err;
}

/* Both ends of the link; called under RTNL, for the peer may be moved. */
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

static int open_link(void)
{
	struct net_device *dev;
	int err;

	bench_link.net = get_net(current->nsproxy->net_ns);

	rtnl_lock();
	rcu_read_lock();	/* ndo_get_peer_dev asks for it */
	dev = dev_get_by_name_rcu(bench_link.net, underlay ?: "");
	if (dev) {
		err = follow_link(dev);
	} else {
		pr_err("underlay=%s: there is no such device in this network namespace\n",
		       underlay ?: "");
		err = -ENODEV;
	}
	rcu_read_unlock();
	rtnl_unlock();

	if (err)
		put_net(bench_link.net);
	return err;
}

static void close_link(void)
{
	put_net(bench_link.peer_net);
	put_net(bench_link.net);
}

static void unregister_devices(unsigned int count)
{
	while (count--)
		dsbench_unregister(&bench[count].subject);
}

static int register_devices(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < bench_count; i++) {
		bench[i].subject.name = bench[i].label;
		bench[i].subject.ops = &bench_ops;
		err = dsbench_register(&bench[i].subject);
		if (err) {
			unregister_devices(i);
			return err;
		}
	}
	return 0;
}

static int __init bench_init(void)
{
	int err;

	err = check_numbers();
	if (err)
		return err;

	err = open_link();
	if (err)
		return err;

	err = parse_devices();
	if (err)
		goto err_devices;

	err = bench_sink_open(bench_link.peer_net);
	if (err) {
		pr_err("no socket at port %u of the receiver: error %d\n",
		       BENCH_PORT, err);
		goto err_sink;
	}

	err = bench_tap_open(bench_link.net);
	if (err)
		goto err_tap;

	err = register_devices();
	if (err)
		goto err_register;
	return 0;

err_register:
	bench_tap_close(bench_link.net);
err_tap:
	bench_sink_close();
err_sink:
err_devices:
	close_link();
	return err;
}

static void __exit bench_exit(void)
{
	unregister_devices(bench_count);
	bench_tap_close(bench_link.net);
	bench_sink_close();
	close_link();
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("dsbench: what a packet costs in a network device's datapath");
MODULE_LICENSE("GPL");
