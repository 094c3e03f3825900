// SPDX-License-Identifier: GPL-2.0
/* What the abstractions of networking call: see helpers.h. */

#include <linux/icmpv6.h>
#include <linux/inetdevice.h>
#include <linux/percpu.h>
#include <linux/random.h>
#include <net/addrconf.h>
#include <net/gro.h>
#include <net/icmp.h>
#include <net/inet_dscp.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include <net/neighbour.h>
#include <net/netlink.h>
#include <net/route.h>
#include <net/sock.h>
#include <net/tcp_states.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>

#include <dsbench/compat.h>
#include <dsbench/local_out.h>

#include "helpers.h"

/*
 * Ends loops through several devices before the kernel stack overflows. The core
 * and the tunnel each count a level: 5 permits three tunnels, as in ip_tunnel.c.
 */
#define MAX_RECURSION	5

bool dsbench_net_recursion_ok(void)
{
	return dev_recursion_level() <= MAX_RECURSION;
}

bool dsbench_net_dst_is_valid(struct dst_entry *dst, u32 cookie)
{
	return dst_check(dst, cookie);
}

unsigned int dsbench_net_dst_mtu(const struct dst_entry *dst)
{
	return dst_mtu(dst);
}

/* Return true if the path does not keep to its MTU. */
bool dsbench_net_dst_mtu_is_locked(const struct dst_entry *dst)
{
	return dst->ops->family == AF_INET && ip_mtu_locked(dst);
}

int dsbench_net_make_headroom(struct sk_buff *skb, unsigned int headroom)
{
	return skb_cow_head(skb, headroom);
}

int dsbench_net_handle_offloads(struct sk_buff *skb, bool csum)
{
	return udp_tunnel_handle_offloads(skb, csum);
}

/* Drop a packet without a route of this family. Return true if it has one. */
static bool dsbench_net_has_route(struct sk_buff *skb, unsigned short family)
{
	const struct dst_entry *dst = skb_dst(skb);

	if (likely(dst && dst->ops->family == family))
		return true;
	kfree_skb(skb);
	return false;
}

/* Complete the IPv4 header and send. Return 0 or an error, as net_xmit_eval(). */
int dsbench_net_send4(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	struct iphdr *ip = ip_hdr(skb);
	int err;

	if (unlikely(!dsbench_net_has_route(skb, AF_INET)))
		return -EHOSTUNREACH;
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	/* A total length of 0 stands for that of a GSO packet that does not fit. */
	ip->tot_len = skb->len <= IP_MAX_MTU ? htons(skb->len) : 0;
	/* The id of packets that are not fragmented is 0, as in the template. */
	if (!ip->frag_off)
		ip_select_ident_segs(net, skb, NULL,
				     skb_shinfo(skb)->gso_segs ?: 1);
	ip->check = 0;
	ip->check = ip_fast_csum(ip, sizeof(*ip) / 4);

	dev_xmit_recursion_inc();
	err = dsbench_ip_local_out(net, sk, skb);
	dev_xmit_recursion_dec();
	return net_xmit_eval(err);
}

#if IS_ENABLED(CONFIG_IPV6)
int dsbench_net_send6(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	int err;

	if (unlikely(!dsbench_net_has_route(skb, AF_INET6)))
		return -EHOSTUNREACH;
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));

	dev_xmit_recursion_inc();
	err = ip6_local_out(net, sk, skb);
	dev_xmit_recursion_dec();
	return net_xmit_eval(err);
}
#else
int dsbench_net_send6(struct net *net, struct sock *sk, struct sk_buff *skb)
{
	kfree_skb(skb);
	return -EAFNOSUPPORT;
}
#endif

/* Report the path MTU to the sender of a packet, local or remote. */
void dsbench_net_report_mtu(struct sk_buff *skb, unsigned int mtu)
{
	skb_dst_update_pmtu_no_confirm(skb, mtu);
	if (skb->protocol == htons(ETH_P_IPV6)) {
		if (ipv6_mod_enabled())
			icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	} else {
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
			      htonl(mtu));
	}
}

static struct dst_entry *dsbench_net_route4(struct net *net,
					    const struct dsbench_net_flow *flow)
{
	struct flowi4 fl4;
	struct rtable *rt;

	ip_tunnel_init_flow(&fl4, IPPROTO_UDP, flow->remote.v4, flow->local.v4, 0,
			    flow->dsfield & INET_DSCP_MASK, net, 0, flow->mark, 0,
			    0);
	fl4.fl4_sport = flow->sport;
	fl4.fl4_dport = flow->dport;
	rt = ip_route_output_key(net, &fl4);
	return IS_ERR(rt) ? ERR_CAST(rt) : &rt->dst;
}

#if IS_ENABLED(CONFIG_IPV6)
static struct dst_entry *dsbench_net_route6(struct net *net, const struct sock *sk,
					    const struct dsbench_net_flow *flow)
{
	struct flowi6 fl6 = {
		.flowi6_proto = IPPROTO_UDP,
		.flowi6_mark = flow->mark,
		.daddr = flow->remote.v6,
		.saddr = flow->local.v6,
		.fl6_sport = flow->sport,
		.fl6_dport = flow->dport,
		.flowlabel = ip6_make_flowinfo(flow->dsfield & INET_DSCP_MASK,
					       flow->flowlabel),
	};

	return ip6_dst_lookup_flow(net, sk, &fl6, NULL);
}
#else
static struct dst_entry *dsbench_net_route6(struct net *net, const struct sock *sk,
					    const struct dsbench_net_flow *flow)
{
	return ERR_PTR(-EAFNOSUPPORT);
}
#endif

struct dst_entry *dsbench_net_route(struct net *net, const struct sock *sk,
				    const struct dsbench_net_flow *flow)
{
	return flow->family == AF_INET ? dsbench_net_route4(net, flow) :
					 dsbench_net_route6(net, sk, flow);
}

unsigned int dsbench_net_dst_headroom(const struct dst_entry *dst)
{
	return LL_RESERVED_SPACE(DSBENCH_DST_DEV(dst)) + dst->header_len;
}

/* Return what shows whether an IPv6 route is still valid. */
u32 dsbench_net_dst_cookie(const struct dst_entry *dst)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (dst->ops->family == AF_INET6)
		return rt6_get_cookie(container_of(dst, struct rt6_info, dst));
#endif
	return 0;
}

int dsbench_net_dst_generation(const struct dst_entry *dst)
{
	const struct rtable *rt4 = container_of(dst, struct rtable, dst);

	return dst->ops->family == AF_INET ? rt4->rt_genid : 0;
}

/*
 * Return true if the generation of IPv4 routes tells whether the route is valid, and
 * its device the MTU, as long as none of the path is learnt.
 */
bool dsbench_net_dst_is_plain(const struct dst_entry *dst)
{
	return dst->ops->family == AF_INET && !dst_xfrm(dst) &&
	       !(dst->flags & DST_XFRM_QUEUE) && !dst->lwtstate &&
	       !dst_metric_raw(dst, RTAX_MTU) &&
	       !dst_metric_locked(dst, RTAX_MTU);
}

/*
 * Apply the congestion mark of the outer header to the inner one, at skb->data. Return
 * false if the packet must be dropped: it cannot carry the mark, or no memory is left.
 */
bool dsbench_net_decapsulate_ecn(struct sk_buff *skb, u8 outer, u8 inner,
				 unsigned int header_len)
{
	/* A capture or the sender may share the data. */
	if (skb_ensure_writable(skb, header_len))
		return false;
	return INET_ECN_decapsulate(skb, outer, inner) <= 1;
}

/* Look up the input route of an IPv4 packet again. Return false if it is not for us. */
bool dsbench_net_input_is_local(struct sk_buff *skb)
{
	const struct iphdr *ip = ip_hdr(skb);

	skb_dst_drop(skb);
	return !dsbench_route_input(skb, ip->daddr, ip->saddr, ip->tos, skb->dev) &&
	       skb_rtable(skb)->rt_type == RTN_LOCAL;
}

void dsbench_net_count_socket_drop(struct sock *sk)
{
	dsbench_udp_drop(sk);
}

/* Return @len bytes at the offset that GRO has reached, or NULL. */
void *dsbench_net_gro_header(struct sk_buff *skb, unsigned int len)
{
	unsigned int offset = skb_gro_offset(skb);

	return skb_gro_header(skb, offset + len, offset);
}

struct sk_buff *dsbench_net_gro_receive(const struct packet_offload *offload,
					struct list_head *head,
					struct sk_buff *skb)
{
	struct sk_buff *pp = NULL;

	if (offload)
		pp = call_gro_receive(offload->callbacks.gro_receive, head, skb);
	skb_gro_flush_final(skb, pp, !offload);
	return pp;
}

int dsbench_net_gro_complete(struct sk_buff *skb, int offset)
{
	const struct packet_offload *offload;
	int err = -EINVAL;
	__be16 protocol;

	protocol = skb->data[offset] >> 4 == 4 ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
	offload = gro_find_complete_by_type(protocol);
	if (likely(offload))
		err = offload->callbacks.gro_complete(skb, offset);
	/* If the packet is forwarded, GSO expects the inner header here. */
	skb_set_inner_mac_header(skb, offset);
	return err;
}

void dsbench_net_count_tx(struct net_device *dev, unsigned int len)
{
	dev_sw_netstats_tx_add(dev, 1, len);
}

void dsbench_net_count_rx(struct net_device *dev, unsigned int len)
{
	dev_sw_netstats_rx_add(dev, len);
}

void dsbench_net_count(struct net_device *dev, enum dsbench_net_counter counter)
{
	switch (counter) {
	case DSBENCH_NET_RX_CRC_ERRORS:
		DEV_STATS_INC(dev, rx_crc_errors);
		break;
	case DSBENCH_NET_RX_DROPPED:
		DEV_STATS_INC(dev, rx_dropped);
		break;
	case DSBENCH_NET_RX_ERRORS:
		DEV_STATS_INC(dev, rx_errors);
		break;
	case DSBENCH_NET_RX_FRAME_ERRORS:
		DEV_STATS_INC(dev, rx_frame_errors);
		break;
	case DSBENCH_NET_RX_LENGTH_ERRORS:
		DEV_STATS_INC(dev, rx_length_errors);
		break;
	case DSBENCH_NET_TX_CARRIER_ERRORS:
		DEV_STATS_INC(dev, tx_carrier_errors);
		break;
	case DSBENCH_NET_TX_COLLISIONS:
		DEV_STATS_INC(dev, collisions);
		break;
	case DSBENCH_NET_TX_DROPPED:
		DEV_STATS_INC(dev, tx_dropped);
		break;
	case DSBENCH_NET_TX_ERRORS:
		DEV_STATS_INC(dev, tx_errors);
		break;
	}
}

void *dsbench_net_this_cpu(unsigned long percpu)
{
	return this_cpu_ptr((void __percpu __force *)percpu);
}

void *dsbench_net_cpu(unsigned long percpu, unsigned int cpu)
{
	return per_cpu_ptr((void __percpu __force *)percpu, cpu);
}

/* Return the next possible CPU after @cpu, which begins at -1, or UINT_MAX. */
unsigned int dsbench_net_next_cpu(int cpu)
{
	unsigned int next = cpumask_next(cpu, cpu_possible_mask);

	return next < nr_cpu_ids ? next : UINT_MAX;
}

unsigned long dsbench_net_alloc_percpu(size_t size, size_t align)
{
	return (unsigned long __force)__alloc_percpu(size, align);
}

void dsbench_net_free_percpu(unsigned long percpu)
{
	free_percpu((void __percpu __force *)percpu);
}

void dsbench_net_napi_add(struct net_device *dev, struct napi_struct *napi,
			  int (*poll)(struct napi_struct *napi, int budget))
{
	/* As in gro_cells: sockets cannot poll what a softirq fills. */
	set_bit(NAPI_STATE_NO_BUSY_POLL, &napi->state);
	netif_napi_add(dev, napi, poll);
}

/* The caller waits for a grace period before it frees the NAPI. */
void dsbench_net_napi_del(struct napi_struct *napi)
{
	__netif_napi_del(napi);
}

void dsbench_net_napi_kick(struct napi_struct *napi)
{
	local_bh_disable();
	napi_schedule(napi);
	local_bh_enable();
}

void dsbench_net_napi_flush(struct napi_struct *napi)
{
	napi_gro_flush(napi, false);
}

bool dsbench_net_elides_gro(const struct net_device *dev)
{
	return netif_elide_gro(dev);
}

/* Offloads that the stack does in software before encapsulation. */
#define DSBENCH_NET_FEATURES	(NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | \
				 NETIF_F_RXCSUM | NETIF_F_GSO_SOFTWARE)

/* Set up a point-to-point device without a link layer. */
void dsbench_net_device_setup(struct net_device *dev)
{
	dev->header_ops = &ip_tunnel_header_ops;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST;
	dev->priv_flags |= IFF_NO_QUEUE;
	dsbench_set_lltx(dev);
	/* dsbench_net_report_mtu() updates the path MTU of a packet's route. */
	netif_keep_dst(dev);
	dev->features |= DSBENCH_NET_FEATURES;
	dev->hw_features |= DSBENCH_NET_FEATURES;
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	/* The outer length fields must also hold the length of a GSO packet. */
	netif_set_tso_max_size(dev, IP_MAX_MTU - sizeof(struct ipv6hdr) - sizeof(struct udphdr));
	/* By default, GSO packets stay within that limit, but they may exceed it. */
	if (DSBENCH_HAS_BIG_UDP)
		netif_set_tso_max_size(dev, GSO_MAX_SIZE);
	dev->needs_free_netdev = true;
}

void dsbench_net_device_init(struct net_device *dev)
{
	/* Our locks nest with those of other devices, which have other classes. */
	netdev_lockdep_set_classes(dev);
}

/*
 * There is no link header: send without the function that would add it. The protocols
 * choose that function since the device has header_ops, for packet sockets.
 */
static int dsbench_net_neigh_output(struct neighbour *neigh, struct sk_buff *skb)
{
	return dev_queue_xmit(skb);
}

int dsbench_net_neigh_construct(struct net_device *dev, struct neighbour *neigh)
{
	neigh->output = dsbench_net_neigh_output;
	return 0;
}

unsigned int dsbench_net_addr_type4(struct net *net, __be32 addr)
{
	return inet_addr_type(net, addr);
}

bool dsbench_net_is_local6(struct net *net, const struct in6_addr *addr)
{
	return IS_ENABLED(CONFIG_IPV6) &&
	       ipv6_chk_addr_and_flags(net, addr, NULL, true, 0, 0);
}

bool dsbench_net_has_ipv6(void)
{
	return ipv6_mod_enabled();
}

/* rtnetlink accepts, and ignores, unknown attributes and surplus bytes. This does not. */
int dsbench_net_validate(const struct nlattr *linkinfo, int maxtype,
			 const struct nla_policy *policy,
			 struct netlink_ext_ack *extack)
{
	return nla_validate_nested(nla_find_nested(linkinfo, IFLA_INFO_DATA), maxtype,
				   policy, extack);
}

int dsbench_net_socket_create(struct net *net, unsigned int family,
			      struct socket **result)
{
	struct socket *socket;
	int err;

	err = sock_create_kern(net, family, SOCK_DGRAM, IPPROTO_UDP, &socket);
	if (err)
		return err;

	/* The socket outlives its address, which a flapping device loses and regains. */
	ip_sock_set_freebind(socket->sk);
	if (family == AF_INET6) {
		err = ip6_sock_set_v6only(socket->sk);
		if (err) {
			sock_release(socket);
			return err;
		}
		/* The driver checks once the peer is known. */
		udp_set_no_check6_rx(socket->sk, true);
	}
	*result = socket;
	return 0;
}

void dsbench_net_socket_setup(struct net *net, struct socket *socket, void *user_data,
			      const struct dsbench_net_encap *encap)
{
	struct udp_tunnel_sock_cfg config = {
		.sk_user_data = user_data,
		.encap_type = 1,
		.encap_rcv = encap->receive,
		.encap_err_lookup = encap->err_lookup,
		.gro_receive = encap->gro_receive,
		.gro_complete = encap->gro_complete,
	};

	setup_udp_tunnel_sock(net, DSBENCH_TUNNEL_SOCK(socket), &config);
	/* Accept UDP GSO packets without segmenting them first. */
	udp_allow_gso(socket->sk);
}

int dsbench_net_socket_bind(struct socket *socket, unsigned int family,
			    const union dsbench_net_addr *local, __be16 port)
{
	struct sockaddr_in v4 = {
		.sin_family = AF_INET,
		.sin_port = port,
		.sin_addr.s_addr = local->v4,
	};
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6,
		.sin6_port = port,
		.sin6_addr = local->v6,
	};

	if (family == AF_INET)
		return kernel_bind(socket, (DSBENCH_SOCKADDR *)&v4, sizeof(v4));
	return kernel_bind(socket, (DSBENCH_SOCKADDR *)&v6, sizeof(v6));
}

void dsbench_net_socket_share(struct socket *socket, bool share)
{
	lock_sock(socket->sk);
	socket->sk->sk_reuseport = share;
	release_sock(socket->sk);
}

/* Do what connect() does, but without a route, which may not exist yet. */
void dsbench_net_socket_connect(struct socket *socket, __be32 remote, __be16 port,
				bool established)
{
	struct inet_sock *inet = inet_sk(socket->sk);

	lock_sock(socket->sk);
	inet->inet_daddr = remote;
	inet->inet_dport = port;
	socket->sk->sk_state = established ? TCP_ESTABLISHED : TCP_CLOSE;
	release_sock(socket->sk);
}

/* Close a socket. RCU readers still use its user data to receive. */
void dsbench_net_socket_release(struct socket *socket)
{
	sock_release(socket);
}

/* Close a socket whose user data the caller frees after a grace period. */
void dsbench_net_socket_close(struct socket *socket)
{
	rcu_assign_sk_user_data(socket->sk, NULL);
	kernel_sock_shutdown(socket, SHUT_RDWR);
	sock_release(socket);
}

struct sock *dsbench_net_socket_sk(const struct socket *socket)
{
	return socket->sk;
}

u32 dsbench_net_random(void)
{
	return get_random_u32();
}

/* Free an object of the slab after a grace period. */
void dsbench_net_free_deferred(struct dsbench_net_deferred *object)
{
	kfree_rcu(object, rcu);
}

void dsbench_net_free_rcu(void *object)
{
	kfree_rcu_mightsleep(object);
}

/* Wait for RCU readers, and for the callbacks that free. */
void dsbench_net_wait_rcu(void)
{
	synchronize_rcu();
	rcu_barrier();
}
