/* SPDX-License-Identifier: GPL-2.0 */
/* How many packets a try has, and how large they are. */
#ifndef _DSBENCH_DATAPATH_SIZES_H
#define _DSBENCH_DATAPATH_SIZES_H

#include <linux/types.h>

/* Largest payload: with the headers of the outermost tunnel below 64 KiB. */
#define PAYLOAD_MAX	64400U

/* From here on a payload is sent as one GSO packet of segments of that size. */
#define SEGMENT_SIZE	1400U

/* Small enough for one pass of the softirq over both ends' backlogs. */
#define PACKETS_MAX	64U

/* Their segments all fit into the queues of a device that cuts them. */
#define GSO_PACKETS_MAX	8U

int bench_sizes_check(void);
u32 bench_packets(u32 payload);
u32 bench_payload(u32 index);

#endif /* _DSBENCH_DATAPATH_SIZES_H */
