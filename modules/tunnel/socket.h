/* SPDX-License-Identifier: GPL-2.0 */
/* UDP sockets, one for each local port, shared by the tunnels that use the port. */
#ifndef _UDPTUN_SOCKET_H
#define _UDPTUN_SOCKET_H

#include <linux/list.h>
#include <linux/netlink.h>
#include <linux/rcupdate.h>
#include <net/net_namespace.h>
#include <net/udp_tunnel.h>

#define UDPTUN_PEER_BITS	6

/**
 * struct udptun_sock - the socket of a (namespace, family, port)
 * @sock: the UDP socket
 * @node: in udptun_net.socks
 * @family: AF_INET or AF_INET6
 * @port: local port
 * @users: number of peers that use the socket
 * @rcu: frees the structure after a grace period
 * @peers: hash table of the peers, by remote address and port; read under RCU
 *
 * The socket is bound to the wildcard address. It can be opened before the local
 * address exists, and it receives every packet that arrives at the port: packets
 * from anyone but the configured peers are dropped. RTNL protects everything
 * except the RCU readers of @peers.
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

/* Callbacks for packets, ICMP errors and GRO, as in struct udp_tunnel_sock_cfg. */
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
