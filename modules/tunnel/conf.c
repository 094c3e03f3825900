// SPDX-License-Identifier: GPL-2.0
/* Configurations of devices: created, looked up by the peer, replaced under traffic. */

#include <linux/hash.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "conf.h"
#include "socket.h"
#include "tunnel.h"

static u32 udptun_conf_hash4(__be32 remote, __be16 port)
{
	return hash_32((__force u32)remote ^ (__force u16)port,
		       UDPTUN_CONF_BITS);
}

static u32 udptun_conf_hash6(const struct in6_addr *remote, __be16 port)
{
	return hash_32(ipv6_addr_hash(remote) ^ (__force u16)port,
		       UDPTUN_CONF_BITS);
}

static struct hlist_head *udptun_conf_bucket(struct udptun_sock *sock,
					     const struct udptun_params *params)
{
	if (params->family == AF_INET)
		return &sock->confs[udptun_conf_hash4(params->remote.v4,
						      params->remote_port)];
	return &sock->confs[udptun_conf_hash6(&params->remote.v6, params->remote_port)];
}

/* Context: RCU or RTNL is held. */
struct udptun_conf *udptun_conf_find4(const struct udptun_sock *sock,
				      __be32 local, __be32 remote,
				      __be16 remote_port)
{
	const struct hlist_head *bucket;
	struct udptun_conf *conf;

	bucket = &sock->confs[udptun_conf_hash4(remote, remote_port)];
	hlist_for_each_entry_rcu(conf, bucket, node, lockdep_rtnl_is_held()) {
		if (udptun_params_match4(&conf->params, local, remote,
					 remote_port))
			return conf;
	}
	return NULL;
}

struct udptun_conf *udptun_conf_find6(const struct udptun_sock *sock,
				      const struct in6_addr *local,
				      const struct in6_addr *remote,
				      __be16 remote_port)
{
	const struct hlist_head *bucket;
	struct udptun_conf *conf;

	bucket = &sock->confs[udptun_conf_hash6(remote, remote_port)];
	hlist_for_each_entry_rcu(conf, bucket, node, lockdep_rtnl_is_held()) {
		if (udptun_params_match6(&conf->params, local, remote,
					 remote_port))
			return conf;
	}
	return NULL;
}

/* Return true if another device already has these addresses and ports. */
static bool udptun_conf_is_used(const struct udptun_sock *sock,
				const struct udptun_device *tun,
				const struct udptun_params *params)
{
	const struct udptun_conf *conf;

	if (params->family == AF_INET)
		conf = udptun_conf_find4(sock, params->local.v4, params->remote.v4,
					 params->remote_port);
	else
		conf = udptun_conf_find6(sock, &params->local.v6, &params->remote.v6,
					 params->remote_port);
	return conf && conf->tun != tun;
}

/**
 * udptun_conf_create() - create a configuration that no packet can find yet
 * @tun: the device
 * @params: addresses, ports and options
 * @extack: receives the reason for a failure
 *
 * Context: Process context, under rtnl_lock().
 * Return: the configuration, or an error pointer.
 */
struct udptun_conf *udptun_conf_create(struct udptun_device *tun,
				       const struct udptun_params *params,
				       struct netlink_ext_ack *extack)
{
	struct udptun_conf *conf;
	struct udptun_sock *sock;
	int err;

	conf = kzalloc(sizeof(*conf), GFP_KERNEL);
	if (!conf)
		return ERR_PTR(-ENOMEM);
	conf->tun = tun;
	conf->params = *params;
	udptun_header_init(&conf->header, params);

	err = dst_cache_init(&conf->dst_cache, GFP_KERNEL);
	if (err)
		goto err_dst_cache;

	sock = udptun_sock_get(tun->net, params, extack);
	if (IS_ERR(sock)) {
		err = PTR_ERR(sock);
		goto err_sock;
	}
	conf->sock = sock;
	conf->sk = sock->sock->sk;

	if (udptun_conf_is_used(sock, tun, params)) {
		NL_SET_ERR_MSG(extack, "Another tunnel uses these addresses and ports");
		err = -EEXIST;
		goto err_used;
	}
	return conf;

err_used:
	udptun_sock_put(sock);
err_sock:
	dst_cache_destroy(&conf->dst_cache);
err_dst_cache:
	kfree(conf);
	return ERR_PTR(err);
}

/* Accept packets from the peer. */
void udptun_conf_attach(struct udptun_conf *conf)
{
	hlist_add_head_rcu(&conf->node, udptun_conf_bucket(conf->sock, &conf->params));
}

/* Unhash the configuration and drop the socket reference. Idempotent. */
void udptun_conf_detach(struct udptun_conf *conf)
{
	if (!conf->sock)
		return;
	hlist_del_init_rcu(&conf->node);
	udptun_sock_put(conf->sock);
	conf->sock = NULL;
}

/* Free a configuration that no RCU reader can find. */
void udptun_conf_destroy(struct udptun_conf *conf)
{
	udptun_conf_detach(conf);
	dst_cache_destroy(&conf->dst_cache);
	kfree(conf);
}

static void udptun_conf_free_rcu(struct rcu_head *rcu)
{
	struct udptun_conf *conf = container_of(rcu, struct udptun_conf, rcu);

	dst_cache_destroy(&conf->dst_cache);
	kfree(conf);
}

/* Attach the new configuration before detaching the old one: a packet always finds one. */
void udptun_conf_replace(struct udptun_conf *old, struct udptun_conf *conf)
{
	udptun_conf_attach(conf);
	rcu_assign_pointer(conf->tun->conf, conf);
	udptun_conf_detach(old);
	call_rcu(&old->rcu, udptun_conf_free_rcu);
}
