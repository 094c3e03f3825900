// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "values.h"

#define TTL_INHERIT	0
#define TOS_INHERIT	1

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

enum parsed parse_address(struct config *config, const struct keyword *keyword, const char *value)
{
	struct in6_addr ipv6;
	struct in_addr ipv4;

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

enum parsed parse_device(struct config *config, const struct keyword *keyword, const char *value)
{
	uint32_t index = if_nametoindex(value);

	if (!index) {
		report_no_device(value);
		return REPORTED;
	}
	set_attribute(config, keyword->type, &index, sizeof(index));
	return PARSED;
}

void negate_device(struct config *config, const struct keyword *keyword)
{
	uint32_t none = 0;

	set_attribute(config, keyword->type, &none, sizeof(none));
}

/* The index is meaningless here if the tunnel's socket is in another namespace. */
void show_device(const struct config *config, const struct keyword *keyword,
		 const struct output *output)
{
	char name[IFNAMSIZ];
	unsigned long index;

	if (!get_number(config, keyword->type, &index) || !index)
		return;
	if (output->foreign || !if_indextoname((unsigned int)index, name))
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
