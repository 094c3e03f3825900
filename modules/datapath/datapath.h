/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The datapath benchmark, in one kernel, on one CPU:
 *
 *        sender's netns                        receiver's netns
 *
 *   packets -> device -> underlay ==veth== peer -> device' -> socket
 *
 *   |---------- tx ---------|             |---------- rx ---------|
 *   |------------------------- path ------------------------------|
 *
 * The underlay is a veth; the bare link is measured as the device that is its
 * own underlay. A tap behind the underlay's IP output takes the packets away
 * for tx, and collects them beforehand for rx.
 */
#ifndef _DSBENCH_DATAPATH_H
#define _DSBENCH_DATAPATH_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/types.h>
#include <net/net_namespace.h>

#include <dsbench/bench.h>

/* Largest payload: with the headers of the outermost tunnel below 64 KiB. */
#define PAYLOAD_MAX	64400U

/* From here on a payload is sent as one GSO packet of segments of that size. */
#define SEGMENT_SIZE	1400U

/* Small enough for one pass of the softirq over both ends' backlogs. */
#define PACKETS_MAX	64U

/* Their segments all fit into the queues of a device that cuts them. */
#define GSO_PACKETS_MAX	8U

/**
 * struct bench_device - one network device that is measured
 * @subject: as the core knows it
 * @label: its name in the results
 * @ifname: its name in the sender's netns
 * @daddr: the far end's address behind it
 */
struct bench_device {
	struct dsbench_subject subject;
	char label[DSBENCH_NAME_LEN];
	char ifname[IFNAMSIZ];
	__be32 daddr;
};

/**
 * struct bench_link - where packets leave and arrive
 * @net: the sender's netns, held
 * @peer_net: the receiver's, held
 * @underlay: name of the veth in @net
 * @peer: name of its peer in @peer_net
 */
struct bench_link {
	struct net *net;
	struct net *peer_net;
	char underlay[IFNAMSIZ];
	char peer[IFNAMSIZ];
};

/* main.c */

extern struct bench_link bench_link;
u32 bench_packets(u32 payload);
u32 bench_payload(u32 index);

/* ops.c */

extern const struct dsbench_ops bench_ops;

/* packet.c */

struct sk_buff *bench_packet_build(struct net_device *dev, __be32 daddr,
				   u32 payload);
__wsum bench_packet_sum(u32 payload);

/* sink.c: the receiver's socket */

#define BENCH_PORT	9475

int bench_sink_open(struct net *net);
void bench_sink_close(void);
void bench_sink_wait(u64 bytes);
int bench_sink_check(u32 packets, u32 payload);
void bench_sink_drain(void);

/* tap.c: behind the underlay's IP output */

int bench_tap_open(struct net *net);
void bench_tap_close(struct net *net);
void bench_tap_start(int ifindex);
void bench_tap_stop(void);
void bench_tap_wait(u32 segments);
u32 bench_tap_take(struct sk_buff_head *packets);

#endif /* _DSBENCH_DATAPATH_H */
