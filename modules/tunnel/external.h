/* SPDX-License-Identifier: GPL-2.0 */
/* External tunnels: the metadata of each packet name its receiver. */
#ifndef _UDPTUN_EXTERNAL_H
#define _UDPTUN_EXTERNAL_H

#include <linux/skbuff.h>

struct udptun_conf;

bool udptun_external_conf(struct udptun_conf *once,
			  const struct udptun_conf *conf, struct sk_buff *skb);

#endif /* _UDPTUN_EXTERNAL_H */
