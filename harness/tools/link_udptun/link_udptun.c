// SPDX-License-Identifier: GPL-2.0
/*
 * link_udptun.so - a plugin of ip for devices of kind udptun and udptun_rust
 *
 * ip loads link_KIND.so from its library folder, or from $IP_LIB_DIR, when it meets
 * a kind that it does not know: link_udptun_rust.so is a link to this file. The
 * plugin parses the words after "type KIND", and prints the details of a device.
 */
#include <string.h>

#include <linux/rtnetlink.h>

#include "iproute2.h"
#include "keywords.h"
#include "report.h"

static const struct program ip_udptun = {
	.help = "ip link help " UDPTUN_KIND,
	.is_ip = true,
};

static const struct program ip_udptun_rust = {
	.help = "ip link help " UDPTUN_RUST_KIND,
	.is_ip = true,
};

static const struct program *program_of(const struct link_util *util)
{
	return strcmp(util->id, UDPTUN_KIND) ? &ip_udptun_rust : &ip_udptun;
}

static void print_usage(const struct link_util *util, FILE *stream)
{
	fprintf(stream, "Usage: ... %s local ADDR remote ADDR port PORT [ OPTIONS ]\n\n",
		util->id);
	print_keywords(stream, program_of(util));
}

/* ip ends its arguments with NULL, those of a line of -batch, too. */
static int link_udptun_parse(struct link_util *util, int argc, char **argv,
			     struct nlmsghdr *request)
{
	struct config config;

	if (argc && !strcmp(*argv, "help")) {
		print_usage(util, stderr);
		return -1;
	}
	if (!parse_keywords(&config, argv, program_of(util)))
		return -1;
	if (put_attributes(request, REQUEST_SIZE, &config))
		return 0;
	report_error("the request is too long for ip");
	return -1;
}

/* In text, a blank follows each word: what ip prints next has none before it. */
static void print_word(const struct output *output, const char *key, const char *value)
{
	if (is_json_context())
		jsonw_string_field(get_json_writer(), key, value);
	else
		fprintf(output->stream, "%s %s ", key, value);
}

static void print_number(const struct output *output, const char *key, unsigned long value,
			 const char *text)
{
	if (is_json_context())
		jsonw_luint_field(get_json_writer(), key, value);
	else if (text)
		fprintf(output->stream, "%s %s ", key, text);
	else
		fprintf(output->stream, "%s %lu ", key, value);
}

static void print_flag(const struct output *output, const char *key, bool value)
{
	if (is_json_context())
		jsonw_bool_field(get_json_writer(), key, value);
	else
		fprintf(output->stream, "%s%s ", value ? "" : "no", key);
}

static void link_udptun_print(struct link_util *util, FILE *stream, struct rtattr **attributes)
{
	const struct output output = {
		.word = print_word,
		.number = print_number,
		.flag = print_flag,
		.stream = stream,
	};
	struct config config = { 0 };
	uint16_t type;

	(void)util;
	if (!attributes)
		return;
	for (type = 0; type <= IFLA_UDPTUN_MAX; type++) {
		if (attributes[type])
			read_attribute(&config, type, RTA_DATA(attributes[type]),
				       (uint16_t)RTA_PAYLOAD(attributes[type]));
	}
	show_keywords(&config, &output);
}

static void link_udptun_print_xstats(struct link_util *util, FILE *stream, struct rtattr *attribute)
{
	struct udptun_xstats xstats = { 0 };
	size_t length = RTA_PAYLOAD(attribute);

	(void)util;
	memcpy(&xstats, RTA_DATA(attribute), length < sizeof(xstats) ? length : sizeof(xstats));
	if (is_json_context())
		jsonw_lluint_field(get_json_writer(), "rx_stranger", xstats.rx_stranger);
	else
		fprintf(stream, "rx_stranger %llu ", (unsigned long long)xstats.rx_stranger);
}

static void link_udptun_print_help(struct link_util *util, int argc, char **argv, FILE *stream)
{
	(void)argc;
	(void)argv;
	print_usage(util, stream);
}

__attribute__((visibility("default")))
struct link_util udptun_link_util = {
	.id = UDPTUN_KIND,
	.maxattr = IFLA_UDPTUN_MAX,
	.parse_opt = link_udptun_parse,
	.print_opt = link_udptun_print,
	.print_xstats = link_udptun_print_xstats,
	.print_help = link_udptun_print_help,
};

__attribute__((visibility("default")))
struct link_util udptun_rust_link_util = {
	.id = UDPTUN_RUST_KIND,
	.maxattr = IFLA_UDPTUN_MAX,
	.parse_opt = link_udptun_parse,
	.print_opt = link_udptun_print,
	.print_xstats = link_udptun_print_xstats,
	.print_help = link_udptun_print_help,
};
