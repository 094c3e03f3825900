// SPDX-License-Identifier: GPL-2.0
/* Sockets: one for each local address, port and underlay, shared by tunnels. */

#include <linux/random.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/udp_tunnel.h>

#include <dsbench/compat.h>

#include "netns.h"
#include "socket.h"

static const struct udptun_sock_ops *udptun_sock_ops __read_mostly;

/**
 * udptun_sock_init() - set the callbacks of all sockets
 * @ops: the callbacks
 *
 * Context: Module init, before the first udptun_sock_get().
 */
void udptun_sock_init(const struct udptun_sock_ops *ops)
{
	udptun_sock_ops = ops;
}

static bool udptun_sock_is_beside(const struct udptun_sock *sock,
				  const struct udptun_params *params)
{
	return sock->family == params->family && sock->port == params->local_port &&
	       !memcmp(&sock->local, &params->local, sizeof(sock->local));
}

static struct udptun_sock *udptun_sock_find(struct net *net,
					    const struct udptun_params *params,
					    int link)
{
	struct udptun_sock *sock;

	list_for_each_entry(sock, &udptun_net(net)->socks, node) {
		if (udptun_sock_is_beside(sock, params) && sock->link == link)
			return sock;
	}
	return NULL;
}

static void udptun_sock_set_reuseport(struct socket *socket, bool reuse)
{
	lock_sock(socket->sk);
	/* Receivers read it without a lock: either value leads to our sockets. */
	socket->sk->sk_reuseport = reuse;
	release_sock(socket->sk);
}

/* Return true if other sockets of ours have the same local address and port. */
static bool udptun_sock_share(struct net *net, const struct udptun_params *params,
			      bool share)
{
	struct udptun_sock *other;
	bool found = false;

	list_for_each_entry(other, &udptun_net(net)->socks, node) {
		if (!udptun_sock_is_beside(other, params))
			continue;
		udptun_sock_set_reuseport(other->sock, share);
		if (other->connected)
			udptun_sock_set_reuseport(other->connected, share);
		found = true;
	}
	return found;
}

static int udptun_sock_bind(struct socket *socket,
			    const struct udptun_params *params)
{
	struct sockaddr_in v4 = {
		.sin_family = AF_INET,
		.sin_port = params->local_port,
		.sin_addr.s_addr = params->local.v4,
	};
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6,
		.sin6_port = params->local_port,
		.sin6_addr = params->local.v6,
	};

	if (params->family == AF_INET)
		return kernel_bind(socket, (DSBENCH_SOCKADDR *)&v4, sizeof(v4));
	return kernel_bind(socket, (DSBENCH_SOCKADDR *)&v6, sizeof(v6));
}

/*
 * Bind the socket beside those of the same address and port that are connected, or
 * have other underlays or none. The kernel refuses a socket without a device beside
 * one with a device, unless both have SO_REUSEPORT and belong to the same user. Ours
 * have the flag only during the bind: afterwards no program can share the port.
 */
static int udptun_sock_bind_beside(struct socket *socket, struct net *net,
				   const struct udptun_params *params)
{
	int err;

	if (!udptun_sock_share(net, params, true))
		return udptun_sock_bind(socket, params);

	udptun_sock_set_reuseport(socket, true);
	err = udptun_sock_bind(socket, params);
	udptun_sock_set_reuseport(socket, false);
	udptun_sock_share(net, params, false);
	return err;
}

static int udptun_sock_create(struct net *net, const struct udptun_params *params,
			      struct socket **result)
{
	struct socket *socket;
	int err;

	err = sock_create_kern(net, params->family, SOCK_DGRAM, IPPROTO_UDP,
			       &socket);
	if (err)
		return err;

	/* The socket outlives its address, which a flapping device loses and regains. */
	ip_sock_set_freebind(socket->sk);
	if (params->family == AF_INET6) {
		err = ip6_sock_set_v6only(socket->sk);
		if (err)
			goto err_setup;
		/* udptun_lacks_checksum() in receive.c checks once the peer is known. */
		udp_set_no_check6_rx(socket->sk, true);
	}
	if (params->link) {
		err = sock_bindtoindex(socket->sk, params->link, true);
		if (err)
			goto err_setup;
	}
	*result = socket;
	return 0;

err_setup:
	sock_release(socket);
	return err;
}

static void udptun_sock_setup(struct udptun_sock *sock, struct net *net,
			      struct socket *socket)
{
	struct udp_tunnel_sock_cfg tunnel_cfg = {
		.sk_user_data = sock,
		.encap_type = 1,
		.encap_rcv = udptun_sock_ops->receive,
		.encap_err_lookup = udptun_sock_ops->err_lookup,
		.encap_err_rcv = udptun_sock_ops->err_receive,
		.gro_receive = udptun_sock_ops->gro_receive,
		.gro_complete = udptun_sock_ops->gro_complete,
	};

	setup_udp_tunnel_sock(net, DSBENCH_TUNNEL_SOCK(socket), &tunnel_cfg);
	/* Accept UDP GSO packets without segmenting them first. */
	udp_allow_gso(socket->sk);
}

static int udptun_sock_open(struct udptun_sock *sock, struct net *net,
			    const struct udptun_params *params,
			    struct netlink_ext_ack *extack)
{
	int err;

	err = udptun_sock_create(net, params, &sock->sock);
	if (!err) {
		err = udptun_sock_bind_beside(sock->sock, net, params);
		if (err)
			sock_release(sock->sock);
	}
	if (err == -EADDRINUSE)
		NL_SET_ERR_MSG(extack, "The local port is in use by another socket");
	else if (err)
		NL_SET_ERR_MSG(extack, "Cannot open the UDP socket");
	if (err)
		return err;

	udptun_sock_setup(sock, net, sock->sock);
	return 0;
}

/* Do what connect() does, but without a route, which may not exist yet. */
static void udptun_sock_set_remote(struct socket *socket,
				   const struct udptun_params *params, int state)
{
	struct inet_sock *inet = inet_sk(socket->sk);

	lock_sock(socket->sk);
	/* Receivers read these without a lock: an old value leads to the other socket. */
	WRITE_ONCE(inet->inet_daddr, params->remote.v4);
	WRITE_ONCE(inet->inet_dport, params->remote_port);
	WRITE_ONCE(socket->sk->sk_state, state);
	release_sock(socket->sk);
}

/*
 * The bind lets the socket receive packets: set its callbacks before, so that no packet
 * is lost. Set the remote address before, too: without one, a bound socket joins the
 * list that GRO searches by port alone. The bind clears the address, and refuses a
 * connected socket: set address and state afterwards.
 */
static int udptun_sock_open_connected(struct udptun_sock *sock, struct net *net,
				      const struct udptun_params *params)
{
	struct socket *socket;
	int err;

	err = udptun_sock_create(net, params, &socket);
	if (err)
		return err;
	udptun_sock_set_remote(socket, params, TCP_CLOSE);
	udptun_sock_setup(sock, net, socket);
	err = udptun_sock_bind_beside(socket, net, params);
	if (err) {
		sock_release(socket);
		return err;
	}
	udptun_sock_set_remote(socket, params, TCP_ESTABLISHED);
	sock->connected = socket;
	return 0;
}

/**
 * udptun_sock_connect() - open or close the connected socket beside a socket
 * @sock: the socket, which still receives the packets of all other senders
 * @params: parameters of the only configuration that uses @sock; NULL if there is none,
 *	or more than one
 *
 * Early demux finds a connected socket, and takes the input route of the last packet
 * from there: that saves the lookup of the route and half that of the socket. Early
 * demux looks at the socket that was bound last only, and IPv6 sockets with
 * SO_REUSEPORT are not put there: this is for IPv4. If the connected socket cannot be
 * opened, @sock receives all packets.
 *
 * Context: Process context, under rtnl_lock().
 */
void udptun_sock_connect(struct udptun_sock *sock,
			 const struct udptun_params *params)
{
	struct net *net = sock_net(sock->sock->sk);
	int err;

	/* RCU readers still use its user data, @sock, to receive. */
	if (sock->connected)
		sock_release(sock->connected);
	sock->connected = NULL;

	if (!DSBENCH_LOCKLESS_EARLY_DEMUX || !params || params->family != AF_INET)
		return;
	err = udptun_sock_open_connected(sock, net, params);
	if (err)
		pr_debug("port %u: no connected socket: error %d\n",
			 ntohs(sock->port), err);
}

/*
 * Let the bound sockets of this address and port refer to the unbound one, or to NULL.
 * Return their number.
 */
static unsigned int udptun_sock_set_unbound(struct net *net,
					    const struct udptun_params *params,
					    struct udptun_sock *unbound)
{
	struct udptun_sock *other;
	unsigned int bound = 0;

	list_for_each_entry(other, &udptun_net(net)->socks, node) {
		if (!other->link || !udptun_sock_is_beside(other, params))
			continue;
		rcu_assign_pointer(other->unbound, unbound);
		bound++;
	}
	return bound;
}

/* Let a bound socket refer to the unbound one of its address and port, if there is one. */
static void udptun_sock_join_unbound(struct udptun_sock *sock, struct net *net,
				     const struct udptun_params *params)
{
	struct udptun_sock *unbound = udptun_sock_find(net, params, 0);

	rcu_assign_pointer(sock->unbound, unbound);
	if (unbound)
		WRITE_ONCE(unbound->bound, unbound->bound + 1);
}

static void udptun_sock_leave_unbound(struct udptun_sock *sock)
{
	struct udptun_sock *unbound = rtnl_dereference(sock->unbound);

	if (unbound)
		WRITE_ONCE(unbound->bound, unbound->bound - 1);
}

/**
 * udptun_sock_get() - get a reference to the socket of a tunnel
 * @net: network namespace of the socket
 * @params: local address, port and underlay
 * @extack: receives the reason for a failure
 *
 * Opens the socket for its first user.
 *
 * Context: Process context, under rtnl_lock().
 * Return: the socket, or an error pointer.
 */
struct udptun_sock *udptun_sock_get(struct net *net,
				    const struct udptun_params *params,
				    struct netlink_ext_ack *extack)
{
	struct udptun_sock *sock;
	int err;

	sock = udptun_sock_find(net, params, params->link);
	if (sock) {
		sock->users++;
		return sock;
	}

	sock = kzalloc(sizeof(*sock), GFP_KERNEL);
	if (!sock)
		return ERR_PTR(-ENOMEM);
	sock->family = params->family;
	sock->port = params->local_port;
	sock->link = params->link;
	sock->local = params->local;
	sock->users = 1;
	sock->salt = get_random_u32();
	INIT_LIST_HEAD(&sock->confs);
	/* Before it receives: demux.c sends nothing past a bound socket. */
	if (sock->link)
		udptun_sock_join_unbound(sock, net, params);

	err = udptun_sock_open(sock, net, params, extack);
	if (err) {
		udptun_sock_leave_unbound(sock);
		kfree(sock);
		return ERR_PTR(err);
	}
	if (!sock->link)
		sock->bound = udptun_sock_set_unbound(net, params, sock);
	list_add(&sock->node, &udptun_net(net)->socks);
	return sock;
}

/*
 * Close a UDP socket. udp_tunnel_sock_release() would wait for a grace period, under
 * RTNL, for each socket. There is no need to: RCU readers use the struct sock, which
 * the kernel frees after a grace period (SOCK_RCU_FREE), as we free the struct
 * udptun_sock, and never the struct socket.
 */
static void udptun_sock_close(struct socket *socket)
{
	rcu_assign_sk_user_data(socket->sk, NULL);
	kernel_sock_shutdown(socket, SHUT_RDWR);
	sock_release(socket);
}

/**
 * udptun_sock_put() - release a reference of udptun_sock_get()
 * @sock: the socket
 *
 * The last reference closes the socket. RCU readers may still use @sock.
 *
 * Context: Process context, under rtnl_lock().
 */
void udptun_sock_put(struct udptun_sock *sock)
{
	const struct udptun_params params = {
		.family = sock->family,
		.local_port = sock->port,
		.local = sock->local,
	};

	if (--sock->users)
		return;
	list_del(&sock->node);
	if (sock->link)
		udptun_sock_leave_unbound(sock);
	else
		udptun_sock_set_unbound(sock_net(sock->sock->sk), &params, NULL);
	udptun_sock_close(sock->sock);
	kfree_rcu(sock, rcu);
}
