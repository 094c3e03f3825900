// SPDX-License-Identifier: GPL-2.0
/* Sockets: one for each local port, shared by the tunnels that use the port. */

#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/udp_tunnel.h>

#include <dsbench/compat.h>

#include "netns.h"
#include "socket.h"

static const struct udptun_sock_ops *sock_ops __read_mostly;

/**
 * udptun_sock_init() - set the callbacks of all sockets
 * @ops: the callbacks
 *
 * Context: Module init, before the first udptun_sock_get().
 */
void udptun_sock_init(const struct udptun_sock_ops *ops)
{
	sock_ops = ops;
}

static struct udptun_sock *sock_find(struct net *net, sa_family_t family,
				     __be16 port)
{
	struct udptun_sock *sock;

	list_for_each_entry(sock, &udptun_net(net)->socks, node) {
		if (sock->family == family && sock->port == port)
			return sock;
	}
	return NULL;
}

static int sock_open(struct udptun_sock *sock, struct net *net,
		     struct netlink_ext_ack *extack)
{
	struct udp_tunnel_sock_cfg tunnel_cfg = {
		.sk_user_data = sock,
		.encap_type = 1,
		.encap_rcv = sock_ops->receive,
		.encap_err_lookup = sock_ops->err_lookup,
		.gro_receive = sock_ops->gro_receive,
		.gro_complete = sock_ops->gro_complete,
	};
	/* lacks_checksum() in receive.c checks for this once the peer is known. */
	struct udp_port_cfg port_cfg = {
		.family = sock->family,
		.local_udp_port = sock->port,
		.ipv6_v6only = true,
		.use_udp_checksums = true,
		.use_udp6_tx_checksums = true,
		.use_udp6_rx_checksums = false,
	};
	int err;

	err = udp_sock_create(net, &port_cfg, &sock->sock);
	if (err == -EADDRINUSE)
		NL_SET_ERR_MSG(extack, "The local port is in use by another socket");
	else if (err)
		NL_SET_ERR_MSG(extack, "Cannot open the UDP socket");
	if (err)
		return err;

	setup_udp_tunnel_sock(net, DSBENCH_TUNNEL_SOCK(sock->sock),
			      &tunnel_cfg);
	/* Accept UDP GSO packets without segmenting them first. */
	udp_allow_gso(sock->sock->sk);
	return 0;
}

/**
 * udptun_sock_get() - get a reference to the socket of a port
 * @net: network namespace of the socket
 * @family: AF_INET or AF_INET6
 * @port: local port
 * @extack: receives the reason for a failure
 *
 * Opens the socket for its first user.
 *
 * Context: Process context, under rtnl_lock().
 * Return: the socket, or an error pointer.
 */
struct udptun_sock *udptun_sock_get(struct net *net, sa_family_t family,
				    __be16 port,
				    struct netlink_ext_ack *extack)
{
	struct udptun_sock *sock;
	int err;

	sock = sock_find(net, family, port);
	if (sock) {
		sock->users++;
		return sock;
	}

	sock = kzalloc(sizeof(*sock), GFP_KERNEL);
	if (!sock)
		return ERR_PTR(-ENOMEM);
	sock->family = family;
	sock->port = port;
	sock->users = 1;

	err = sock_open(sock, net, extack);
	if (err) {
		kfree(sock);
		return ERR_PTR(err);
	}
	list_add(&sock->node, &udptun_net(net)->socks);
	return sock;
}

/**
 * udptun_sock_put() - release a reference of udptun_sock_get()
 * @sock: the socket
 *
 * The last reference closes the socket and waits for its RCU readers.
 *
 * Context: Process context, under rtnl_lock().
 */
void udptun_sock_put(struct udptun_sock *sock)
{
	if (--sock->users)
		return;
	list_del(&sock->node);
	udp_tunnel_sock_release(DSBENCH_TUNNEL_SOCK(sock->sock));
	kfree_rcu(sock, rcu);
}
