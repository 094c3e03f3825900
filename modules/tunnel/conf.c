// SPDX-License-Identifier: GPL-2.0
/* Configurations of devices: created, published, replaced under traffic. */

#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "conf.h"
#include "demux.h"
#include "lookup.h"
#include "route.h"
#include "socket.h"
#include "tunnel.h"

/* Derive from the parameters what each packet needs. */
void udptun_conf_derive(struct udptun_conf *conf)
{
	const struct udptun_params *params = &conf->params;

	udptun_header_init(&conf->header, params);
	conf->overhead = udptun_overhead(params->family);
	conf->csum = udptun_params_csum(params);
	conf->adapts = params->sport_max || params->mark_inherit != U32_MAX;
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
	INIT_LIST_HEAD(&conf->sock_node);
	conf->tun = tun;
	conf->params = *params;
	udptun_conf_derive(conf);

	sock = udptun_sock_get(tun->net, params, extack);
	if (IS_ERR(sock)) {
		err = PTR_ERR(sock);
		goto err_sock;
	}
	conf->sock = sock;
	conf->sk = sock->sock->sk;

	if (udptun_lookup_is_taken(sock, tun, params)) {
		if (params->external)
			NL_SET_ERR_MSG(extack,
				       "Another external tunnel uses this address and port");
		else
			NL_SET_ERR_MSG(extack, "Another tunnel uses these addresses and ports");
		err = -EEXIST;
		goto err_taken;
	}
	return conf;

err_taken:
	udptun_sock_put(sock);
err_sock:
	kfree(conf);
	return ERR_PTR(err);
}

/* Connect a socket if it has one peer with one port. An external tunnel has no peer. */
static void udptun_conf_connect(struct udptun_sock *sock)
{
	const struct udptun_conf *conf;
	bool has_peer;

	conf = list_first_entry(&sock->confs, struct udptun_conf, sock_node);
	/* A socket that is connected to one port of the range would miss the others. */
	has_peer = list_is_singular(&sock->confs) && !conf->params.external &&
		   !conf->params.sport_max;
	udptun_sock_connect(sock, has_peer ? &conf->params : NULL);
}

/*
 * Demultiplex early: one peer by a connected socket, several by the table of demux.c,
 * in which only the two newest configurations can be missing.
 */
static void udptun_conf_demux(struct udptun_sock *sock)
{
	bool several = !list_empty(&sock->confs) && !list_is_singular(&sock->confs);
	struct udptun_conf *conf;
	int count = 2;

	udptun_conf_connect(sock);
	list_for_each_entry(conf, &sock->confs, sock_node) {
		if (!several)
			udptun_demux_remove(conf);
		else if (count--)
			udptun_demux_add(conf);
		else
			break;
	}
}

/* Accept packets from the peer or, for an external tunnel, from all other senders. */
static void udptun_conf_accept(struct udptun_conf *conf)
{
	udptun_lookup_add(conf);
	list_add(&conf->sock_node, &conf->sock->confs);
}

/* Undo udptun_conf_accept(). */
static void udptun_conf_reject(struct udptun_conf *conf)
{
	udptun_lookup_remove(conf);
	udptun_demux_remove(conf);
	list_del_init(&conf->sock_node);
}

/* Accept packets from the peer, and demultiplex them early. */
void udptun_conf_attach(struct udptun_conf *conf)
{
	udptun_conf_accept(conf);
	udptun_conf_demux(conf->sock);
}

static void udptun_conf_put_sock(struct udptun_conf *conf)
{
	udptun_sock_put(conf->sock);
	conf->detached = true;
}

/* Unhash the configuration and drop the socket reference. Idempotent. */
void udptun_conf_detach(struct udptun_conf *conf)
{
	if (conf->detached)
		return;
	if (!list_empty(&conf->sock_node)) {
		udptun_conf_reject(conf);
		udptun_conf_demux(conf->sock);
	}
	udptun_conf_put_sock(conf);
}

/* Free a configuration that no RCU reader can find. */
void udptun_conf_destroy(struct udptun_conf *conf)
{
	udptun_conf_detach(conf);
	udptun_route_drop(conf);
	udptun_demux_forget(conf);
	kfree(conf);
}

static void udptun_conf_free_rcu(struct rcu_head *rcu)
{
	struct udptun_conf *conf = container_of(rcu, struct udptun_conf, rcu);

	udptun_route_drop(conf);
	udptun_demux_forget(conf);
	kfree(conf);
}

/*
 * Accept packets from the new peer before rejecting those from the old one: a packet
 * always finds a configuration. Update early demux last: a port with one peer has two
 * configurations for a moment, and needs no hook for that.
 */
void udptun_conf_replace(struct udptun_conf *old, struct udptun_conf *conf)
{
	udptun_conf_accept(conf);
	rcu_assign_pointer(conf->tun->conf, conf);
	udptun_conf_reject(old);
	udptun_conf_demux(conf->sock);
	if (old->sock != conf->sock)
		udptun_conf_demux(old->sock);
	udptun_conf_put_sock(old);
	call_rcu(&old->rcu, udptun_conf_free_rcu);
}
