/* SPDX-License-Identifier: GPL-2.0 */
/* Number and size of the packets of a try. */
#ifndef _DSBENCH_DATAPATH_SIZES_H
#define _DSBENCH_DATAPATH_SIZES_H

#include <linux/types.h>

/* Largest payload, in bytes: below 64 KiB with the headers of any tunnel. */
#define PAYLOAD_MAX	64400U

/* A larger payload is sent as one GSO packet with segments of this many bytes. */
#define SEGMENT_SIZE	1400U

/* One pass of the softirq processes this many packets at both ends. */
#define PACKETS_MAX	64U

/* A burst is part of a try. */
#define BURST_MAX	PACKETS_MAX

/* The segments of this many fit into the queues of a device that segments them. */
#define GSO_PACKETS_MAX	8U

int bench_sizes_check(void);
u32 bench_burst(u32 payload, u32 index);
u32 bench_packets(u32 payload, u32 burst);
u32 bench_payload(u32 index);

#endif /* _DSBENCH_DATAPATH_SIZES_H */
