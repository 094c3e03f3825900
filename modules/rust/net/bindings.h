/* SPDX-License-Identifier: GPL-2.0 */
/* What the abstractions of networking see of the kernel: bindgen makes bindings.rs of this file. */
#ifndef _DSBENCH_RUST_NET_BINDINGS_H
#define _DSBENCH_RUST_NET_BINDINGS_H

#include <linux/if_arp.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <net/gro.h>
#include <net/hotdata.h>
#include <net/ip_tunnels.h>
#include <net/netlink.h>
#include <net/route.h>
#include <net/rtnetlink.h>
#include <net/udp_tunnel.h>

#include <uapi/udptun.h>

#include "helpers.h"

#endif /* _DSBENCH_RUST_NET_BINDINGS_H */
