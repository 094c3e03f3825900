/* SPDX-License-Identifier: GPL-2.0 */
/* The receiver of TCP segments. */
#ifndef _DSBENCH_DATAPATH_SEGMENTS_H
#define _DSBENCH_DATAPATH_SEGMENTS_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <net/checksum.h>
#include <net/net_namespace.h>

int bench_segments_open(struct net *net, atomic64_t *arrived);
void bench_segments_close(struct net *net);
u64 bench_segments_take(__wsum *sum);

#endif /* _DSBENCH_DATAPATH_SEGMENTS_H */
