/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ip of iproute2 offers to a plugin for a kind of device, and asks of it.
 *
 * Debian ships no header for that interface. These are the facts of it that the
 * plugin needs, read from iproute2 6.1 (ip/ip_common.h, include/json_print.h,
 * include/json_writer.h) and compared with the binaries of 6.1 (Debian 12) and 6.15
 * (Debian 13): both have the same structure, of 72 bytes on 64-bit machines, and
 * export these functions.
 */
#ifndef _LINK_UDPTUN_IPROUTE2_H
#define _LINK_UDPTUN_IPROUTE2_H

#include <stdbool.h>
#include <stdio.h>

struct nlmsghdr;
struct rtattr;

/* A kind of device. The plugin link_KIND.so exports it as KIND_link_util. */
struct link_util {
	struct link_util *next;		/* ip's list */
	const char *id;			/* the kind */
	int maxattr;			/* highest attribute in IFLA_INFO_DATA */
	/* Append attributes to IFLA_INFO_DATA of the request. Return 0, or -1 after a message. */
	int (*parse_opt)(struct link_util *util, int argc, char **argv, struct nlmsghdr *request);
	/* Print attributes, indexed by type. attributes: NULL if the kernel sent none */
	void (*print_opt)(struct link_util *util, FILE *stream, struct rtattr **attributes);
	/* Print IFLA_INFO_XSTATS. */
	void (*print_xstats)(struct link_util *util, FILE *stream, struct rtattr *xstats);
	void (*print_help)(struct link_util *util, int argc, char **argv, FILE *stream);
	/* For "ip link xstats" */
	int (*parse_ifla_xstats)(struct link_util *util, int argc, char **argv);
	int (*print_ifla_xstats)(struct nlmsghdr *answer, void *data);
};

/* Room for a request in ip's buffer: its header and 1024 bytes. */
#define REQUEST_SIZE	1024

struct json_writer;

/* Is ip printing JSON (-j)? */
bool is_json_context(void);

/* The writer of that JSON, in the object that the plugin fills. */
struct json_writer *get_json_writer(void);

void jsonw_string_field(struct json_writer *writer, const char *key, const char *value);
void jsonw_luint_field(struct json_writer *writer, const char *key, unsigned long value);
void jsonw_lluint_field(struct json_writer *writer, const char *key, unsigned long long value);
void jsonw_bool_field(struct json_writer *writer, const char *key, bool value);

#endif /* _LINK_UDPTUN_IPROUTE2_H */
