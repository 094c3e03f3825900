// SPDX-License-Identifier: GPL-2.0
/*
 * dsbench_tunnel.ko: registers each device that devices= names with the core. The
 * parameters are fixed while the module is loaded.
 */

#include <linux/inet.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/string.h>

#include "link.h"
#include "ops.h"
#include "packet.h"
#include "sender.h"
#include "sink.h"
#include "sizes.h"
#include "tap.h"

#define DEVICES_MAX	16

static char *devices;
module_param(devices, charp, 0444);
MODULE_PARM_DESC(devices, "comma-separated list of LABEL:INTERFACE:DESTINATION: the label in the results, the device, the far end's IPv4 address");

static struct bench_device bench[DEVICES_MAX];
static unsigned int bench_count;

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
		pr_err("devices=%s:%s: no such device in this network namespace\n",
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
			pr_err("devices=%s: must be a comma-separated list of 1 to %u LABEL:INTERFACE:IPV4-ADDRESS, with labels of at most %u characters\n",
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

	err = bench_sizes_check();
	if (!err)
		err = bench_packet_check();
	if (err)
		return err;

	err = bench_link_open();
	if (err)
		return err;

	err = parse_devices();
	if (err)
		goto err_devices;

	err = bench_sender_open(bench_link.net);
	if (err)
		goto err_sender;

	err = bench_sink_open(bench_link.peer_net);
	if (err)
		goto err_sink;

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
	bench_sink_close(bench_link.peer_net);
err_sink:
	bench_sender_close();
err_sender:
err_devices:
	bench_link_close();
	return err;
}

static void __exit bench_exit(void)
{
	unregister_devices(bench_count);
	bench_tap_close(bench_link.net);
	bench_sink_close(bench_link.peer_net);
	bench_sender_close();
	bench_link_close();
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("dsbench: cost per packet in the datapath of a network device");
MODULE_LICENSE("GPL");
