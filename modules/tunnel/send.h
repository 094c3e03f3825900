/* SPDX-License-Identifier: GPL-2.0 */
/* Transmit. */
#ifndef _UDPTUN_SEND_H
#define _UDPTUN_SEND_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>

netdev_tx_t udptun_xmit(struct sk_buff *skb, struct net_device *dev);
netdev_tx_t udptun_xmit_external(struct sk_buff *skb, struct net_device *dev);

#endif /* _UDPTUN_SEND_H */
