/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kinds of values that keywords take: how each is parsed, and how it is shown.
 * The parsers check the form of a value: a number in range, an address, an
 * existing device. The kernel checks whether the values make a valid tunnel.
 */
#ifndef _UDPTUN_VALUES_H
#define _UDPTUN_VALUES_H

#include "config.h"

/* Prints the keywords of one tunnel, as text or as JSON. */
struct output {
	void (*word)(const struct output *output, const char *key, const char *value);
	/* text: how the number looks where it is not JSON; NULL: decimal */
	void (*number)(const struct output *output, const char *key, unsigned long value,
		       const char *text);
	/* In text, "key" or "nokey" */
	void (*flag)(const struct output *output, const char *key, bool value);
	void *stream;	/* for the three functions */
	bool any_kind;	/* print the kind of every device; false: unless it is udptun */
};

enum parsed {
	PARSED,
	WRONG,		/* the caller reports what the keyword expects */
	REPORTED,	/* wrong, and the parser has said why */
};

struct keyword {
	const char *word;
	const char *usage;	/* the value's name in the usage; NULL: the keyword takes none */
	const char *expects;	/* description of the value, for error messages */
	uint16_t type;		/* attribute */
	uint16_t other;		/* second attribute, if the kind of value has two */
	enum parsed (*parse)(struct config *config, const struct keyword *keyword,
			     const char *value);
	/* A second value, which begins with a digit and may be left out. NULL: there is none */
	const char *more;	/* description of it, for error messages */
	enum parsed (*parse_more)(struct config *config, const struct keyword *keyword,
				  const char *value);
	/* Parse "no" and the word, which takes no value. NULL: there is no such keyword */
	void (*negate)(struct config *config, const struct keyword *keyword);
	void (*show)(const struct config *config, const struct keyword *keyword,
		     const struct output *output);
	const char *of_ip;	/* how ip sets this itself, for error messages; NULL: it does not */
};

/* An IPv4 address (type) or an IPv6 address (other), whose zone is IFLA_UDPTUN_LINK */
enum parsed parse_address(struct config *config, const struct keyword *keyword, const char *value);
void show_address(const struct config *config, const struct keyword *keyword,
		  const struct output *output);

enum parsed parse_port(struct config *config, const struct keyword *keyword, const char *value);
void show_number(const struct config *config, const struct keyword *keyword,
		 const struct output *output);

/* hash or fixed, and the range for hash */
enum parsed parse_sport(struct config *config, const struct keyword *keyword, const char *value);
enum parsed parse_sport_range(struct config *config, const struct keyword *keyword,
			      const char *value);
void show_sport(const struct config *config, const struct keyword *keyword,
		const struct output *output);

/* A mark (type) and a mask (other), or inherit, which is 0/0 */
enum parsed parse_fwmark(struct config *config, const struct keyword *keyword, const char *value);
void show_fwmark(const struct config *config, const struct keyword *keyword,
		 const struct output *output);

/* 1 to 255, or inherit, which is 0 */
enum parsed parse_ttl(struct config *config, const struct keyword *keyword, const char *value);
void show_ttl(const struct config *config, const struct keyword *keyword,
	      const struct output *output);

/* 0 and 2 to 255, or inherit, which is 1 */
enum parsed parse_tos(struct config *config, const struct keyword *keyword, const char *value);
void show_tos(const struct config *config, const struct keyword *keyword,
	      const struct output *output);

/* 0 to 0xfffff (type), or inherit (other) */
enum parsed parse_flowlabel(struct config *config, const struct keyword *keyword,
			    const char *value);
void show_flowlabel(const struct config *config, const struct keyword *keyword,
		    const struct output *output);

/* 1, or 0 with "no" before the word */
enum parsed parse_flag(struct config *config, const struct keyword *keyword, const char *value);
void negate_flag(struct config *config, const struct keyword *keyword);
void show_flag(const struct config *config, const struct keyword *keyword,
	       const struct output *output);

/* 1, shown only then */
void show_set_flag(const struct config *config, const struct keyword *keyword,
		   const struct output *output);

/*
 * The index of a device (type), or 0 with "no" before the word. It is shown as a number
 * if the device is in another network namespace (other).
 */
enum parsed parse_device(struct config *config, const struct keyword *keyword, const char *value);
void negate_device(struct config *config, const struct keyword *keyword);
void show_device(const struct config *config, const struct keyword *keyword,
		 const struct output *output);

/* The name of a value of enum udptun_df */
enum parsed parse_df(struct config *config, const struct keyword *keyword, const char *value);
void show_df(const struct config *config, const struct keyword *keyword,
	     const struct output *output);

/* The kind of device, which is no attribute of udptun */
enum parsed parse_kind(struct config *config, const struct keyword *keyword, const char *value);
void show_kind(const struct config *config, const struct keyword *keyword,
	       const struct output *output);

/* The MTU, which is no attribute of udptun */
enum parsed parse_mtu(struct config *config, const struct keyword *keyword, const char *value);
void show_mtu(const struct config *config, const struct keyword *keyword,
	      const struct output *output);

#endif /* _UDPTUN_VALUES_H */
