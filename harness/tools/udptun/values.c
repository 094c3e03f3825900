// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "values.h"

#define TTL_INHERIT	0
#define TOS_INHERIT	1
#define SPORT_MIN	49152	/* the dynamic ports of RFC 6335 */
#define SPORT_MAX	65535

/* Accept only digits: strtoul() alone would accept blanks and signs. */
static bool parse_number(const char *text, unsigned long min, unsigned long max,
			 unsigned long *number)
{
	int base = text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoul(text, &end, base);
	return !errno && !*end && *number >= min && *number <= max;
}

/* Set the underlay, which a zone of an address and "dev" may both name. */
static enum parsed parse_link(struct config *config, const char *name)
{
	uint32_t index = if_nametoindex(name);
	unsigned long earlier;

	if (!index) {
		report_no_device(name);
		return REPORTED;
	}
	if (get_number(config, IFLA_UDPTUN_LINK, &earlier) && earlier != index) {
		report_error("\"%s\" is not the device that is named before", name);
		return REPORTED;
	}
	set_attribute(config, IFLA_UDPTUN_LINK, &index, sizeof(index));
	return PARSED;
}

/* Parse an IPv6 address with a zone: fe80::1%eth0. */
static enum parsed parse_zoned_address(struct config *config, const struct keyword *keyword,
				       const char *value, const char *zone)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr ipv6;

	snprintf(text, sizeof(text), "%.*s", (int)(zone - value), value);
	if (zone - value >= (ptrdiff_t)sizeof(text) || inet_pton(AF_INET6, text, &ipv6) != 1 ||
	    !zone[1])
		return WRONG;
	if (!IN6_IS_ADDR_LINKLOCAL(&ipv6)) {
		report_error("\"%s\" is not a link-local address: only these have a zone", text);
		return REPORTED;
	}
	set_attribute(config, keyword->other, &ipv6, sizeof(ipv6));
	return parse_link(config, zone + 1);
}

enum parsed parse_address(struct config *config, const struct keyword *keyword, const char *value)
{
	const char *zone = strchr(value, '%');
	struct in6_addr ipv6;
	struct in_addr ipv4;

	if (zone)
		return parse_zoned_address(config, keyword, value, zone);
	if (inet_pton(AF_INET, value, &ipv4) == 1)
		set_attribute(config, keyword->type, &ipv4, sizeof(ipv4));
	else if (inet_pton(AF_INET6, value, &ipv6) == 1)
		set_attribute(config, keyword->other, &ipv6, sizeof(ipv6));
	else
		return WRONG;
	return PARSED;
}

void show_address(const struct config *config, const struct keyword *keyword,
		  const struct output *output)
{
	const struct attribute *four = &config->attribute[keyword->type];
	const struct attribute *six = &config->attribute[keyword->other];
	char text[INET6_ADDRSTRLEN];

	if (four->length == sizeof(struct in_addr))
		inet_ntop(AF_INET, four->value, text, sizeof(text));
	else if (six->length == sizeof(struct in6_addr))
		inet_ntop(AF_INET6, six->value, text, sizeof(text));
	else
		return;
	output->word(output, keyword->word, text);
}

enum parsed parse_port(struct config *config, const struct keyword *keyword, const char *value)
{
	unsigned long number;
	uint16_t port;

	if (!parse_number(value, 0, UINT16_MAX, &number))
		return WRONG;
	port = htons((uint16_t)number);
	set_attribute(config, keyword->type, &port, sizeof(port));
	return PARSED;
}

static void set_sport(struct config *config, const struct keyword *keyword, unsigned long low,
		      unsigned long high)
{
	struct udptun_port_range range = {
		.low = htons((uint16_t)low),
		.high = htons((uint16_t)high),
	};

	set_attribute(config, keyword->type, &range, sizeof(range));
}

enum parsed parse_sport(struct config *config, const struct keyword *keyword, const char *value)
{
	if (!strcmp(value, "hash"))
		set_sport(config, keyword, SPORT_MIN, SPORT_MAX);
	else if (!strcmp(value, "fixed"))
		set_sport(config, keyword, 0, 0);
	else
		return WRONG;
	return PARSED;
}

enum parsed parse_sport_range(struct config *config, const struct keyword *keyword,
			      const char *value)
{
	char text[sizeof("65535")];
	unsigned long low, high;
	const char *dash;

	if (!get_number(config, keyword->type, &low) || !low) {
		report_error("\"sport fixed\" takes no range: \"%s\"", value);
		return REPORTED;
	}
	dash = strchr(value, '-');
	if (!dash || dash - value >= (ptrdiff_t)sizeof(text))
		return WRONG;
	snprintf(text, sizeof(text), "%.*s", (int)(dash - value), value);
	if (!parse_number(text, 1, UINT16_MAX, &low) ||
	    !parse_number(dash + 1, low, UINT16_MAX, &high))
		return WRONG;
	set_sport(config, keyword, low, high);
	return PARSED;
}

void show_sport(const struct config *config, const struct keyword *keyword,
		const struct output *output)
{
	const struct attribute *attribute = &config->attribute[keyword->type];
	struct udptun_port_range range;
	char text[sizeof("hash 65535-65535")];

	if (attribute->length != sizeof(range))
		return;
	memcpy(&range, attribute->value, sizeof(range));
	if (!range.low)
		return;
	snprintf(text, sizeof(text), "hash %u-%u", ntohs(range.low), ntohs(range.high));
	output->word(output, keyword->word, text);
}

enum parsed parse_fwmark(struct config *config, const struct keyword *keyword, const char *value)
{
	unsigned long mark = 0, mask = UINT32_MAX;
	char text[sizeof("0xffffffff")];
	const char *slash = strchr(value, '/');
	uint32_t word;

	if (!strcmp(value, "inherit")) {
		mask = 0;
	} else if (!slash) {
		if (!parse_number(value, 0, UINT32_MAX, &mark))
			return WRONG;
	} else {
		if (slash - value >= (ptrdiff_t)sizeof(text))
			return WRONG;
		snprintf(text, sizeof(text), "%.*s", (int)(slash - value), value);
		if (!parse_number(text, 0, UINT32_MAX, &mark) ||
		    !parse_number(slash + 1, 0, UINT32_MAX, &mask))
			return WRONG;
	}
	word = (uint32_t)mark;
	set_attribute(config, keyword->type, &word, sizeof(word));
	word = (uint32_t)mask;
	set_attribute(config, keyword->other, &word, sizeof(word));
	return PARSED;
}

void show_fwmark(const struct config *config, const struct keyword *keyword,
		 const struct output *output)
{
	char text[sizeof("0xffffffff/0xffffffff")];
	unsigned long mark, mask;

	if (!get_number(config, keyword->type, &mark) ||
	    !get_number(config, keyword->other, &mask) || !mask)
		return;
	if (mask == UINT32_MAX)
		snprintf(text, sizeof(text), "0x%x", (unsigned int)mark);
	else
		snprintf(text, sizeof(text), "0x%x/0x%x", (unsigned int)mark, (unsigned int)mask);
	output->word(output, keyword->word, text);
}

void show_number(const struct config *config, const struct keyword *keyword,
		 const struct output *output)
{
	unsigned long number;

	if (get_number(config, keyword->type, &number))
		output->number(output, keyword->word, number, NULL);
}

/* Show a number, or "inherit" if it is the value that means so. */
static void show_inheritable(const struct config *config, const struct keyword *keyword,
			     const struct output *output, unsigned long inherit)
{
	unsigned long number;

	if (!get_number(config, keyword->type, &number))
		return;
	if (number == inherit)
		output->word(output, keyword->word, "inherit");
	else
		output->number(output, keyword->word, number, NULL);
}

enum parsed parse_ttl(struct config *config, const struct keyword *keyword, const char *value)
{
	unsigned long number = TTL_INHERIT;

	if (strcmp(value, "inherit") && !parse_number(value, 1, UINT8_MAX, &number))
		return WRONG;
	set_u8(config, keyword->type, (uint8_t)number);
	return PARSED;
}

void show_ttl(const struct config *config, const struct keyword *keyword,
	      const struct output *output)
{
	show_inheritable(config, keyword, output, TTL_INHERIT);
}

enum parsed parse_tos(struct config *config, const struct keyword *keyword, const char *value)
{
	unsigned long number = TOS_INHERIT;

	if (strcmp(value, "inherit") &&
	    (!parse_number(value, 0, UINT8_MAX, &number) || number == TOS_INHERIT))
		return WRONG;
	set_u8(config, keyword->type, (uint8_t)number);
	return PARSED;
}

void show_tos(const struct config *config, const struct keyword *keyword,
	      const struct output *output)
{
	show_inheritable(config, keyword, output, TOS_INHERIT);
}

enum parsed parse_flowlabel(struct config *config, const struct keyword *keyword,
			    const char *value)
{
	bool inherit = !strcmp(value, "inherit");
	unsigned long number;
	uint32_t label;

	if (!inherit) {
		if (!parse_number(value, 0, 0xfffff, &number))
			return WRONG;
		label = htonl((uint32_t)number);
		set_attribute(config, keyword->type, &label, sizeof(label));
	}
	set_u8(config, keyword->other, inherit);
	return PARSED;
}

void show_flowlabel(const struct config *config, const struct keyword *keyword,
		    const struct output *output)
{
	unsigned long inherit = 0, label;
	char text[sizeof("0x00000")];

	get_number(config, keyword->other, &inherit);
	if (inherit) {
		output->word(output, keyword->word, "inherit");
	} else if (get_number(config, keyword->type, &label)) {
		snprintf(text, sizeof(text), "0x%05x", (unsigned int)label & 0xfffff);
		output->number(output, keyword->word, label, text);
	}
}

enum parsed parse_flag(struct config *config, const struct keyword *keyword, const char *value)
{
	(void)value;
	set_u8(config, keyword->type, 1);
	return PARSED;
}

void negate_flag(struct config *config, const struct keyword *keyword)
{
	set_u8(config, keyword->type, 0);
}

void show_flag(const struct config *config, const struct keyword *keyword,
	       const struct output *output)
{
	unsigned long number;

	if (get_number(config, keyword->type, &number))
		output->flag(output, keyword->word, number);
}

void show_set_flag(const struct config *config, const struct keyword *keyword,
		   const struct output *output)
{
	unsigned long number;

	if (get_number(config, keyword->type, &number) && number)
		output->flag(output, keyword->word, true);
}

enum parsed parse_device(struct config *config, const struct keyword *keyword, const char *value)
{
	(void)keyword;
	return parse_link(config, value);
}

void negate_device(struct config *config, const struct keyword *keyword)
{
	uint32_t none = 0;

	set_attribute(config, keyword->type, &none, sizeof(none));
}

void show_device(const struct config *config, const struct keyword *keyword,
		 const struct output *output)
{
	unsigned long index, is_foreign = 0;
	char name[IFNAMSIZ];

	if (!get_number(config, keyword->type, &index) || !index)
		return;
	get_number(config, keyword->other, &is_foreign);
	if (is_foreign || !if_indextoname((unsigned int)index, name))
		snprintf(name, sizeof(name), "if%u", (unsigned int)index);
	output->word(output, keyword->word, name);
}

enum parsed parse_df(struct config *config, const struct keyword *keyword, const char *value)
{
	uint8_t df;

	for (df = 0; df_name(df); df++) {
		if (!strcmp(value, df_name(df))) {
			set_u8(config, keyword->type, df);
			return PARSED;
		}
	}
	return WRONG;
}

void show_df(const struct config *config, const struct keyword *keyword,
	     const struct output *output)
{
	unsigned long df;

	if (get_number(config, keyword->type, &df) && df_name(df))
		output->word(output, keyword->word, df_name(df));
}

enum parsed parse_kind(struct config *config, const struct keyword *keyword, const char *value)
{
	(void)keyword;
	if (!is_kind(value))
		return WRONG;
	snprintf(config->kind, sizeof(config->kind), "%s", value);
	return PARSED;
}

void show_kind(const struct config *config, const struct keyword *keyword,
	       const struct output *output)
{
	if (*config->kind && (output->any_kind || strcmp(config->kind, UDPTUN_KIND)))
		output->word(output, keyword->word, config->kind);
}

enum parsed parse_mtu(struct config *config, const struct keyword *keyword, const char *value)
{
	unsigned long number;

	(void)keyword;
	if (!parse_number(value, 1, INT32_MAX, &number))
		return WRONG;
	config->mtu = (uint32_t)number;
	return PARSED;
}

void show_mtu(const struct config *config, const struct keyword *keyword,
	      const struct output *output)
{
	if (config->mtu)
		output->number(output, keyword->word, config->mtu, NULL);
}
