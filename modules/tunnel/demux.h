/* SPDX-License-Identifier: GPL-2.0 */
/* Early demultiplexing of packets to ports with several peers. */
#ifndef _UDPTUN_DEMUX_H
#define _UDPTUN_DEMUX_H

#include <linux/rculist.h>
#include <linux/skbuff.h>

#include "tunnel.h"

void udptun_demux_add(struct udptun_conf *conf);
void udptun_demux_remove(struct udptun_conf *conf);
void udptun_demux_learn(struct udptun_conf *conf, const struct sk_buff *skb);
void udptun_demux_forget(struct udptun_conf *conf);

/* Return true if packets from the peer are demultiplexed early, once one has come. */
static inline bool udptun_demux_has(const struct udptun_conf *conf)
{
	return !hlist_unhashed_lockless(&conf->demux_node);
}

/* Return true if the route and the device of a packet are those that are kept. */
static inline bool udptun_demux_knows(const struct udptun_conf *conf,
				      const struct sk_buff *skb)
{
	return skb_dst(skb) == rcu_access_pointer(conf->input) &&
	       skb->skb_iif == READ_ONCE(conf->input_iif);
}

#endif /* _UDPTUN_DEMUX_H */
