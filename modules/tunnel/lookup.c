// SPDX-License-Identifier: GPL-2.0
/*
 * Find the configuration whose peer has sent a packet. All sockets share one hash
 * table: thousands of tunnels may share a socket, or have a socket each. RTNL
 * serialises changes; lookups need RCU.
 */

#include <linux/hash.h>
#include <linux/hashtable.h>
#include <linux/rculist.h>
#include <linux/rtnetlink.h>
#include <net/ipv6.h>

#include "conf.h"
#include "lookup.h"
#include "socket.h"

/* 10,000 tunnels have 1.2 in a bucket. The table takes 64 KiB. */
#define UDPTUN_LOOKUP_BITS	13

static DEFINE_HASHTABLE(udptun_confs, UDPTUN_LOOKUP_BITS);

/*
 * The salt, which differs between sockets, keeps the owner of one network namespace
 * from filling the buckets of another one.
 */
static struct hlist_head *udptun_lookup_bucket(const struct udptun_sock *sock,
					       u32 remote, __be16 remote_port)
{
	u32 key = remote ^ (__force u16)remote_port ^ sock->salt;

	return &udptun_confs[hash_32(key, UDPTUN_LOOKUP_BITS)];
}

static struct hlist_head *udptun_lookup_bucket4(const struct udptun_sock *sock,
						__be32 remote, __be16 remote_port)
{
	return udptun_lookup_bucket(sock, (__force u32)remote, remote_port);
}

static struct hlist_head *udptun_lookup_bucket6(const struct udptun_sock *sock,
						const struct in6_addr *remote,
						__be16 remote_port)
{
	return udptun_lookup_bucket(sock, ipv6_addr_hash(remote), remote_port);
}

/* The socket is bound to the local address: packets to others do not arrive here. */
struct udptun_conf *udptun_lookup4(const struct udptun_sock *sock, __be32 remote,
				   __be16 remote_port)
{
	const struct hlist_head *bucket;
	struct udptun_conf *conf;

	bucket = udptun_lookup_bucket4(sock, remote, remote_port);
	hlist_for_each_entry_rcu(conf, bucket, node, lockdep_rtnl_is_held()) {
		if (udptun_params_match4(&conf->params, remote, remote_port) &&
		    conf->sock == sock)
			return conf;
	}
	return NULL;
}

struct udptun_conf *udptun_lookup6(const struct udptun_sock *sock,
				   const struct in6_addr *remote,
				   __be16 remote_port)
{
	const struct hlist_head *bucket;
	struct udptun_conf *conf;

	bucket = udptun_lookup_bucket6(sock, remote, remote_port);
	hlist_for_each_entry_rcu(conf, bucket, node, lockdep_rtnl_is_held()) {
		if (udptun_params_match6(&conf->params, remote, remote_port) &&
		    conf->sock == sock)
			return conf;
	}
	return NULL;
}

/* Return true if another device already has these addresses and ports. */
bool udptun_lookup_is_taken(const struct udptun_sock *sock,
			    const struct udptun_device *tun,
			    const struct udptun_params *params)
{
	const struct udptun_conf *conf;

	if (params->family == AF_INET)
		conf = udptun_lookup4(sock, params->remote.v4,
				      params->remote_port);
	else
		conf = udptun_lookup6(sock, &params->remote.v6,
				      params->remote_port);
	return conf && conf->tun != tun;
}

/* Accept packets from the peer of a configuration. */
void udptun_lookup_add(struct udptun_conf *conf)
{
	const struct udptun_params *params = &conf->params;
	struct hlist_head *bucket;

	if (params->family == AF_INET)
		bucket = udptun_lookup_bucket4(conf->sock, params->remote.v4,
					       params->remote_port);
	else
		bucket = udptun_lookup_bucket6(conf->sock, &params->remote.v6,
					       params->remote_port);
	hlist_add_head_rcu(&conf->node, bucket);
}

/* Idempotent. */
void udptun_lookup_remove(struct udptun_conf *conf)
{
	hlist_del_init_rcu(&conf->node);
}
