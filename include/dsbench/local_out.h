/* SPDX-License-Identifier: GPL-2.0 */
/* The way of a tunnel's outer packet into the IP layer. */
#ifndef _DSBENCH_LOCAL_OUT_H
#define _DSBENCH_LOCAL_OUT_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/ip.h>
#include <net/l3mdev.h>

#include <dsbench/compat.h>

/**
 * dsbench_ip_local_out() - send an IPv4 packet whose header is complete
 * @net: the network namespace that the packet leaves from
 * @sk: the socket that sends it
 * @skb: the packet, with its route; consumed
 *
 * Does what ip_local_out() does, but for the length and the checksum of the header,
 * which the caller has written. It is inlined, so that nf_hook() tests no more than
 * a static key where there are no hooks.
 *
 * Context: BH is disabled, RCU is held.
 * Return: as ip_local_out().
 */
static __always_inline int dsbench_ip_local_out(struct net *net, struct sock *sk,
						struct sk_buff *skb)
{
	int err;

	dsbench_ip_count_request(net);
	skb = l3mdev_ip_out(sk, skb);
	if (unlikely(!skb))
		return 0;

	skb->protocol = htons(ETH_P_IP);
	err = nf_hook(NFPROTO_IPV4, NF_INET_LOCAL_OUT, net, sk, skb, NULL,
		      DSBENCH_DST_DEV(skb_dst(skb)), dst_output);
	return likely(err == 1) ? dst_output(net, sk, skb) : err;
}

#endif /* _DSBENCH_LOCAL_OUT_H */
