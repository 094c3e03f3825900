/* SPDX-License-Identifier: GPL-2.0 */
/* The packets of a try. */
#ifndef _DSBENCH_DATAPATH_PACKET_H
#define _DSBENCH_DATAPATH_PACKET_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>

/* Source and destination port of the packets. */
#define BENCH_PORT	9475

int bench_packet_check(void);
bool bench_packet_is_tcp(void);
struct sk_buff *bench_packet_build(struct net_device *dev, __be32 daddr,
				   u32 payload, u32 index);
__wsum bench_packet_sum(u32 payload);

#endif /* _DSBENCH_DATAPATH_PACKET_H */
