/* SPDX-License-Identifier: GPL-2.0 */
/* Peers: created, looked up by address and port, replaced under traffic. */
#ifndef _UDPTUN_PEER_H
#define _UDPTUN_PEER_H

#include <linux/list.h>
#include <linux/netlink.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <net/dst_cache.h>

#include "config.h"
#include "header.h"

struct udptun_device;
struct udptun_sock;

/**
 * struct udptun_peer - the configured remote end of a device
 * @node: in a bucket of @sock, while packets from the peer are accepted
 * @tun: the device
 * @sk: the UDP socket of @sock
 * @cfg: the configuration
 * @header: template of the outer headers
 * @dst_cache: route to the peer
 * @sock: the socket of the local port; NULL after udptun_peer_detach()
 * @rcu: frees a replaced peer after a grace period
 *
 * A peer is immutable: changelink replaces it by a new one. A new peer starts
 * with an empty route cache, so it never uses a route of an old configuration.
 */
struct udptun_peer {
	struct hlist_node node;
	struct udptun_device *tun;
	struct sock *sk;
	struct udptun_config cfg;
	union udptun_header header;
	struct dst_cache dst_cache;
	struct udptun_sock *sock;
	struct rcu_head rcu;
};

struct udptun_peer *udptun_peer_create(struct udptun_device *tun,
				       const struct udptun_config *cfg,
				       struct netlink_ext_ack *extack);
void udptun_peer_destroy(struct udptun_peer *peer);
void udptun_peer_attach(struct udptun_peer *peer);
void udptun_peer_detach(struct udptun_peer *peer);
void udptun_peer_replace(struct udptun_peer *old, struct udptun_peer *peer);

struct udptun_peer *udptun_peer_find4(const struct udptun_sock *sock,
				      __be32 local, __be32 remote,
				      __be16 remote_port);
struct udptun_peer *udptun_peer_find6(const struct udptun_sock *sock,
				      const struct in6_addr *local,
				      const struct in6_addr *remote,
				      __be16 remote_port);

#endif /* _UDPTUN_PEER_H */
