/* SPDX-License-Identifier: GPL-2.0 */
/* Configurations of devices: created, published, replaced under traffic. */
#ifndef _UDPTUN_CONF_H
#define _UDPTUN_CONF_H

#include <linux/list.h>
#include <linux/netlink.h>
#include <linux/rcupdate.h>
#include <net/dst_cache.h>

#include "header.h"
#include "params.h"

struct udptun_device;
struct udptun_sock;

/**
 * struct udptun_conf - the configuration of a device
 * @node: in a bucket of lookup.c, while packets from the peer are accepted
 * @sock_node: in udptun_sock.confs, as long
 * @tun: the device
 * @sk: the UDP socket of @sock
 * @params: addresses, ports and options
 * @header: template of the outer headers
 * @dst_cache: route to the peer
 * @sock: the socket of the local port; its reference is gone if @detached
 * @detached: udptun_conf_detach() was called
 * @rcu: frees a replaced configuration after a grace period
 *
 * A configuration is immutable: changelink replaces it by a new one. A new one
 * starts with an empty route cache, so it never uses a route of the old one.
 */
struct udptun_conf {
	struct hlist_node node;
	struct list_head sock_node;
	struct udptun_device *tun;
	struct sock *sk;
	struct udptun_params params;
	union udptun_header header;
	struct dst_cache dst_cache;
	struct udptun_sock *sock;
	bool detached;
	struct rcu_head rcu;
};

struct udptun_conf *udptun_conf_create(struct udptun_device *tun,
				       const struct udptun_params *params,
				       struct netlink_ext_ack *extack);
void udptun_conf_destroy(struct udptun_conf *conf);
void udptun_conf_attach(struct udptun_conf *conf);
void udptun_conf_detach(struct udptun_conf *conf);
void udptun_conf_replace(struct udptun_conf *old, struct udptun_conf *conf);

#endif /* _UDPTUN_CONF_H */
