// SPDX-License-Identifier: GPL-2.0
/*
 * udptun_kunit.ko: the outer headers, the checks of received packets and the match
 * of the sender. The suite needs no network device.
 */

#include <kunit/test.h>
#include <linux/module.h>

#include <dsbench/compat.h>

#include "../tunnel/params.h"
#include "../tunnel/header.h"

#define PAYLOAD_LEN	100
#define LOCAL4		htonl(0x0a000001)
#define REMOTE4		htonl(0x0a000002)
#define OTHER4		htonl(0x0a000003)
#define LOCAL_PORT	htons(7000)
#define REMOTE_PORT	htons(7001)

static const struct in6_addr local6 = { .s6_addr = { 0xfd, [15] = 1 } };
static const struct in6_addr remote6 = { .s6_addr = { 0xfd, [15] = 2 } };
static const struct in6_addr other6 = { .s6_addr = { 0xfd, [15] = 3 } };

static struct udptun_params params4(void)
{
	return (struct udptun_params) {
		.family = AF_INET,
		.local_port = LOCAL_PORT,
		.remote_port = REMOTE_PORT,
		.ttl = UDPTUN_TTL_DEFAULT,
		.df = UDPTUN_DF_INHERIT,
		.local.v4 = LOCAL4,
		.remote.v4 = REMOTE4,
	};
}

static struct udptun_params params6(void)
{
	return (struct udptun_params) {
		.family = AF_INET6,
		.local_port = LOCAL_PORT,
		.remote_port = REMOTE_PORT,
		.ttl = UDPTUN_TTL_DEFAULT,
		.df = UDPTUN_DF_INHERIT,
		.local.v6 = local6,
		.remote.v6 = remote6,
	};
}

static struct sk_buff *alloc_packet(struct kunit *test, const void *bytes,
				    unsigned int len)
{
	struct sk_buff *skb = alloc_skb(len + 128, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, 64);
	if (bytes)
		skb_put_data(skb, bytes, len);
	else
		skb_put_zero(skb, len);
	skb_reset_network_header(skb);
	return skb;
}

/* [outer IPv4][UDP][payload] */
static void header4_is_pushed(struct kunit *test)
{
	const struct udptun_ip_fields outer = { .dsfield = 0x2a, .ttl = 9, .df = true };
	struct udptun_params params = params4();
	union udptun_header template;
	struct sk_buff *skb;

	udptun_header_init(&template, &params);
	skb = alloc_packet(test, NULL, PAYLOAD_LEN);
	udptun_header4_push(skb, &template.v4, &outer);

	KUNIT_EXPECT_EQ(test, skb->len, 20 + 8 + PAYLOAD_LEN);
	KUNIT_EXPECT_PTR_EQ(test, (void *)ip_hdr(skb), (void *)skb->data);
	KUNIT_EXPECT_PTR_EQ(test, (void *)udp_hdr(skb), (void *)skb->data + 20);
	KUNIT_EXPECT_EQ(test, skb->data[0], 0x45);
	KUNIT_EXPECT_EQ(test, ip_hdr(skb)->tos, 0x2a);
	KUNIT_EXPECT_EQ(test, ip_hdr(skb)->ttl, 9);
	KUNIT_EXPECT_EQ(test, ntohs(ip_hdr(skb)->frag_off), IP_DF);
	KUNIT_EXPECT_EQ(test, ip_hdr(skb)->protocol, IPPROTO_UDP);
	KUNIT_EXPECT_EQ(test, ntohl(ip_hdr(skb)->saddr), ntohl(LOCAL4));
	KUNIT_EXPECT_EQ(test, ntohl(ip_hdr(skb)->daddr), ntohl(REMOTE4));
	KUNIT_EXPECT_EQ(test, ntohs(udp_hdr(skb)->source), ntohs(LOCAL_PORT));
	KUNIT_EXPECT_EQ(test, ntohs(udp_hdr(skb)->dest), ntohs(REMOTE_PORT));
	KUNIT_EXPECT_EQ(test, ntohs(udp_hdr(skb)->len), 8 + PAYLOAD_LEN);
	KUNIT_EXPECT_EQ(test, (__force u16)udp_hdr(skb)->check, 0);
	kfree_skb(skb);
}

static void header4_may_be_fragmented(struct kunit *test)
{
	const struct udptun_ip_fields outer = { .ttl = 9, .df = false };
	struct udptun_params params = params4();
	union udptun_header template;
	struct sk_buff *skb;

	udptun_header_init(&template, &params);
	skb = alloc_packet(test, NULL, PAYLOAD_LEN);
	udptun_header4_push(skb, &template.v4, &outer);
	KUNIT_EXPECT_EQ(test, ntohs(ip_hdr(skb)->frag_off), 0);
	kfree_skb(skb);
}

/* [outer IPv6][UDP][payload] */
static void header6_is_pushed(struct kunit *test)
{
	const struct udptun_ip_fields outer = {
		.flowlabel = htonl(0xabcde), .dsfield = 0x2a, .ttl = 9,
	};
	struct udptun_params params = params6();
	union udptun_header template;
	struct sk_buff *skb;

	udptun_header_init(&template, &params);
	skb = alloc_packet(test, NULL, PAYLOAD_LEN);
	udptun_header6_push(skb, &template.v6, &outer);

	KUNIT_EXPECT_EQ(test, skb->len, 40 + 8 + PAYLOAD_LEN);
	KUNIT_EXPECT_PTR_EQ(test, (void *)udp_hdr(skb), (void *)skb->data + 40);
	KUNIT_EXPECT_EQ(test, ntohl(*(__be32 *)skb->data), 0x62aabcde);
	KUNIT_EXPECT_EQ(test, ipv6_hdr(skb)->hop_limit, 9);
	KUNIT_EXPECT_EQ(test, ipv6_hdr(skb)->nexthdr, IPPROTO_UDP);
	KUNIT_EXPECT_TRUE(test, ipv6_addr_equal(&ipv6_hdr(skb)->saddr, &local6));
	KUNIT_EXPECT_TRUE(test, ipv6_addr_equal(&ipv6_hdr(skb)->daddr, &remote6));
	KUNIT_EXPECT_EQ(test, ntohs(udp_hdr(skb)->source), ntohs(LOCAL_PORT));
	KUNIT_EXPECT_EQ(test, ntohs(udp_hdr(skb)->dest), ntohs(REMOTE_PORT));
	KUNIT_EXPECT_EQ(test, ntohs(udp_hdr(skb)->len), 8 + PAYLOAD_LEN);
	kfree_skb(skb);
}

static void overhead_is_the_sum_of_both_headers(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, udptun_overhead(AF_INET), 28);
	KUNIT_EXPECT_EQ(test, udptun_overhead(AF_INET6), 48);
}

static void checksum_depends_on_family(struct kunit *test)
{
	struct udptun_params params = params4();

	KUNIT_EXPECT_FALSE(test, udptun_params_csum(&params));
	params.csum = true;
	KUNIT_EXPECT_TRUE(test, udptun_params_csum(&params));

	params = params6();
	KUNIT_EXPECT_TRUE(test, udptun_params_csum(&params));
	params.zero_csum6_tx = true;
	KUNIT_EXPECT_FALSE(test, udptun_params_csum(&params));
}

static void fields_are_fixed(struct kunit *test)
{
	const struct udptun_ip_fields inner = {
		.flowlabel = htonl(7), .dsfield = 0xb8, .ttl = 3, .df = false,
	};
	struct udptun_params params = params6();
	struct udptun_ip_fields outer;

	params.ttl = 5;
	params.tos = 0x20;
	params.df = UDPTUN_DF_SET;
	params.flowlabel = htonl(9);
	udptun_outer_choose(&params, &inner, &outer);
	KUNIT_EXPECT_EQ(test, outer.ttl, 5);
	KUNIT_EXPECT_EQ(test, outer.dsfield, 0x20);
	KUNIT_EXPECT_TRUE(test, outer.df);
	KUNIT_EXPECT_EQ(test, ntohl(outer.flowlabel), 9);

	params.df = UDPTUN_DF_UNSET;
	udptun_outer_choose(&params, &inner, &outer);
	KUNIT_EXPECT_FALSE(test, outer.df);
}

static void fields_are_inherited(struct kunit *test)
{
	struct udptun_ip_fields inner = {
		.flowlabel = htonl(7), .dsfield = 0xb8, .ttl = 3, .df = true,
	};
	struct udptun_params params = params6();
	struct udptun_ip_fields outer;

	params.ttl = UDPTUN_TTL_INHERIT;
	params.tos = UDPTUN_TOS_INHERIT;
	params.flowlabel_inherit = true;
	udptun_outer_choose(&params, &inner, &outer);
	KUNIT_EXPECT_EQ(test, outer.ttl, 3);
	KUNIT_EXPECT_EQ(test, outer.dsfield, 0xb8);
	KUNIT_EXPECT_TRUE(test, outer.df);
	KUNIT_EXPECT_EQ(test, ntohl(outer.flowlabel), 7);

	inner.df = false;
	udptun_outer_choose(&params, &inner, &outer);
	KUNIT_EXPECT_FALSE(test, outer.df);
}

/* RFC 3168, 9.1.1: the ECN bits are copied, except that CE becomes ECT(0). */
static void ecn_is_always_encapsulated(struct kunit *test)
{
	static const u8 expected[] = {
		[INET_ECN_NOT_ECT] = INET_ECN_NOT_ECT,
		[INET_ECN_ECT_1] = INET_ECN_ECT_1,
		[INET_ECN_ECT_0] = INET_ECN_ECT_0,
		[INET_ECN_CE] = INET_ECN_ECT_0,
	};
	struct udptun_params params = params4();
	struct udptun_ip_fields inner = {};
	struct udptun_ip_fields outer;

	params.tos = 0x20;
	for (inner.dsfield = 0; inner.dsfield <= INET_ECN_MASK; inner.dsfield++) {
		udptun_outer_choose(&params, &inner, &outer);
		KUNIT_EXPECT_EQ(test, outer.dsfield,
				0x20 | expected[inner.dsfield]);
	}
}

static const struct iphdr inner4 = {
	.version = 4, .ihl = 5, .tos = 0xb9, .ttl = 3,
	.tot_len = htons(sizeof(struct iphdr)), .frag_off = htons(IP_DF),
};

static const struct ipv6hdr inner6 = {
	.version = 6, .priority = 0xb, .flow_lbl = { 0x9a, 0xbc, 0xde },
	.hop_limit = 3, .nexthdr = NEXTHDR_NONE,
};

/* Read a packet of len bytes whose skb->protocol is this one. */
static bool read_inner(struct kunit *test, const void *bytes, unsigned int len,
		       u16 protocol, struct udptun_ip_fields *inner)
{
	struct sk_buff *skb = alloc_packet(test, bytes, len);
	bool is_read;

	skb->protocol = htons(protocol);
	is_read = udptun_inner_read(skb, inner);
	kfree_skb(skb);
	return is_read;
}

static void inner4_is_read(struct kunit *test)
{
	struct udptun_ip_fields inner;

	KUNIT_ASSERT_TRUE(test, read_inner(test, &inner4, sizeof(inner4),
					   ETH_P_IP, &inner));
	KUNIT_EXPECT_EQ(test, inner.dsfield, 0xb9);
	KUNIT_EXPECT_EQ(test, inner.ttl, 3);
	KUNIT_EXPECT_TRUE(test, inner.df);
	KUNIT_EXPECT_EQ(test, ntohl(inner.flowlabel), 0);
}

static void inner6_is_read(struct kunit *test)
{
	struct udptun_ip_fields inner;

	KUNIT_ASSERT_TRUE(test, read_inner(test, &inner6, sizeof(inner6),
					   ETH_P_IPV6, &inner));
	KUNIT_EXPECT_EQ(test, inner.dsfield, 0xb9);
	KUNIT_EXPECT_EQ(test, inner.ttl, 3);
	KUNIT_EXPECT_TRUE(test, inner.df);
	KUNIT_EXPECT_EQ(test, ntohl(inner.flowlabel), 0xabcde);
}

/* A packet socket may pass any protocol: it need not match the packet. */
static void other_inner_packets_are_rejected(struct kunit *test)
{
	struct udptun_ip_fields inner;
	struct iphdr ip = inner4;

	KUNIT_EXPECT_FALSE(test, read_inner(test, &ip, sizeof(ip), ETH_P_ARP,
					    &inner));
	KUNIT_EXPECT_FALSE(test, read_inner(test, &ip, sizeof(ip), ETH_P_IPV6,
					    &inner));
	ip.version = 6;
	KUNIT_EXPECT_FALSE(test, read_inner(test, &ip, sizeof(ip), ETH_P_IP,
					    &inner));
}

static void short_inner_packets_are_rejected(struct kunit *test)
{
	struct udptun_ip_fields inner;

	KUNIT_EXPECT_FALSE(test, read_inner(test, &inner4, sizeof(inner4) - 1,
					    ETH_P_IP, &inner));
}

/* Check a packet of len bytes that follows a UDP header. */
static enum skb_drop_reason check_received(struct kunit *test,
					   const void *bytes, unsigned int len,
					   __be16 *protocol)
{
	struct sk_buff *skb = alloc_packet(test, NULL, sizeof(struct udphdr));
	enum skb_drop_reason reason;

	if (len)
		skb_put_data(skb, bytes, len);
	reason = udptun_inner_check(skb, sizeof(struct udphdr), protocol);
	kfree_skb(skb);
	return reason;
}

static void valid_packets_pass(struct kunit *test)
{
	__be16 protocol;

	KUNIT_EXPECT_EQ(test, check_received(test, &inner4, sizeof(inner4),
					     &protocol), SKB_NOT_DROPPED_YET);
	KUNIT_EXPECT_EQ(test, ntohs(protocol), ETH_P_IP);
	KUNIT_EXPECT_EQ(test, check_received(test, &inner6, sizeof(inner6),
					     &protocol), SKB_NOT_DROPPED_YET);
	KUNIT_EXPECT_EQ(test, ntohs(protocol), ETH_P_IPV6);
}

static void truncated_packets_are_dropped(struct kunit *test)
{
	__be16 protocol;
	unsigned int len;

	for (len = 0; len < sizeof(inner4); len++)
		KUNIT_EXPECT_NE(test, check_received(test, &inner4, len,
						     &protocol),
				SKB_NOT_DROPPED_YET);
	for (len = 0; len < sizeof(inner6); len++)
		KUNIT_EXPECT_NE(test, check_received(test, &inner6, len,
						     &protocol),
				SKB_NOT_DROPPED_YET);
}

static void other_versions_are_dropped(struct kunit *test)
{
	u8 bytes[sizeof(inner6)] = {};
	unsigned int version;
	__be16 protocol;

	for (version = 0; version < 16; version++) {
		if (version == 4 || version == 6)
			continue;
		bytes[0] = version << 4 | 5;
		KUNIT_EXPECT_EQ(test, check_received(test, bytes, sizeof(bytes),
						     &protocol),
				SKB_DROP_REASON_INVALID_PROTO);
	}
}

static void length4_is_checked(struct kunit *test)
{
	struct iphdr ip = inner4;

	KUNIT_EXPECT_TRUE(test, udptun_length4_ok(&ip, 20, false));
	KUNIT_EXPECT_TRUE(test, udptun_length4_ok(&ip, 21, false));
	KUNIT_EXPECT_FALSE(test, udptun_length4_ok(&ip, 19, false));

	ip.tot_len = htons(19);
	KUNIT_EXPECT_FALSE(test, udptun_length4_ok(&ip, 20, false));
	ip.tot_len = htons(20);
	ip.ihl = 4;
	KUNIT_EXPECT_FALSE(test, udptun_length4_ok(&ip, 20, false));
	ip.ihl = 6;
	KUNIT_EXPECT_FALSE(test, udptun_length4_ok(&ip, 20, false));

	ip = inner4;
	ip.tot_len = 0;
	KUNIT_EXPECT_FALSE(test, udptun_length4_ok(&ip, 70000, false));
	KUNIT_EXPECT_TRUE(test, udptun_length4_ok(&ip, 70000, true));
}

static void length6_is_checked(struct kunit *test)
{
	struct ipv6hdr ip = inner6;

	KUNIT_EXPECT_TRUE(test, udptun_length6_ok(&ip, 40));
	ip.payload_len = htons(1);
	KUNIT_EXPECT_FALSE(test, udptun_length6_ok(&ip, 40));
	KUNIT_EXPECT_TRUE(test, udptun_length6_ok(&ip, 41));
	ip.payload_len = htons(0xffff);
	KUNIT_EXPECT_FALSE(test, udptun_length6_ok(&ip, 40 + 0xfffe));
}

static void peer4_matches_all_fields(struct kunit *test)
{
	struct udptun_params params = params4();

	KUNIT_EXPECT_TRUE(test, udptun_params_match4(&params, REMOTE4, REMOTE_PORT));
	KUNIT_EXPECT_FALSE(test, udptun_params_match4(&params, OTHER4, REMOTE_PORT));
	KUNIT_EXPECT_FALSE(test, udptun_params_match4(&params, REMOTE4, LOCAL_PORT));
}

static void peer6_matches_all_fields(struct kunit *test)
{
	struct udptun_params params = params6();

	KUNIT_EXPECT_TRUE(test, udptun_params_match6(&params, &remote6, REMOTE_PORT));
	KUNIT_EXPECT_FALSE(test, udptun_params_match6(&params, &other6, REMOTE_PORT));
	KUNIT_EXPECT_FALSE(test, udptun_params_match6(&params, &remote6, LOCAL_PORT));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(header4_is_pushed),
	KUNIT_CASE(header4_may_be_fragmented),
	KUNIT_CASE(header6_is_pushed),
	KUNIT_CASE(overhead_is_the_sum_of_both_headers),
	KUNIT_CASE(checksum_depends_on_family),
	KUNIT_CASE(fields_are_fixed),
	KUNIT_CASE(fields_are_inherited),
	KUNIT_CASE(ecn_is_always_encapsulated),
	KUNIT_CASE(inner4_is_read),
	KUNIT_CASE(inner6_is_read),
	KUNIT_CASE(other_inner_packets_are_rejected),
	KUNIT_CASE(short_inner_packets_are_rejected),
	KUNIT_CASE(valid_packets_pass),
	KUNIT_CASE(truncated_packets_are_dropped),
	KUNIT_CASE(other_versions_are_dropped),
	KUNIT_CASE(length4_is_checked),
	KUNIT_CASE(length6_is_checked),
	KUNIT_CASE(peer4_matches_all_fields),
	KUNIT_CASE(peer6_matches_all_fields),
	{}
};

static struct kunit_suite udptun_suite = {
	.name = "udptun",
	.test_cases = cases,
};

kunit_test_suites(&udptun_suite);

MODULE_IMPORT_NS(DSBENCH_KUNIT_NAMESPACE);
MODULE_DESCRIPTION("udptun: KUnit suite");
MODULE_LICENSE("GPL");
