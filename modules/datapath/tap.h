/* SPDX-License-Identifier: GPL-2.0 */
/* The tap after the IP output of the underlay. */
#ifndef _DSBENCH_DATAPATH_TAP_H
#define _DSBENCH_DATAPATH_TAP_H

#include <linux/skbuff.h>
#include <net/net_namespace.h>

int bench_tap_open(struct net *net);
void bench_tap_close(struct net *net);
void bench_tap_start(int ifindex);
void bench_tap_stop(void);
void bench_tap_wait(u32 segments);
u32 bench_tap_take(struct sk_buff_head *packets);

#endif /* _DSBENCH_DATAPATH_TAP_H */
