// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "show.h"

static void print_string(const char *text)
{
	const unsigned char *c;

	putchar('"');
	for (c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			printf("\\%c", *c);
		else if (*c < ' ')
			printf("\\u%04x", *c);
		else
			putchar(*c);
	}
	putchar('"');
}

static void print_word(bool json, const char *key, const char *value)
{
	if (json) {
		printf(",\"%s\":", key);
		print_string(value);
	} else {
		printf(" %s %s", key, value);
	}
}

static void print_number(bool json, const char *key, unsigned long value)
{
	printf(json ? ",\"%s\":%lu" : " %s %lu", key, value);
}

static void print_flag(bool json, const char *key, bool value)
{
	if (json)
		printf(",\"%s\":%s", key, value ? "true" : "false");
	else
		printf(" %s%s", value ? "" : "no", key);
}

/* Read a number attribute in host byte order. Return false if the kernel does not report it. */
static bool get_number(const struct tunnel *tunnel, uint16_t type, unsigned long *number)
{
	const struct attribute *attribute = &tunnel->config.attribute[type];
	uint16_t port;
	uint32_t word;

	switch (attribute->length) {
	case sizeof(uint8_t):
		*number = attribute->value[0];
		return true;
	case sizeof(port):
		memcpy(&port, attribute->value, sizeof(port));
		*number = ntohs(port);
		return true;
	case sizeof(word):
		memcpy(&word, attribute->value, sizeof(word));
		*number = type == IFLA_UDPTUN_LINK ? word : ntohl(word);
		return true;
	default:
		return false;
	}
}

static void show_address(const struct tunnel *tunnel, bool json, const char *key,
			 uint16_t ipv4, uint16_t ipv6)
{
	const struct attribute *four = &tunnel->config.attribute[ipv4];
	const struct attribute *six = &tunnel->config.attribute[ipv6];
	char text[INET6_ADDRSTRLEN];

	if (four->length == sizeof(struct in_addr))
		print_word(json, key, inet_ntop(AF_INET, four->value, text, sizeof(text)));
	else if (six->length == sizeof(struct in6_addr))
		print_word(json, key, inet_ntop(AF_INET6, six->value, text, sizeof(text)));
}

static void show_number(const struct tunnel *tunnel, bool json, const char *key, uint16_t type)
{
	unsigned long number;

	if (get_number(tunnel, type, &number))
		print_number(json, key, number);
}

/* Print a number, or "inherit" if it is the value that means so. */
static void show_inheritable(const struct tunnel *tunnel, bool json, const char *key, uint16_t type,
			     unsigned long inherit)
{
	unsigned long number;

	if (!get_number(tunnel, type, &number))
		return;
	if (number == inherit)
		print_word(json, key, "inherit");
	else
		print_number(json, key, number);
}

static void show_flowlabel(const struct tunnel *tunnel, bool json)
{
	unsigned long inherit = 0, label;

	get_number(tunnel, IFLA_UDPTUN_FLOWLABEL_INHERIT, &inherit);
	if (inherit)
		print_word(json, "flowlabel", "inherit");
	else if (get_number(tunnel, IFLA_UDPTUN_FLOWLABEL, &label) && json)
		print_number(json, "flowlabel", label);
	else if (get_number(tunnel, IFLA_UDPTUN_FLOWLABEL, &label))
		printf(" flowlabel 0x%05lx", label);
}

static void show_flag(const struct tunnel *tunnel, bool json, const char *key, uint16_t type)
{
	unsigned long number;

	if (get_number(tunnel, type, &number))
		print_flag(json, key, number);
}

/* The underlay's index is meaningless here if the tunnel's socket is in another namespace. */
static void show_device(const struct tunnel *tunnel, bool json)
{
	char name[IFNAMSIZ];
	unsigned long index;

	if (!get_number(tunnel, IFLA_UDPTUN_LINK, &index) || !index)
		return;
	if (tunnel->foreign || !if_indextoname((unsigned int)index, name))
		snprintf(name, sizeof(name), "if%u", (unsigned int)index);
	print_word(json, "dev", name);
}

static void show_df(const struct tunnel *tunnel, bool json)
{
	unsigned long df;

	if (get_number(tunnel, IFLA_UDPTUN_DF, &df) && df_name(df))
		print_word(json, "df", df_name(df));
}

struct counter {
	const char *name;
	unsigned long long value;
};

static void show_counters(const char *direction, bool json, const struct counter *counter)
{
	bool first = true;

	printf(json ? "\"%s\":{" : "    %s:", direction);
	for (; counter->name; counter++) {
		printf(json ? "%s\"%s\":%llu" : "%s %s %llu", json && !first ? "," : "",
		       counter->name, counter->value);
		first = false;
	}
	fputs(json ? "}" : "\n", stdout);
}

static void show_stats(const struct tunnel *tunnel, bool json)
{
	const struct rtnl_link_stats64 *stats = &tunnel->stats;
	const struct counter rx[] = {
		{ "bytes", stats->rx_bytes }, { "packets", stats->rx_packets },
		{ "errors", stats->rx_errors }, { "dropped", stats->rx_dropped },
		{ "stranger", tunnel->xstats.rx_stranger }, { NULL, 0 },
	};
	const struct counter tx[] = {
		{ "bytes", stats->tx_bytes }, { "packets", stats->tx_packets },
		{ "errors", stats->tx_errors }, { "dropped", stats->tx_dropped },
		{ NULL, 0 },
	};

	if (json)
		fputs(",\"stats\":{", stdout);
	show_counters("rx", json, rx);
	if (json)
		putchar(',');
	show_counters("tx", json, tx);
	if (json)
		putchar('}');
}

static void show_tunnel(const struct tunnel *tunnel, const struct format *format)
{
	bool json = format->json;

	if (json) {
		printf("{\"ifindex\":%d,\"ifname\":", tunnel->index);
		print_string(tunnel->name);
		print_flag(json, "up", tunnel->up);
		if (tunnel->foreign)
			printf(",\"link_netnsid\":%d", tunnel->netns);
	} else {
		printf("%s", tunnel->name);
	}
	show_address(tunnel, json, "local", IFLA_UDPTUN_LOCAL, IFLA_UDPTUN_LOCAL6);
	show_address(tunnel, json, "remote", IFLA_UDPTUN_REMOTE, IFLA_UDPTUN_REMOTE6);
	show_number(tunnel, json, "port", IFLA_UDPTUN_LOCAL_PORT);
	show_number(tunnel, json, "remote-port", IFLA_UDPTUN_REMOTE_PORT);
	show_inheritable(tunnel, json, "ttl", IFLA_UDPTUN_TTL, 0);
	show_inheritable(tunnel, json, "tos", IFLA_UDPTUN_TOS, 1);
	show_flowlabel(tunnel, json);
	show_flag(tunnel, json, "csum", IFLA_UDPTUN_UDP_CSUM);
	show_flag(tunnel, json, "zerocsum6tx", IFLA_UDPTUN_UDP_ZERO_CSUM6_TX);
	show_flag(tunnel, json, "zerocsum6rx", IFLA_UDPTUN_UDP_ZERO_CSUM6_RX);
	show_device(tunnel, json);
	show_df(tunnel, json);
	print_number(json, "mtu", tunnel->config.mtu);
	if (!json)
		putchar('\n');
	if (format->stats)
		show_stats(tunnel, json);
	if (json)
		putchar('}');
}

void show_tunnels(const struct tunnels *tunnels, const struct format *format)
{
	bool json = format->json;
	size_t i;

	if (json)
		putchar('[');
	for (i = 0; i < tunnels->count; i++) {
		if (json && i)
			putchar(',');
		show_tunnel(&tunnels->list[i], format);
	}
	if (json)
		puts("]");
}
