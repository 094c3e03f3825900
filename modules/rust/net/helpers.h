/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Wrappers of inline functions and macros, which Rust cannot call, and all differences
 * between kernels. They are out of line: each costs a packet about 8 instructions, so
 * those for packets are few and do several steps.
 */
#ifndef _DSBENCH_RUST_NET_HELPERS_H
#define _DSBENCH_RUST_NET_HELPERS_H

#include <linux/in6.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/net_namespace.h>

/**
 * union dsbench_net_addr - an IPv4 or IPv6 address
 * @v4: IPv4 address; the rest is 0
 * @v6: IPv6 address
 */
union dsbench_net_addr {
	__be32 v4;
	struct in6_addr v6;
};

/**
 * struct dsbench_net_flow - what a route is looked up by
 * @family: AF_INET or AF_INET6
 * @sport: source port
 * @dport: destination port
 * @dsfield: TOS or traffic class; the ECN bits are ignored
 * @flowlabel: IPv6 flow label
 * @mark: bits that rules of routing select by
 * @local: source address
 * @remote: destination address
 */
struct dsbench_net_flow {
	u16 family;
	__be16 sport;
	__be16 dport;
	u8 dsfield;
	__be32 flowlabel;
	u32 mark;
	union dsbench_net_addr local;
	union dsbench_net_addr remote;
};

/* Counters of a device that are not per CPU. */
enum dsbench_net_counter {
	DSBENCH_NET_RX_CRC_ERRORS,
	DSBENCH_NET_RX_DROPPED,
	DSBENCH_NET_RX_ERRORS,
	DSBENCH_NET_RX_FRAME_ERRORS,
	DSBENCH_NET_RX_LENGTH_ERRORS,
	DSBENCH_NET_TX_CARRIER_ERRORS,
	DSBENCH_NET_TX_COLLISIONS,
	DSBENCH_NET_TX_DROPPED,
	DSBENCH_NET_TX_ERRORS,
};

/* Macros that bindgen cannot evaluate. */
enum {
	DSBENCH_NET_LINK_STATE_START = __LINK_STATE_START,
	DSBENCH_NET_DATAREF_MASK = SKB_DATAREF_MASK,
	DSBENCH_NET_DATAREF_SHIFT = SKB_DATAREF_SHIFT,
};

struct netlink_ext_ack;
struct nla_policy;
struct nlattr;
struct socket;

/* Transmit. Context: BH is disabled. */
bool dsbench_net_recursion_ok(void);
bool dsbench_net_dst_is_valid(struct dst_entry *dst, u32 cookie);
unsigned int dsbench_net_dst_mtu(const struct dst_entry *dst);
bool dsbench_net_dst_mtu_is_locked(const struct dst_entry *dst);
int dsbench_net_make_headroom(struct sk_buff *skb, unsigned int headroom);
int dsbench_net_handle_offloads(struct sk_buff *skb, bool csum);
int dsbench_net_send4(struct net *net, struct sock *sk, struct sk_buff *skb);
int dsbench_net_send6(struct net *net, struct sock *sk, struct sk_buff *skb);
void dsbench_net_report_mtu(struct sk_buff *skb, unsigned int mtu);

/* Routes. Context: any in which BH can be disabled. */
struct dst_entry *dsbench_net_route(struct net *net, const struct sock *sk,
				    const struct dsbench_net_flow *flow);
unsigned int dsbench_net_dst_headroom(const struct dst_entry *dst);
u32 dsbench_net_dst_cookie(const struct dst_entry *dst);
int dsbench_net_dst_generation(const struct dst_entry *dst);
bool dsbench_net_dst_is_plain(const struct dst_entry *dst);

/* Receive. Context: RCU is held, BH is disabled. */
bool dsbench_net_decapsulate_ecn(struct sk_buff *skb, u8 outer, u8 inner,
				 unsigned int header_len);
bool dsbench_net_input_is_local(struct sk_buff *skb);
void dsbench_net_count_socket_drop(struct sock *sk);
void *dsbench_net_gro_header(struct sk_buff *skb, unsigned int len);
struct sk_buff *dsbench_net_gro_receive(const struct packet_offload *offload,
					struct list_head *head,
					struct sk_buff *skb);

int dsbench_net_gro_complete(struct sk_buff *skb, int offset);

/* Statistics. Context: BH is disabled; dsbench_net_count(): any. */
void dsbench_net_count_tx(struct net_device *dev, unsigned int len);
void dsbench_net_count_rx(struct net_device *dev, unsigned int len);
void dsbench_net_count(struct net_device *dev, enum dsbench_net_counter counter);

/* Per-CPU memory. Context: dsbench_net_this_cpu(): no migration; else any, or process. */
void *dsbench_net_this_cpu(unsigned long percpu);
void *dsbench_net_cpu(unsigned long percpu, unsigned int cpu);
unsigned int dsbench_net_next_cpu(int cpu);
unsigned long dsbench_net_alloc_percpu(size_t size, size_t align);
void dsbench_net_free_percpu(unsigned long percpu);

/* NAPI. Context: process context, but dsbench_net_napi_flush(): the owner of the NAPI. */
void dsbench_net_napi_add(struct net_device *dev, struct napi_struct *napi,
			  int (*poll)(struct napi_struct *napi, int budget));
void dsbench_net_napi_del(struct napi_struct *napi);
void dsbench_net_napi_kick(struct napi_struct *napi);
void dsbench_net_napi_flush(struct napi_struct *napi);
bool dsbench_net_elides_gro(const struct net_device *dev);

/* Devices. Context: process context, under rtnl_lock(). */
void dsbench_net_device_setup(struct net_device *dev);
void dsbench_net_device_init(struct net_device *dev);
int dsbench_net_neigh_construct(struct net_device *dev, struct neighbour *neigh);
unsigned int dsbench_net_addr_type4(struct net *net, __be32 addr);
bool dsbench_net_is_local6(struct net *net, const struct in6_addr *addr);
bool dsbench_net_has_ipv6(void);
int dsbench_net_validate(const struct nlattr *linkinfo, int maxtype,
			 const struct nla_policy *policy,
			 struct netlink_ext_ack *extack);

/**
 * struct dsbench_net_encap - callbacks of a UDP socket, as in struct udp_tunnel_sock_cfg
 * @receive: receives each packet
 * @err_lookup: matches an ICMP error to a peer
 * @gro_receive: GRO of packets that are still encapsulated
 * @gro_complete: ends it
 */
struct dsbench_net_encap {
	int (*receive)(struct sock *sk, struct sk_buff *skb);
	int (*err_lookup)(struct sock *sk, struct sk_buff *skb);
	struct sk_buff *(*gro_receive)(struct sock *sk, struct list_head *head,
				       struct sk_buff *skb);
	int (*gro_complete)(struct sock *sk, struct sk_buff *skb, int nhoff);
};

/* Sockets. Context: process context, under rtnl_lock(). */
int dsbench_net_socket_create(struct net *net, unsigned int family,
			      struct socket **result);
void dsbench_net_socket_setup(struct net *net, struct socket *socket, void *user_data,
			      const struct dsbench_net_encap *encap);
int dsbench_net_socket_bind(struct socket *socket, unsigned int family,
			    const union dsbench_net_addr *local, __be16 port);
void dsbench_net_socket_share(struct socket *socket, bool share);
void dsbench_net_socket_connect(struct socket *socket, __be32 remote, __be16 port,
				bool established);
void dsbench_net_socket_release(struct socket *socket);
void dsbench_net_socket_close(struct socket *socket);
struct sock *dsbench_net_socket_sk(const struct socket *socket);
u32 dsbench_net_random(void);

/**
 * struct dsbench_net_deferred - begins an object that is freed after a grace period
 * @rcu: frees it
 */
struct dsbench_net_deferred {
	struct rcu_head rcu;
};

/* Memory. Context: dsbench_net_free_deferred(): any; else process context. */
void dsbench_net_free_deferred(struct dsbench_net_deferred *object);
void dsbench_net_free_rcu(void *object);
void dsbench_net_wait_rcu(void);

#endif /* _DSBENCH_RUST_NET_HELPERS_H */
