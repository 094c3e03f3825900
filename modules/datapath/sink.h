/* SPDX-License-Identifier: GPL-2.0 */
/* The receiver. */
#ifndef _DSBENCH_DATAPATH_SINK_H
#define _DSBENCH_DATAPATH_SINK_H

#include <linux/types.h>
#include <net/net_namespace.h>

int bench_sink_open(struct net *net);
void bench_sink_close(struct net *net);
void bench_sink_wait(u64 bytes);
int bench_sink_check(u32 packets, u32 payload);
void bench_sink_drain(void);

#endif /* _DSBENCH_DATAPATH_SINK_H */
