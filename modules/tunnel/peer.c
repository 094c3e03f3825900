// SPDX-License-Identifier: GPL-2.0
/* Peers: created, looked up by address and port, replaced under traffic. */

#include <linux/hash.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "peer.h"
#include "socket.h"
#include "tunnel.h"

static u32 udptun_peer_hash4(__be32 remote, __be16 port)
{
	return hash_32((__force u32)remote ^ (__force u16)port,
		       UDPTUN_PEER_BITS);
}

static u32 udptun_peer_hash6(const struct in6_addr *remote, __be16 port)
{
	return hash_32(ipv6_addr_hash(remote) ^ (__force u16)port,
		       UDPTUN_PEER_BITS);
}

static struct hlist_head *udptun_peer_bucket(struct udptun_sock *sock,
					     const struct udptun_config *cfg)
{
	if (cfg->family == AF_INET)
		return &sock->peers[udptun_peer_hash4(cfg->remote.v4,
						      cfg->remote_port)];
	return &sock->peers[udptun_peer_hash6(&cfg->remote.v6, cfg->remote_port)];
}

/* Context: RCU or RTNL is held. */
struct udptun_peer *udptun_peer_find4(const struct udptun_sock *sock,
				      __be32 local, __be32 remote,
				      __be16 remote_port)
{
	const struct hlist_head *bucket;
	struct udptun_peer *peer;

	bucket = &sock->peers[udptun_peer_hash4(remote, remote_port)];
	hlist_for_each_entry_rcu(peer, bucket, node, lockdep_rtnl_is_held()) {
		if (udptun_config_match4(&peer->cfg, local, remote,
					 remote_port))
			return peer;
	}
	return NULL;
}

struct udptun_peer *udptun_peer_find6(const struct udptun_sock *sock,
				      const struct in6_addr *local,
				      const struct in6_addr *remote,
				      __be16 remote_port)
{
	const struct hlist_head *bucket;
	struct udptun_peer *peer;

	bucket = &sock->peers[udptun_peer_hash6(remote, remote_port)];
	hlist_for_each_entry_rcu(peer, bucket, node, lockdep_rtnl_is_held()) {
		if (udptun_config_match6(&peer->cfg, local, remote,
					 remote_port))
			return peer;
	}
	return NULL;
}

/* Return true if another device already has a peer of these addresses and ports. */
static bool udptun_peer_is_used(const struct udptun_sock *sock,
				const struct udptun_device *tun,
				const struct udptun_config *cfg)
{
	const struct udptun_peer *peer;

	if (cfg->family == AF_INET)
		peer = udptun_peer_find4(sock, cfg->local.v4, cfg->remote.v4,
					 cfg->remote_port);
	else
		peer = udptun_peer_find6(sock, &cfg->local.v6, &cfg->remote.v6,
					 cfg->remote_port);
	return peer && peer->tun != tun;
}

/**
 * udptun_peer_create() - create a peer that no packet can find yet
 * @tun: the device of the peer
 * @cfg: the configuration
 * @extack: receives the reason for a failure
 *
 * Context: Process context, under rtnl_lock().
 * Return: the peer, or an error pointer.
 */
struct udptun_peer *udptun_peer_create(struct udptun_device *tun,
				       const struct udptun_config *cfg,
				       struct netlink_ext_ack *extack)
{
	struct udptun_peer *peer;
	struct udptun_sock *sock;
	int err;

	peer = kzalloc(sizeof(*peer), GFP_KERNEL);
	if (!peer)
		return ERR_PTR(-ENOMEM);
	peer->tun = tun;
	peer->cfg = *cfg;
	udptun_header_init(&peer->header, cfg);

	err = dst_cache_init(&peer->dst_cache, GFP_KERNEL);
	if (err)
		goto err_dst_cache;

	sock = udptun_sock_get(tun->net, cfg, extack);
	if (IS_ERR(sock)) {
		err = PTR_ERR(sock);
		goto err_sock;
	}
	peer->sock = sock;
	peer->sk = sock->sock->sk;

	if (udptun_peer_is_used(sock, tun, cfg)) {
		NL_SET_ERR_MSG(extack, "Another tunnel uses these addresses and ports");
		err = -EEXIST;
		goto err_used;
	}
	return peer;

err_used:
	udptun_sock_put(sock);
err_sock:
	dst_cache_destroy(&peer->dst_cache);
err_dst_cache:
	kfree(peer);
	return ERR_PTR(err);
}

/* Accept packets from the peer. */
void udptun_peer_attach(struct udptun_peer *peer)
{
	hlist_add_head_rcu(&peer->node, udptun_peer_bucket(peer->sock, &peer->cfg));
}

/* Unhash the peer and drop the socket reference. Idempotent. */
void udptun_peer_detach(struct udptun_peer *peer)
{
	if (!peer->sock)
		return;
	hlist_del_init_rcu(&peer->node);
	udptun_sock_put(peer->sock);
	peer->sock = NULL;
}

/* Free a peer that no RCU reader can find. */
void udptun_peer_destroy(struct udptun_peer *peer)
{
	udptun_peer_detach(peer);
	dst_cache_destroy(&peer->dst_cache);
	kfree(peer);
}

static void udptun_peer_free_rcu(struct rcu_head *rcu)
{
	struct udptun_peer *peer = container_of(rcu, struct udptun_peer, rcu);

	dst_cache_destroy(&peer->dst_cache);
	kfree(peer);
}

/* Attach the new peer before detaching the old one: a packet always finds a peer. */
void udptun_peer_replace(struct udptun_peer *old, struct udptun_peer *peer)
{
	udptun_peer_attach(peer);
	rcu_assign_pointer(peer->tun->peer, peer);
	udptun_peer_detach(old);
	call_rcu(&old->rcu, udptun_peer_free_rcu);
}
