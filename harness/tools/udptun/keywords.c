// SPDX-License-Identifier: GPL-2.0
/*
 * A row of the table is all that a keyword needs, unless its value is of a new
 * kind: udptunctl and link_udptun.so parse it, show it and list it in their usage
 * by the row. The manual page and the YNL specification have a text of their own.
 */
#include <string.h>

#include "keywords.h"
#include "report.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

#define ADDRESS		"an IPv4 or IPv6 address"
#define PORT		"a number from 0 to 65535"

/* In the order in which a tunnel is shown. */
static const struct keyword keywords[] = {
	{ .word = "kind", .usage = "{ " UDPTUN_KIND " | " UDPTUN_RUST_KIND " }",
	  .expects = UDPTUN_KIND " or " UDPTUN_RUST_KIND, .of_ip = "is the word after \"type\"",
	  .parse = parse_kind, .show = show_kind },
	{ .word = "local", .usage = "ADDR", .expects = ADDRESS,
	  .type = IFLA_UDPTUN_LOCAL, .other = IFLA_UDPTUN_LOCAL6,
	  .parse = parse_address, .show = show_address },
	{ .word = "remote", .usage = "ADDR", .expects = ADDRESS,
	  .type = IFLA_UDPTUN_REMOTE, .other = IFLA_UDPTUN_REMOTE6,
	  .parse = parse_address, .show = show_address },
	{ .word = "port", .usage = "PORT", .expects = PORT, .type = IFLA_UDPTUN_LOCAL_PORT,
	  .parse = parse_port, .show = show_number },
	{ .word = "remote-port", .usage = "PORT", .expects = PORT, .type = IFLA_UDPTUN_REMOTE_PORT,
	  .parse = parse_port, .show = show_number },
	{ .word = "sport", .usage = "{ hash [ MIN-MAX ] | fixed }", .expects = "hash or fixed",
	  .more = "a range of ports, MIN-MAX, from 1 to 65535", .type = IFLA_UDPTUN_PORT_RANGE,
	  .parse = parse_sport, .parse_more = parse_sport_range, .show = show_sport },
	{ .word = "ttl", .usage = "{ 1..255 | inherit }",
	  .expects = "a number from 1 to 255, or inherit", .type = IFLA_UDPTUN_TTL,
	  .parse = parse_ttl, .show = show_ttl },
	{ .word = "tos", .usage = "{ 0..255 | inherit }",
	  .expects = "0, a number from 2 to 255, or inherit", .type = IFLA_UDPTUN_TOS,
	  .parse = parse_tos, .show = show_tos },
	{ .word = "flowlabel", .usage = "{ 0..0xfffff | inherit }",
	  .expects = "a number from 0 to 0xfffff, or inherit",
	  .type = IFLA_UDPTUN_FLOWLABEL, .other = IFLA_UDPTUN_FLOWLABEL_INHERIT,
	  .parse = parse_flowlabel, .show = show_flowlabel },
	{ .word = "fwmark", .usage = "{ MARK[/MASK] | inherit }",
	  .expects = "MARK, MARK/MASK, both up to 0xffffffff, or inherit",
	  .type = IFLA_UDPTUN_FWMARK, .other = IFLA_UDPTUN_FWMASK,
	  .parse = parse_fwmark, .show = show_fwmark },
	{ .word = "csum", .type = IFLA_UDPTUN_UDP_CSUM,
	  .parse = parse_flag, .negate = negate_flag, .show = show_flag },
	{ .word = "zerocsum6tx", .type = IFLA_UDPTUN_UDP_ZERO_CSUM6_TX,
	  .parse = parse_flag, .negate = negate_flag, .show = show_flag },
	{ .word = "zerocsum6rx", .type = IFLA_UDPTUN_UDP_ZERO_CSUM6_RX,
	  .parse = parse_flag, .negate = negate_flag, .show = show_flag },
	{ .word = "dev", .usage = "DEVICE", .expects = "the name of a device",
	  .type = IFLA_UDPTUN_LINK, .other = IFLA_UDPTUN_LINK_IS_FOREIGN,
	  .parse = parse_device, .negate = negate_device, .show = show_device },
	{ .word = "df", .usage = "{ set | unset | inherit }", .expects = "set, unset or inherit",
	  .type = IFLA_UDPTUN_DF, .parse = parse_df, .show = show_df },
	{ .word = "external", .type = IFLA_UDPTUN_EXTERNAL,
	  .parse = parse_flag, .show = show_set_flag },
	{ .word = "mtu", .usage = "BYTES", .expects = "a number of bytes, 1 or more",
	  .of_ip = "must stand before \"type\"", .parse = parse_mtu, .show = show_mtu },
};

static bool is_negation(const char *word, const struct keyword *keyword)
{
	return keyword->negate && !strncmp(word, "no", 2) && !strcmp(word + 2, keyword->word);
}

static const struct keyword *find_keyword(const char *word)
{
	size_t i;

	for (i = 0; i < COUNT(keywords); i++) {
		if (!strcmp(word, keywords[i].word) || is_negation(word, &keywords[i]))
			return &keywords[i];
	}
	return NULL;
}

/* Report a word that cannot stand here, and return false. */
static bool check_word(const char *word, const struct keyword *keyword, const char *earlier,
		       const struct program *program)
{
	if (!keyword)
		report_error("unknown option \"%s\", try \"%s\"", word, program->help);
	else if (keyword->of_ip && program->is_ip)
		report_error("\"%s\" %s", word, keyword->of_ip);
	else if (earlier && strcmp(earlier, word))
		report_error("\"%s\" conflicts with \"%s\"", word, earlier);
	else if (earlier)
		report_error("\"%s\" is given twice", word);
	else
		return true;
	return false;
}

static bool is_parsed(enum parsed parsed, const struct keyword *keyword, const char *value,
		      const char *expects)
{
	switch (parsed) {
	case PARSED:
		return true;
	case WRONG:
		report_error("argument \"%s\" is wrong: \"%s\" takes %s", value, keyword->word,
			     expects);
		return false;
	case REPORTED:
		return false;
	}
	return false;
}

static bool parse_value(struct config *config, const struct keyword *keyword, const char *value)
{
	if (keyword->usage && !value) {
		report_error("\"%s\" needs a value: %s", keyword->word, keyword->expects);
		return false;
	}
	return is_parsed(keyword->parse(config, keyword, value), keyword, value, keyword->expects);
}

/* No keyword begins with a digit. */
static bool is_more(const struct keyword *keyword, const char *argument)
{
	return keyword->parse_more && argument && *argument >= '0' && *argument <= '9';
}

static bool parse_more(struct config *config, const struct keyword *keyword, const char *value)
{
	return is_parsed(keyword->parse_more(config, keyword, value), keyword, value,
			 keyword->more);
}

bool parse_keywords(struct config *config, char **arguments, const struct program *program)
{
	const char *given[COUNT(keywords)] = { NULL };	/* by row: the word given */

	memset(config, 0, sizeof(*config));
	while (*arguments) {
		const char *word = *arguments++;
		const struct keyword *keyword = find_keyword(word);

		if (!check_word(word, keyword, keyword ? given[keyword - keywords] : NULL, program))
			return false;
		given[keyword - keywords] = word;
		if (is_negation(word, keyword))
			keyword->negate(config, keyword);
		else if (!parse_value(config, keyword, keyword->usage ? *arguments : NULL))
			return false;
		else if (keyword->usage)
			arguments++;
		if (is_more(keyword, *arguments) && !parse_more(config, keyword, *arguments++))
			return false;
	}
	return true;
}

void show_keywords(const struct config *config, const struct output *output)
{
	size_t i;

	for (i = 0; i < COUNT(keywords); i++)
		keywords[i].show(config, &keywords[i], output);
}

void print_keywords(FILE *stream, const struct program *program)
{
	static const char start[] = "OPTIONS :=";
	int column = fprintf(stream, "%s", start);
	char text[80];
	size_t i;

	for (i = 0; i < COUNT(keywords); i++) {
		const struct keyword *keyword = &keywords[i];
		bool negates = keyword->negate;

		if (keyword->of_ip && program->is_ip)
			continue;
		snprintf(text, sizeof(text), " [ %s%s%s%s%s ]", keyword->word,
			 keyword->usage ? " " : "", keyword->usage ? keyword->usage : "",
			 negates ? " | no" : "", negates ? keyword->word : "");
		if (column + strlen(text) >= sizeof(text))
			column = fprintf(stream, "\n%*s", (int)strlen(start), "") - 1;
		column += fprintf(stream, "%s", text);
	}
	fputc('\n', stream);
}
