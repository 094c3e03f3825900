/* SPDX-License-Identifier: GPL-2.0 */
/* Find the configuration whose peer has sent a packet. */
#ifndef _UDPTUN_LOOKUP_H
#define _UDPTUN_LOOKUP_H

#include <linux/in6.h>
#include <linux/types.h>

/* For each table of peers: 10,000 have 1.2 in a bucket. A table takes 64 KiB. */
#define UDPTUN_LOOKUP_BITS	13

struct udptun_conf;
struct udptun_device;
struct udptun_params;
struct udptun_sock;

/* Context: RCU or RTNL is held. */
struct udptun_conf *udptun_lookup4(const struct udptun_sock *sock, __be32 remote,
				   __be16 remote_port);
struct udptun_conf *udptun_lookup6(const struct udptun_sock *sock,
				   const struct in6_addr *remote,
				   __be16 remote_port);

/* The same for a peer with a range of source ports. Context: RCU or RTNL is held. */
struct udptun_conf *udptun_lookup_range4(const struct udptun_sock *sock,
					 __be32 remote, __be16 sport);
struct udptun_conf *udptun_lookup_range6(const struct udptun_sock *sock,
					 const struct in6_addr *remote,
					 __be16 sport);
/* Context: RCU is held. */
struct udptun_conf *udptun_lookup_external(const struct udptun_sock *sock);

/* Context: RTNL is held. */
bool udptun_lookup_is_taken(const struct udptun_sock *sock,
			    const struct udptun_device *tun,
			    const struct udptun_params *params);
void udptun_lookup_add(struct udptun_conf *conf);
void udptun_lookup_remove(struct udptun_conf *conf);

#endif /* _UDPTUN_LOOKUP_H */
