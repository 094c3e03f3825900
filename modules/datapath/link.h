/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The datapath benchmark runs in one kernel, on one CPU:
 *
 *        sender's netns                        receiver's netns
 *
 *   packets -> device -> underlay ==veth== peer -> device' -> socket
 *
 *   |---------- tx ---------|             |---------- rx ---------|
 *   |------------------------- path ------------------------------|
 *
 * The underlay is a veth. The bare link is measured as a device that is its own
 * underlay. A tap after the IP output of the underlay ends tx; for rx, it collects
 * the packets beforehand.
 */
#ifndef _DSBENCH_DATAPATH_LINK_H
#define _DSBENCH_DATAPATH_LINK_H

#include <linux/if.h>
#include <net/net_namespace.h>

/**
 * struct bench_link - both ends of the link
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

extern struct bench_link bench_link;

int bench_link_open(void);
void bench_link_close(void);

#endif /* _DSBENCH_DATAPATH_LINK_H */
