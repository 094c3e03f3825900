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

#include "lookup.h"
#include "socket.h"
#include "tunnel.h"

static DEFINE_HASHTABLE(udptun_confs, UDPTUN_LOOKUP_BITS);
/* Configurations with a range of source ports, hashed by the peer's address only. */
static DEFINE_HASHTABLE(udptun_range_confs, UDPTUN_LOOKUP_BITS);

/*
 * The salt, which differs between sockets, keeps the owner of one network namespace
 * from filling the buckets of another one.
 */
static u32 udptun_lookup_hash4(const struct udptun_sock *sock, __be32 remote,
			       __be16 remote_port)
{
	u32 key = ((__force u32)remote ^ (__force u16)remote_port) + sock->salt;

	return hash_32(key, UDPTUN_LOOKUP_BITS);
}

static u32 udptun_lookup_hash6(const struct udptun_sock *sock,
			       const struct in6_addr *remote, __be16 remote_port)
{
	u32 key = (ipv6_addr_hash(remote) ^ (__force u16)remote_port) + sock->salt;

	return hash_32(key, UDPTUN_LOOKUP_BITS);
}

static struct hlist_head *udptun_lookup_bucket(const struct udptun_sock *sock,
					       const struct udptun_params *params)
{
	__be16 port = params->sport_max ? 0 : params->remote_port;
	u32 hash = params->family == AF_INET ?
			   udptun_lookup_hash4(sock, params->remote.v4, port) :
			   udptun_lookup_hash6(sock, &params->remote.v6, port);

	return params->sport_max ? &udptun_range_confs[hash] : &udptun_confs[hash];
}

/* The socket is bound to the local address: packets to others do not arrive here. */
struct udptun_conf *udptun_lookup4(const struct udptun_sock *sock, __be32 remote,
				   __be16 remote_port)
{
	const struct hlist_head *bucket;
	struct udptun_conf *conf;

	bucket = &udptun_confs[udptun_lookup_hash4(sock, remote, remote_port)];
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

	bucket = &udptun_confs[udptun_lookup_hash6(sock, remote, remote_port)];
	hlist_for_each_entry_rcu(conf, bucket, node, lockdep_rtnl_is_held()) {
		if (udptun_params_match6(&conf->params, remote, remote_port) &&
		    conf->sock == sock)
			return conf;
	}
	return NULL;
}

struct udptun_conf *udptun_lookup_range4(const struct udptun_sock *sock,
					 __be32 remote, __be16 sport)
{
	const struct hlist_head *bucket;
	struct udptun_conf *conf;

	bucket = &udptun_range_confs[udptun_lookup_hash4(sock, remote, 0)];
	hlist_for_each_entry_rcu(conf, bucket, node, lockdep_rtnl_is_held()) {
		if (conf->params.remote.v4 == remote && conf->sock == sock &&
		    udptun_params_in_range(&conf->params, sport))
			return conf;
	}
	return NULL;
}

struct udptun_conf *udptun_lookup_range6(const struct udptun_sock *sock,
					 const struct in6_addr *remote,
					 __be16 sport)
{
	const struct hlist_head *bucket;
	struct udptun_conf *conf;

	bucket = &udptun_range_confs[udptun_lookup_hash6(sock, remote, 0)];
	hlist_for_each_entry_rcu(conf, bucket, node, lockdep_rtnl_is_held()) {
		if (ipv6_addr_equal(&conf->params.remote.v6, remote) &&
		    conf->sock == sock &&
		    udptun_params_in_range(&conf->params, sport))
			return conf;
	}
	return NULL;
}

/* Return the external tunnel of a socket, or NULL. */
struct udptun_conf *udptun_lookup_external(const struct udptun_sock *sock)
{
	return rcu_dereference(sock->external);
}

static bool udptun_lookup_external_is_taken(const struct udptun_sock *sock,
					    const struct udptun_device *tun)
{
	const struct udptun_conf *conf = rtnl_dereference(sock->external);

	return conf && conf->tun != tun;
}

/* Return true if a packet can match the peers of both. */
static bool udptun_lookup_overlaps(const struct udptun_params *one,
				   const struct udptun_params *other)
{
	if (memcmp(&one->remote, &other->remote, sizeof(one->remote)))
		return false;
	if (!other->sport_max)
		return udptun_params_in_range(one, other->remote_port);
	return one->sport_min <= other->sport_max &&
	       other->sport_min <= one->sport_max;
}

static bool udptun_lookup_range_is_taken(const struct udptun_sock *sock,
					 const struct udptun_device *tun,
					 const struct udptun_params *params)
{
	const struct hlist_head *bucket = udptun_lookup_bucket(sock, params);
	const struct udptun_conf *conf;
	unsigned int i;

	hlist_for_each_entry(conf, bucket, node) {
		if (conf->sock == sock && conf->tun != tun &&
		    udptun_lookup_overlaps(params, &conf->params))
			return true;
	}
	/* A fixed port within the range may be in any bucket. */
	hash_for_each(udptun_confs, i, conf, node) {
		if (conf->sock == sock && conf->tun != tun &&
		    udptun_lookup_overlaps(params, &conf->params))
			return true;
	}
	return false;
}

static bool udptun_lookup_port_is_taken(const struct udptun_sock *sock,
					const struct udptun_device *tun,
					const struct udptun_params *params)
{
	const struct udptun_conf *range;
	const struct udptun_conf *conf;

	if (params->family == AF_INET) {
		conf = udptun_lookup4(sock, params->remote.v4,
				      params->remote_port);
		range = udptun_lookup_range4(sock, params->remote.v4,
					     params->remote_port);
	} else {
		conf = udptun_lookup6(sock, &params->remote.v6,
				      params->remote_port);
		range = udptun_lookup_range6(sock, &params->remote.v6,
					     params->remote_port);
	}
	return (conf && conf->tun != tun) || (range && range->tun != tun);
}

/*
 * Return true if another device has a peer with these addresses and ports, or is the
 * external tunnel of the socket already.
 */
bool udptun_lookup_is_taken(const struct udptun_sock *sock,
			    const struct udptun_device *tun,
			    const struct udptun_params *params)
{
	if (params->external)
		return udptun_lookup_external_is_taken(sock, tun);
	return params->sport_max ? udptun_lookup_range_is_taken(sock, tun, params) :
				   udptun_lookup_port_is_taken(sock, tun, params);
}

/* Find the configuration by packets of its peer; an external one, by all others. */
void udptun_lookup_add(struct udptun_conf *conf)
{
	if (conf->params.external)
		rcu_assign_pointer(conf->sock->external, conf);
	else
		hlist_add_head_rcu(&conf->node,
				   udptun_lookup_bucket(conf->sock, &conf->params));
}

/* Idempotent. */
void udptun_lookup_remove(struct udptun_conf *conf)
{
	/* Another configuration may have replaced it already. */
	if (rcu_access_pointer(conf->sock->external) == conf)
		RCU_INIT_POINTER(conf->sock->external, NULL);
	hlist_del_init_rcu(&conf->node);
}
