/* SPDX-License-Identifier: GPL-2.0 */
/* The operations tx, rx and path of a network device. */
#ifndef _DSBENCH_DATAPATH_OPS_H
#define _DSBENCH_DATAPATH_OPS_H

#include <linux/if.h>
#include <linux/types.h>

#include <dsbench/bench.h>

/**
 * struct bench_device - a network device to measure
 * @subject: registered with the core
 * @label: name in the results
 * @ifname: name in the sender's netns
 * @daddr: address of the far end, reached through the device
 */
struct bench_device {
	struct dsbench_subject subject;
	char label[DSBENCH_NAME_LEN];
	char ifname[IFNAMSIZ];
	__be32 daddr;
};

extern const struct dsbench_ops bench_ops;

#endif /* _DSBENCH_DATAPATH_OPS_H */
