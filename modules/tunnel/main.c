// SPDX-License-Identifier: GPL-2.0
/* udptun.ko: initialisation, and teardown in the exact reverse order. */

#include <linux/init.h>
#include <linux/module.h>
#include <net/rtnetlink.h>
#include <uapi/udptun.h>

#include "device.h"
#include "netlink.h"
#include "receive.h"
#include "socket.h"

static int __init udptun_init(void)
{
	int err;

	udptun_sock_init(&udptun_receive_ops);

	err = udptun_device_init();
	if (err)
		return err;

	err = udptun_netlink_init();
	if (err)
		goto err_netlink;

	return 0;

err_netlink:
	udptun_device_exit();
	return err;
}

static void __exit udptun_exit(void)
{
	udptun_netlink_exit();
	udptun_device_exit();
	/* Wait for packets that a closed socket still receives, and for kfree_rcu(). */
	synchronize_rcu();
	rcu_barrier();
}

module_init(udptun_init);
module_exit(udptun_exit);

MODULE_DESCRIPTION("Point-to-point tunnel of IPv4 and IPv6 packets in UDP");
MODULE_AUTHOR("The dsbench developers");
MODULE_LICENSE("GPL");
MODULE_ALIAS_RTNL_LINK(UDPTUN_KIND);
