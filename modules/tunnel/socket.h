/* SPDX-License-Identifier: GPL-2.0 */
/* UDP sockets, one for each local address, port and underlay, shared by tunnels. */
#ifndef _UDPTUN_SOCKET_H
#define _UDPTUN_SOCKET_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/netlink.h>
#include <linux/rcupdate.h>
#include <net/net_namespace.h>
#include <net/udp_tunnel.h>

#include "params.h"

/**
 * struct udptun_sock - the socket of a (namespace, family, address, port, underlay)
 * @sock: the UDP socket
 * @connected: a second one, connected to the only peer, or NULL; see
 *	udptun_sock_connect()
 * @unbound: if @link is set: the socket of the same address and port without an
 *	underlay, or NULL
 * @bound: if @link is not set: number of sockets of the same address and port that
 *	are bound to an underlay
 * @external: configuration of the external tunnel, which receives packets that no peer
 *	has sent; or NULL
 * @node: in udptun_net.socks
 * @family: AF_INET or AF_INET6
 * @port: local port
 * @link: index of the underlay device, which the socket is bound to; 0: none
 * @local: local address, which the socket is bound to
 * @users: number of configurations that use the socket
 * @confs: configurations whose packets are accepted
 * @iif: the device that packets to @connected have come from, as the stack sees it
 * @strangers: number of packets that no peer has sent
 * @salt: random, for lookup.c
 * @rcu: frees the structure after a grace period
 *
 * The socket can be opened before the local address exists. It receives every
 * packet to its address and port: packets from anyone but the configured peers
 * go to the external tunnel, or are dropped. RTNL protects everything except the
 * RCU readers of @unbound, @bound, @external and @iif.
 */
struct udptun_sock {
	struct socket *sock;
	struct socket *connected;
	struct udptun_sock __rcu *unbound;
	unsigned int bound;
	struct udptun_conf __rcu *external;
	struct list_head node;
	sa_family_t family;
	__be16 port;
	int link;
	union udptun_addr local;
	unsigned int users;
	struct list_head confs;
	int iif;
	atomic64_t strangers;
	u32 salt;
	struct rcu_head rcu;
};

/* Callbacks for packets, ICMP errors and GRO, as in struct udp_tunnel_sock_cfg. */
struct udptun_sock_ops {
	udp_tunnel_encap_rcv_t receive;
	udp_tunnel_encap_err_lookup_t err_lookup;
	udp_tunnel_encap_err_rcv_t err_receive;
	udp_tunnel_gro_receive_t gro_receive;
	udp_tunnel_gro_complete_t gro_complete;
};

void udptun_sock_init(const struct udptun_sock_ops *ops);
struct udptun_sock *udptun_sock_get(struct net *net,
				    const struct udptun_params *params,
				    struct netlink_ext_ack *extack);
void udptun_sock_put(struct udptun_sock *sock);
void udptun_sock_connect(struct udptun_sock *sock,
			 const struct udptun_params *params);

#endif /* _UDPTUN_SOCKET_H */
