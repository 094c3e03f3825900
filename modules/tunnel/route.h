/* SPDX-License-Identifier: GPL-2.0 */
/* Routes to peers. */
#ifndef _UDPTUN_ROUTE_H
#define _UDPTUN_ROUTE_H

#include <net/dst.h>
#include <net/net_namespace.h>

struct udptun_params;
struct udptun_conf;

struct dst_entry *udptun_route_lookup(struct net *net, const struct sock *sk,
				      const struct udptun_params *params,
				      u8 dsfield, u32 mark);
struct dst_entry *udptun_route(struct udptun_conf *conf, u8 dsfield, u32 inherited);
struct dst_entry *udptun_route_external(struct udptun_conf *once, u8 dsfield,
					u32 inherited);

#endif /* _UDPTUN_ROUTE_H */
