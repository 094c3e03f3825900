/* SPDX-License-Identifier: GPL-2.0 */
/* The datapath: send.c and receive.c. */
#ifndef _UDPTUN_DATAPATH_H
#define _UDPTUN_DATAPATH_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>

netdev_tx_t udptun_xmit(struct sk_buff *skb, struct net_device *dev);

int udptun_receive(struct sock *sk, struct sk_buff *skb);
int udptun_err_lookup(struct sock *sk, struct sk_buff *skb);
struct sk_buff *udptun_gro_receive(struct sock *sk, struct list_head *head,
				   struct sk_buff *skb);
int udptun_gro_complete(struct sock *sk, struct sk_buff *skb, int nhoff);

#endif /* _UDPTUN_DATAPATH_H */
