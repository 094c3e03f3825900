// SPDX-License-Identifier: GPL-2.0
/* The packets: UDP over IPv4, with a payload that shows damage. */

#include <linux/ip.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/route.h>
#include <net/udp.h>

#include "packet.h"
#include "sizes.h"

/* Bytes for the headers of any tunnel and of the link. */
#define HEADROOM	192

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
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct udphdr, check);
	skb->ip_summed = CHECKSUM_PARTIAL;
}

static void put_ip(struct sk_buff *skb, const struct flowi4 *fl4)
{
	struct iphdr *iph = skb_push(skb, sizeof(*iph));

	skb_reset_network_header(skb);
	*iph = (struct iphdr) {
		.version = 4,
		.ihl = sizeof(*iph) / 4,
		.frag_off = htons(IP_DF),
		.ttl = 64,
		.protocol = IPPROTO_UDP,
		.saddr = fl4->saddr,
		.daddr = fl4->daddr,
	};
	skb->protocol = htons(ETH_P_IP);
}

static void make_gso(struct sk_buff *skb, u32 payload)
{
	struct skb_shared_info *shared = skb_shinfo(skb);

	shared->gso_size = SEGMENT_SIZE;
	shared->gso_type = SKB_GSO_UDP_L4;
	shared->gso_segs = DIV_ROUND_UP(payload, SEGMENT_SIZE);
}

/**
 * bench_packet_build() - build a packet, ready for ip_local_out()
 * @dev: the device to send it through
 * @daddr: the destination
 * @payload: bytes of payload; above SEGMENT_SIZE, the packet is a GSO packet
 *
 * Context: may sleep.
 *
 * Return: the packet, with its route; NULL if there is no memory or no route.
 */
struct sk_buff *bench_packet_build(struct net_device *dev, __be32 daddr,
				   u32 payload)
{
	struct flowi4 fl4 = {
		.daddr = daddr,
		.flowi4_oif = dev->ifindex,
		.flowi4_proto = IPPROTO_UDP,
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
	put_udp(skb, &fl4);
	put_ip(skb, &fl4);
	if (payload > SEGMENT_SIZE)
		make_gso(skb, payload);
	skb_dst_set(skb, &rt->dst);
	skb->dev = rt->dst.dev;
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
