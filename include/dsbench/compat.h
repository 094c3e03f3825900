/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All differences between the supported kernels (6.1 to 7.3), and between
 * architectures where they do not affect timing.
 */
#ifndef _DSBENCH_COMPAT_H
#define _DSBENCH_COMPAT_H

#include <linux/hardirq.h>
#include <linux/irq_work.h>
#include <linux/kernel_stat.h>
#include <linux/rhashtable-types.h>
#include <linux/slab.h>
#include <linux/version.h>

/*
 * x86 counts interrupts without a descriptor (local timer, IPIs, NMI) apart
 * from the others. 7.3 counts them in an array.
 */
#if defined(CONFIG_X86) && LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0)
static inline unsigned long dsbench_arch_irq_count(unsigned int cpu)
{
	const irq_cpustat_t *stat = per_cpu_ptr(&irq_stat, cpu);
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < IRQ_COUNT_MAX; i++)
		sum += stat->counts[i];
	return sum;
}
#elif defined(CONFIG_X86)
static inline unsigned long dsbench_arch_irq_count(unsigned int cpu)
{
	const irq_cpustat_t *stat = per_cpu_ptr(&irq_stat, cpu);
	unsigned long sum = stat->__nmi_count;

#ifdef CONFIG_X86_LOCAL_APIC
	sum += stat->apic_timer_irqs;
#endif
#ifdef CONFIG_SMP
	sum += stat->irq_resched_count + stat->irq_call_count;
#endif
#ifdef CONFIG_X86_THERMAL_VECTOR
	sum += stat->irq_thermal_count;
#endif
#ifdef CONFIG_X86_MCE_THRESHOLD
	sum += stat->irq_threshold_count;
#endif
#ifdef CONFIG_X86_HV_CALLBACK_VECTOR
	sum += stat->irq_hv_callback_count;
#endif
#if IS_ENABLED(CONFIG_HYPERV)
	sum += stat->hyperv_stimer0_count;
#endif
	return sum + stat->apic_irq_work_irqs + stat->x86_platform_ipis;
}
#else
static inline unsigned long dsbench_arch_irq_count(unsigned int cpu)
{
	return 0;
}
#endif

/**
 * dsbench_irq_count() - number of interrupts of a CPU since boot
 * @cpu: the CPU, online
 *
 * Context: any; a snapshot unless called on this CPU with interrupts off.
 *
 * Return: the count; only differences are meaningful.
 */
static inline unsigned long dsbench_irq_count(unsigned int cpu)
{
	return kstat_cpu_irqs_sum(cpu) + dsbench_arch_irq_count(cpu);
}

/*
 * A cache with slabs of its own, for objects of a power of two. Kernels before
 * 6.5 have no flag for that, but do not merge caches with a usercopy region.
 */
static inline struct kmem_cache *dsbench_cache_create(const char *name,
						      unsigned int size)
{
#ifdef SLAB_NO_MERGE
	return kmem_cache_create(name, size, size, SLAB_NO_MERGE, NULL);
#else
	return kmem_cache_create_usercopy(name, size, size, 0, 0, size, NULL);
#endif
}

/*
 * Before 6.3 the lock of a bucket disables softirqs instead of interrupts, and
 * softirqs must not be enabled with interrupts off.
 */
#if KERNEL_VERSION(6, 3, 0) <= LINUX_VERSION_CODE
#define DSBENCH_RHASHTABLE_IRQS_ON	0
#else
#define DSBENCH_RHASHTABLE_IRQS_ON	\
	(BIT(DSBENCH_FILL) | BIT(DSBENCH_ERASE))
#endif

/*
 * Before 6.4 kmem_cache_alloc_bulk(), from which a maple tree takes its nodes,
 * returns with interrupts on.
 */
#if KERNEL_VERSION(6, 4, 0) <= LINUX_VERSION_CODE
#define DSBENCH_MAPLE_IRQS_ON		0
#else
#define DSBENCH_MAPLE_IRQS_ON		\
	(BIT(DSBENCH_FILL) | BIT(DSBENCH_ERASE))
#endif

/* Before 7.3 an rhashtable schedules its worker without an interrupt. */
#if KERNEL_VERSION(7, 3, 0) <= LINUX_VERSION_CODE
static inline void dsbench_rhashtable_kick_sync(struct rhashtable *ht)
{
	irq_work_sync(&ht->run_irq_work);
}
#else
static inline void dsbench_rhashtable_kick_sync(struct rhashtable *ht)
{
}
#endif

/* From 7.1 on the helpers for tunnel sockets take the struct sock. */
#if KERNEL_VERSION(7, 1, 0) <= LINUX_VERSION_CODE
#define DSBENCH_TUNNEL_SOCK(socket)	((socket)->sk)
#else
#define DSBENCH_TUNNEL_SOCK(socket)	(socket)
#endif

/*
 * The head of an encap_err_rcv callback, and inside it the UDP header of the packet
 * that caused the ICMP error, whose IP header is at skb->data.
 */
#if KERNEL_VERSION(6, 2, 0) <= LINUX_VERSION_CODE
#define DSBENCH_ENCAP_ERR_RCV(name)					\
	name(struct sock *sk, struct sk_buff *skb, int err,		\
	     __be16 port, u32 info, u8 *payload)
#define DSBENCH_ENCAP_ERR_UDP		((const struct udphdr *)payload - 1)
#else
#define DSBENCH_ENCAP_ERR_RCV(name)					\
	name(struct sock *sk, struct sk_buff *skb, unsigned int udp_offset)
#define DSBENCH_ENCAP_ERR_UDP						\
	((const struct udphdr *)(skb->data + udp_offset))
#endif

/* The namespace of EXPORT_SYMBOL_IF_KUNIT(), as MODULE_IMPORT_NS() takes it. */
#if KERNEL_VERSION(6, 13, 0) <= LINUX_VERSION_CODE
#define DSBENCH_KUNIT_NAMESPACE		"EXPORTED_FOR_KUNIT_TESTING"
#else
#define DSBENCH_KUNIT_NAMESPACE		EXPORTED_FOR_KUNIT_TESTING
#endif

/* The address that kernel_bind() takes. */
#if KERNEL_VERSION(6, 19, 0) <= LINUX_VERSION_CODE
#define DSBENCH_SOCKADDR		struct sockaddr_unsized
#else
#define DSBENCH_SOCKADDR		struct sockaddr
#endif

/*
 * The device of a route. Kernels before 6.17 have no dst_dev(), and of their
 * stable releases only the later ones.
 */
#define DSBENCH_DST_DEV(dst)		READ_ONCE((dst)->dev)

/* From 6.12 on a bit of the device says that its transmit needs no lock. */
#if KERNEL_VERSION(6, 12, 0) <= LINUX_VERSION_CODE
#define dsbench_set_lltx(dev)		((dev)->lltx = true)
#else
#define dsbench_set_lltx(dev)		((dev)->features |= NETIF_F_LLTX)
#endif

/* The sysctl net.core.netdev_max_backlog, in packets. */
#if KERNEL_VERSION(6, 9, 0) <= LINUX_VERSION_CODE
#define dsbench_max_backlog()		READ_ONCE(net_hotdata.max_backlog)
#else
#define dsbench_max_backlog()		READ_ONCE(netdev_max_backlog)
#endif

/*
 * Before 6.9 early demux takes a reference to the socket for each UDP packet: CPUs
 * would wait for each other.
 */
#define DSBENCH_LOCKLESS_EARLY_DEMUX	\
	(KERNEL_VERSION(6, 9, 0) <= LINUX_VERSION_CODE)

/* Look up the input route of an IPv4 packet. Return 0 or why there is none. */
#if KERNEL_VERSION(6, 13, 0) <= LINUX_VERSION_CODE
#define dsbench_route_input(skb, daddr, saddr, tos, dev)			\
	ip_route_input_noref(skb, daddr, saddr, inet_dsfield_to_dscp(tos), dev)
#else
#define dsbench_route_input(skb, daddr, saddr, tos, dev)			\
	ip_route_input_noref(skb, daddr, saddr, tos, dev)
#endif

/* From 6.7 on __ip_local_out() counts a packet to be sent; ip_output() did. */
#if KERNEL_VERSION(6, 7, 0) <= LINUX_VERSION_CODE
#define dsbench_ip_count_request(net)	IP_INC_STATS(net, IPSTATS_MIB_OUTREQUESTS)
#else
#define dsbench_ip_count_request(net)	((void)(net))
#endif

/* Count a packet that a UDP socket drops, for /proc/net/udp. */
#if KERNEL_VERSION(6, 18, 0) <= LINUX_VERSION_CODE
#define dsbench_udp_drop(sk)		udp_drops_inc(sk)
#else
#define dsbench_udp_drop(sk)		atomic_inc(&(sk)->sk_drops)
#endif

/*
 * BIG TCP in UDP: from 7.3 on a length of 0 in the UDP header of a GSO packet stands
 * for a length of 64 KiB or more.
 */
#if KERNEL_VERSION(7, 3, 0) <= LINUX_VERSION_CODE
#define DSBENCH_HAS_BIG_UDP		1
#define DSBENCH_UDP_SET_LEN(udp, length)	udp_set_len(udp, length)
#else
#define DSBENCH_HAS_BIG_UDP		0
#define DSBENCH_UDP_SET_LEN(udp, length)	((udp)->len = htons(length))
#endif

/* From 6.10 on the flags in the metadata of a tunnel are a bitmap. */
#if KERNEL_VERSION(6, 10, 0) <= LINUX_VERSION_CODE
#define DSBENCH_TUNNEL_FLAG(key, name)	\
	test_bit(IP_TUNNEL_##name##_BIT, (key)->tun_flags)
#define DSBENCH_UDP_TUN_RX_DST(skb, family) ({				\
	IP_TUNNEL_DECLARE_FLAGS(__none) = { };				\
									\
	udp_tun_rx_dst(skb, family, __none, 0, 0);			\
})
#else
#define DSBENCH_TUNNEL_FLAG(key, name)	\
	(!!((key)->tun_flags & TUNNEL_##name))
#define DSBENCH_UDP_TUN_RX_DST(skb, family)				\
	udp_tun_rx_dst(skb, family, 0, 0, 0)
#endif

/* Drop reasons that older kernels do not have. */
#if KERNEL_VERSION(6, 12, 0) <= LINUX_VERSION_CODE
#define DSBENCH_DROP_ECN		SKB_DROP_REASON_IP_TUNNEL_ECN
#define DSBENCH_DROP_METADATA		SKB_DROP_REASON_TUNNEL_TXINFO
#else
#define DSBENCH_DROP_ECN		SKB_DROP_REASON_NOT_SPECIFIED
#define DSBENCH_DROP_METADATA		SKB_DROP_REASON_NOT_SPECIFIED
#endif
#if KERNEL_VERSION(7, 1, 0) <= LINUX_VERSION_CODE
#define DSBENCH_DROP_RECURSION		SKB_DROP_REASON_RECURSION_LIMIT
#else
#define DSBENCH_DROP_RECURSION		SKB_DROP_REASON_NOT_SPECIFIED
#endif

/*
 * The head of a newlink function of an rtnl_link_ops, and a call of another
 * function inside it: (net, dev, tb, data, extack), where net is the namespace
 * of the link's sockets.
 */
#if KERNEL_VERSION(6, 15, 0) <= LINUX_VERSION_CODE
#define DSBENCH_NEWLINK(name)						\
	name(struct net_device *dev,					\
	     struct rtnl_newlink_params *params,			\
	     struct netlink_ext_ack *extack)
#define DSBENCH_NEWLINK_CALL(function)					\
	function(rtnl_newlink_link_net(params), dev, params->tb,	\
		 params->data, extack)
#else
#define DSBENCH_NEWLINK(name)						\
	name(struct net *net, struct net_device *dev,			\
	     struct nlattr *tb[], struct nlattr *data[],		\
	     struct netlink_ext_ack *extack)
#define DSBENCH_NEWLINK_CALL(function)					\
	function(net, dev, tb, data, extack)
#endif

#endif /* _DSBENCH_COMPAT_H */
