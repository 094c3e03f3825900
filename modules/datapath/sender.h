/* SPDX-License-Identifier: GPL-2.0 */
/* The sender's socket. */
#ifndef _DSBENCH_DATAPATH_SENDER_H
#define _DSBENCH_DATAPATH_SENDER_H

#include <linux/skbuff.h>
#include <net/net_namespace.h>

int bench_sender_open(struct net *net);
void bench_sender_close(void);
void bench_sender_own(struct sk_buff *skb);

#endif /* _DSBENCH_DATAPATH_SENDER_H */
