/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _UDPTUN_SOCKET_H
#define _UDPTUN_SOCKET_H

#include <linux/list.h>
#include <linux/netlink.h>
#include <linux/rcupdate.h>
#include <net/net_namespace.h>
#include <net/udp_tunnel.h>

#define UDPTUN_PEER_BITS	6

/*
 * The one socket of a (namespace, family, port), bound to no address: it may be
 * made before the address is there, and it sees whatever comes to the port, so
 * that no stranger's packet finds another way in. RTNL protects all but what
 * RCU readers see: the buckets.
 */
struct udptun_sock {
	struct socket *sock;
	struct list_head node;
	sa_family_t family;
	__be16 port;
	unsigned int users;
	struct rcu_head rcu;
	struct hlist_head peers[1 << UDPTUN_PEER_BITS];
};

/* What the sockets do with packets, ICMP errors and GRO, as in struct udp_tunnel_sock_cfg. */
struct udptun_sock_ops {
	udp_tunnel_encap_rcv_t receive;
	udp_tunnel_encap_err_lookup_t err_lookup;
	udp_tunnel_gro_receive_t gro_receive;
	udp_tunnel_gro_complete_t gro_complete;
};

void udptun_sock_init(const struct udptun_sock_ops *ops);
struct udptun_sock *udptun_sock_get(struct net *net, sa_family_t family,
				    __be16 port,
				    struct netlink_ext_ack *extack);
void udptun_sock_put(struct udptun_sock *sock);

#endif /* _UDPTUN_SOCKET_H */
