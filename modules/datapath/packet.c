// SPDX-License-Identifier: GPL-2.0
/* The packets: UDP or TCP over IPv4, with a payload that shows damage. */

#include <linux/ip.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/string.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/route.h>
#include <net/tcp.h>
#include <net/udp.h>

#include "packet.h"
#include "sender.h"
#include "sizes.h"

/* Bytes for the headers of any tunnel, of its packets and of the link. */
#define HEADROOM	192

static char *protocol = "udp";
module_param(protocol, charp, 0444);
MODULE_PARM_DESC(protocol, "what the packets contain: udp (default), or tcp for TCP segments of a stream");

#define PEERS_MAX	65536U

static unsigned int peers = 1;
module_param(peers, uint, 0444);
MODULE_PARM_DESC(peers, "destinations, from a device's address on, of which each packet has a random one (default 1); routes decide on their devices");

static struct rnd_state choice;

/**
 * bench_packet_check() - check protocol= and peers=
 *
 * Context: may sleep.
 *
 * Return: 0, or -EINVAL after a message in the log.
 */
int bench_packet_check(void)
{
	if (strcmp(protocol, "udp") && strcmp(protocol, "tcp")) {
		pr_err("protocol=%s: must be udp or tcp\n", protocol);
		return -EINVAL;
	}
	if (!peers || peers > PEERS_MAX) {
		pr_err("peers=%u: must be a whole number from 1 to %u\n", peers,
		       PEERS_MAX);
		return -EINVAL;
	}
	prandom_seed_state(&choice, peers);
	return 0;
}

/* Tries are built one at a time, so the state needs no lock. */
static __be32 choose_peer(__be32 first)
{
	if (peers == 1)
		return first;
	return htonl(ntohl(first) + prandom_u32_state(&choice) % peers);
}

/**
 * bench_packet_is_tcp() - tell what the packets contain
 *
 * Context: any.
 *
 * Return: true for TCP segments, false for UDP datagrams.
 */
bool bench_packet_is_tcp(void)
{
	return !strcmp(protocol, "tcp");
}

/* Return byte @i of every payload. The pattern changes if it is shifted. */
static u8 pattern(u32 i)
{
	return i ^ (i >> 8) ^ 0x5a;
}

static void put_payload(struct sk_buff *skb, u32 payload)
{
	u8 *data = skb_put(skb, payload);
	u32 i;

	for (i = 0; i < payload; i++)
		data[i] = pattern(i);
}

/* Leave the transport checksum to the device, as local senders do. */
static void defer_checksum(struct sk_buff *skb, u16 offset)
{
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offset;
	skb->ip_summed = CHECKSUM_PARTIAL;
}

static void put_udp(struct sk_buff *skb, const struct flowi4 *fl4)
{
	u32 length = skb->len + sizeof(struct udphdr);
	struct udphdr *uh = skb_push(skb, sizeof(*uh));

	skb_reset_transport_header(skb);
	uh->source = htons(BENCH_PORT);
	uh->dest = htons(BENCH_PORT);
	uh->len = htons(length);
	uh->check = ~csum_tcpudp_magic(fl4->saddr, fl4->daddr, length,
				       IPPROTO_UDP, 0);
	defer_checksum(skb, offsetof(struct udphdr, check));
}

/* Segments follow each other in their stream. */
static void put_tcp(struct sk_buff *skb, const struct flowi4 *fl4, u32 index)
{
	u32 payload = skb->len;
	struct tcphdr *th = skb_push(skb, sizeof(*th));

	skb_reset_transport_header(skb);
	*th = (struct tcphdr) {
		.source = htons(BENCH_PORT),
		.dest = htons(BENCH_PORT),
		.seq = htonl(1 + index * payload),
		.ack_seq = htonl(1),
		.doff = sizeof(*th) / 4,
		.ack = 1,
		.window = htons(502),
	};
	th->check = ~tcp_v4_check(skb->len, fl4->saddr, fl4->daddr, 0);
	defer_checksum(skb, offsetof(struct tcphdr, check));
}

/* A connected socket numbers its packets, others leave the id of DF packets 0. */
static void put_ip(struct sk_buff *skb, const struct flowi4 *fl4, u32 index)
{
	struct iphdr *iph = skb_push(skb, sizeof(*iph));

	skb_reset_network_header(skb);
	*iph = (struct iphdr) {
		.version = 4,
		.ihl = sizeof(*iph) / 4,
		.frag_off = htons(IP_DF),
		.ttl = 64,
		.protocol = fl4->flowi4_proto,
		.id = bench_packet_is_tcp() ? htons(index) : 0,
		.saddr = fl4->saddr,
		.daddr = fl4->daddr,
	};
	skb->protocol = htons(ETH_P_IP);
}

static void make_gso(struct sk_buff *skb, u32 payload)
{
	struct skb_shared_info *shared = skb_shinfo(skb);

	shared->gso_size = SEGMENT_SIZE;
	shared->gso_type = bench_packet_is_tcp() ? SKB_GSO_TCPV4 :
						   SKB_GSO_UDP_L4;
	shared->gso_segs = DIV_ROUND_UP(payload, SEGMENT_SIZE);
}

/**
 * bench_packet_build() - build a packet, ready for ip_local_out()
 * @dev: the device to send it through
 * @daddr: the destination; the first one if there are several peers
 * @payload: bytes of payload; above SEGMENT_SIZE, the packet is a GSO packet
 * @index: number of the packet in its try
 *
 * Context: may sleep.
 *
 * Return: the packet, with its route; NULL if there is no memory or no route.
 */
struct sk_buff *bench_packet_build(struct net_device *dev, __be32 daddr,
				   u32 payload, u32 index)
{
	struct flowi4 fl4 = {
		.daddr = choose_peer(daddr),
		.flowi4_oif = peers == 1 ? dev->ifindex : 0,
		.flowi4_proto = bench_packet_is_tcp() ? IPPROTO_TCP :
							IPPROTO_UDP,
		.fl4_sport = htons(BENCH_PORT),
		.fl4_dport = htons(BENCH_PORT),
	};
	struct sk_buff *skb;
	struct rtable *rt;

	rt = ip_route_output_key(dev_net(dev), &fl4);
	if (IS_ERR(rt))
		return NULL;

	skb = alloc_skb(HEADROOM + payload, GFP_KERNEL | __GFP_NOWARN);
	if (!skb) {
		ip_rt_put(rt);
		return NULL;
	}
	skb_reserve(skb, HEADROOM);
	put_payload(skb, payload);
	if (bench_packet_is_tcp())
		put_tcp(skb, &fl4, index);
	else
		put_udp(skb, &fl4);
	put_ip(skb, &fl4, index);
	if (payload > SEGMENT_SIZE)
		make_gso(skb, payload);
	skb_dst_set(skb, &rt->dst);
	skb->dev = rt->dst.dev;
	bench_sender_own(skb);
	return skb;
}

/**
 * bench_packet_sum() - compute the Internet checksum of a payload
 * @payload: size of the payload, in bytes
 *
 * Segments begin at even offsets, so the sums of the segments of a GSO packet
 * add up to the sum of its payload.
 *
 * Context: any.
 *
 * Return: the unfolded sum.
 */
__wsum bench_packet_sum(u32 payload)
{
	__wsum sum = 0;
	u32 i;

	for (i = 0; i < payload; i++) {
		u8 byte[2] = { };

		byte[i % 2] = pattern(i);
		sum = csum_partial(byte, sizeof(byte), sum);
	}
	return sum;
}
