// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "keywords.h"
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

/* The functions of struct output. In JSON each key follows the device's name. */
static void text_word(const struct output *output, const char *key, const char *value)
{
	fprintf(output->stream, " %s %s", key, value);
}

static void text_number(const struct output *output, const char *key, unsigned long value,
			const char *text)
{
	if (text)
		text_word(output, key, text);
	else
		fprintf(output->stream, " %s %lu", key, value);
}

static void text_flag(const struct output *output, const char *key, bool value)
{
	fprintf(output->stream, " %s%s", value ? "" : "no", key);
}

static void json_word(const struct output *output, const char *key, const char *value)
{
	fprintf(output->stream, ",\"%s\":", key);
	print_string(value);
}

static void json_number(const struct output *output, const char *key, unsigned long value,
			const char *text)
{
	(void)text;
	fprintf(output->stream, ",\"%s\":%lu", key, value);
}

static void json_flag(const struct output *output, const char *key, bool value)
{
	fprintf(output->stream, ",\"%s\":%s", key, value ? "true" : "false");
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
	const struct output output = {
		.word = json ? json_word : text_word,
		.number = json ? json_number : text_number,
		.flag = json ? json_flag : text_flag,
		.stream = stdout,
		.any_kind = json,
	};

	if (json) {
		printf("{\"ifindex\":%d,\"ifname\":", tunnel->index);
		print_string(tunnel->name);
		json_flag(&output, "up", tunnel->up);
		if (tunnel->foreign)
			printf(",\"link_netnsid\":%d", tunnel->netns);
	} else {
		printf("%s", tunnel->name);
	}
	show_keywords(&tunnel->config, &output);
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
