// SPDX-License-Identifier: GPL-2.0
/*
 * The parsers check the form of a value: a number in range, an address, an
 * existing device. The kernel checks whether the values make a valid tunnel.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "error.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

struct keyword {
	const char *word;
	const char *expects;		/* description of the value; NULL: no value */
	bool (*parse)(struct config *config, const struct keyword *keyword, const char *value);
	uint16_t slot;			/* attribute; keywords of the same slot conflict */
	uint8_t constant;		/* value of a keyword that takes none */
};

static void put(struct config *config, uint16_t type, const void *value, uint16_t length)
{
	config->attribute[type].length = length;
	memcpy(config->attribute[type].value, value, length);
}

static void put_u8(struct config *config, uint16_t type, uint8_t value)
{
	put(config, type, &value, sizeof(value));
}

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

static bool parse_address(struct config *config, const struct keyword *keyword, const char *value)
{
	bool local = keyword->slot == IFLA_UDPTUN_LOCAL;
	struct in6_addr ipv6;
	struct in_addr ipv4;

	if (inet_pton(AF_INET, value, &ipv4) == 1)
		put(config, local ? IFLA_UDPTUN_LOCAL : IFLA_UDPTUN_REMOTE, &ipv4, sizeof(ipv4));
	else if (inet_pton(AF_INET6, value, &ipv6) == 1)
		put(config, local ? IFLA_UDPTUN_LOCAL6 : IFLA_UDPTUN_REMOTE6, &ipv6, sizeof(ipv6));
	else
		return false;
	return true;
}

static bool parse_port(struct config *config, const struct keyword *keyword, const char *value)
{
	unsigned long number;
	uint16_t port;

	if (!parse_number(value, 0, UINT16_MAX, &number))
		return false;
	port = htons((uint16_t)number);
	put(config, keyword->slot, &port, sizeof(port));
	return true;
}

static bool parse_ttl(struct config *config, const struct keyword *keyword, const char *value)
{
	unsigned long number = 0;

	if (strcmp(value, "inherit") && !parse_number(value, 1, UINT8_MAX, &number))
		return false;
	put_u8(config, keyword->slot, (uint8_t)number);
	return true;
}

static bool parse_tos(struct config *config, const struct keyword *keyword, const char *value)
{
	unsigned long number = 1;

	if (strcmp(value, "inherit") &&
	    (!parse_number(value, 0, UINT8_MAX, &number) || number == 1))
		return false;
	put_u8(config, keyword->slot, (uint8_t)number);
	return true;
}

static bool parse_flowlabel(struct config *config, const struct keyword *keyword,
			    const char *value)
{
	bool inherit = !strcmp(value, "inherit");
	unsigned long number;
	uint32_t label;

	if (!inherit) {
		if (!parse_number(value, 0, 0xfffff, &number))
			return false;
		label = htonl((uint32_t)number);
		put(config, keyword->slot, &label, sizeof(label));
	}
	put_u8(config, IFLA_UDPTUN_FLOWLABEL_INHERIT, inherit);
	return true;
}

static bool parse_device(struct config *config, const struct keyword *keyword, const char *value)
{
	uint32_t index = if_nametoindex(value);

	if (!index)
		exit_no_device(value);
	put(config, keyword->slot, &index, sizeof(index));
	return true;
}

static bool parse_no_device(struct config *config, const struct keyword *keyword,
			    const char *value)
{
	uint32_t none = 0;

	(void)value;
	put(config, keyword->slot, &none, sizeof(none));
	return true;
}

static bool parse_df(struct config *config, const struct keyword *keyword, const char *value)
{
	uint8_t df;

	for (df = 0; df_name(df); df++) {
		if (!strcmp(value, df_name(df))) {
			put_u8(config, keyword->slot, df);
			return true;
		}
	}
	return false;
}

static bool parse_flag(struct config *config, const struct keyword *keyword, const char *value)
{
	(void)value;
	put_u8(config, keyword->slot, keyword->constant);
	return true;
}

static bool parse_mtu(struct config *config, const struct keyword *keyword, const char *value)
{
	unsigned long number;

	(void)keyword;
	if (!parse_number(value, 1, INT32_MAX, &number))
		return false;
	config->mtu = (uint32_t)number;
	return true;
}

#define ADDRESS		"an IPv4 or IPv6 address"
#define PORT		"a number from 0 to 65535"
#define MTU_SLOT	IFLA_UDPTUN_UNSPEC	/* the MTU is no udptun attribute */

static const struct keyword keywords[] = {
	{ "local", ADDRESS, parse_address, IFLA_UDPTUN_LOCAL, 0 },
	{ "remote", ADDRESS, parse_address, IFLA_UDPTUN_REMOTE, 0 },
	{ "port", PORT, parse_port, IFLA_UDPTUN_LOCAL_PORT, 0 },
	{ "remote-port", PORT, parse_port, IFLA_UDPTUN_REMOTE_PORT, 0 },
	{ "ttl", "a number from 1 to 255, or inherit", parse_ttl, IFLA_UDPTUN_TTL, 0 },
	{ "tos", "0, a number from 2 to 255, or inherit", parse_tos, IFLA_UDPTUN_TOS, 0 },
	{ "flowlabel", "a number from 0 to 0xfffff, or inherit", parse_flowlabel,
	  IFLA_UDPTUN_FLOWLABEL, 0 },
	{ "csum", NULL, parse_flag, IFLA_UDPTUN_UDP_CSUM, 1 },
	{ "nocsum", NULL, parse_flag, IFLA_UDPTUN_UDP_CSUM, 0 },
	{ "zerocsum6tx", NULL, parse_flag, IFLA_UDPTUN_UDP_ZERO_CSUM6_TX, 1 },
	{ "nozerocsum6tx", NULL, parse_flag, IFLA_UDPTUN_UDP_ZERO_CSUM6_TX, 0 },
	{ "zerocsum6rx", NULL, parse_flag, IFLA_UDPTUN_UDP_ZERO_CSUM6_RX, 1 },
	{ "nozerocsum6rx", NULL, parse_flag, IFLA_UDPTUN_UDP_ZERO_CSUM6_RX, 0 },
	{ "dev", "the name of a device", parse_device, IFLA_UDPTUN_LINK, 0 },
	{ "nodev", NULL, parse_no_device, IFLA_UDPTUN_LINK, 0 },
	{ "df", "set, unset or inherit", parse_df, IFLA_UDPTUN_DF, 0 },
	{ "mtu", "a number of bytes, 1 or more", parse_mtu, MTU_SLOT, 0 },
};

static const struct keyword *find_keyword(const char *word)
{
	size_t i;

	for (i = 0; i < COUNT(keywords); i++) {
		if (!strcmp(word, keywords[i].word))
			return &keywords[i];
	}
	exit_argument("unknown option \"%s\", try \"udptunctl help\"", word);
}

void parse_config(struct config *config, char **arguments)
{
	const char *given[IFLA_UDPTUN_MAX + 1] = { NULL };	/* by slot: the keyword given */

	memset(config, 0, sizeof(*config));
	while (*arguments) {
		const struct keyword *keyword = find_keyword(*arguments++);
		const char *earlier = given[keyword->slot];
		const char *value = NULL;

		if (earlier && strcmp(earlier, keyword->word))
			exit_argument("\"%s\" conflicts with \"%s\"", keyword->word, earlier);
		if (earlier)
			exit_argument("\"%s\" is given twice", keyword->word);
		if (keyword->expects) {
			value = *arguments;
			if (!value)
				exit_argument("\"%s\" needs a value: %s", keyword->word,
					      keyword->expects);
			arguments++;
		}
		if (!keyword->parse(config, keyword, value))
			exit_argument("argument \"%s\" is wrong: \"%s\" takes %s", value,
				      keyword->word, keyword->expects);
		given[keyword->slot] = keyword->word;
	}
}
