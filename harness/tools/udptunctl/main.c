// SPDX-License-Identifier: GPL-2.0
/*
 * udptunctl - create, change, delete and show udptun tunnels
 *
 * Error messages of the kernel are printed unchanged. The form of messages and
 * the exit statuses follow ip of iproute2.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>

#include "channel.h"
#include "error.h"
#include "keywords.h"
#include "show.h"
#include "tunnel.h"

static const char usage[] =
	"Usage: udptunctl add NAME local ADDR remote ADDR port PORT [ OPTIONS ]\n"
	"       udptunctl set NAME OPTIONS\n"
	"       udptunctl del NAME\n"
	"       udptunctl [ -j ] [ -s ] show [ NAME ]\n";

static const struct program udptunctl = { .help = "udptunctl help" };

static void print_usage(FILE *stream)
{
	fprintf(stream, "%s\n", usage);
	print_keywords(stream, &udptunctl);
}

static void parse_or_exit(struct config *config, char **arguments)
{
	if (!parse_keywords(config, arguments, &udptunctl))
		exit(STATUS_ARGUMENT);
}

static void check_name(const char *name)
{
	if (!*name || strlen(name) >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, "..") ||
	    strpbrk(name, "/: \t\n\v\f\r"))
		exit_argument("argument \"%s\" is wrong: a device name has 1 to %d characters, %s",
			      name, IFNAMSIZ - 1, "none of them a blank, slash or colon");
}

static void add(const char *name, char **arguments)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *request;
	struct channel channel;
	struct config config;

	check_name(name);
	parse_or_exit(&config, arguments);
	open_channel(&channel);
	channel.module = *config.kind ? config.kind : UDPTUN_KIND;
	request = new_request(buffer, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 0);
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	put_config(request, &config);
	send_request_or_exit(&channel, request, NULL, NULL);
}

static void set(const char *name, char **arguments)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *request;
	struct channel channel;
	struct tunnel tunnel;
	struct config config;

	if (!*arguments)
		exit_argument("\"set\" needs at least one option, try \"udptunctl help\"");
	parse_or_exit(&config, arguments);
	open_channel(&channel);
	find_tunnel(&channel, name, &tunnel);
	if (*config.kind && strcmp(config.kind, tunnel.config.kind))
		exit_argument("the kind of \"%s\" is %s and cannot be changed", name,
			      tunnel.config.kind);
	memcpy(config.kind, tunnel.config.kind, sizeof(config.kind));
	request = new_request(buffer, RTM_NEWLINK, NLM_F_ACK, tunnel.index);
	put_config(request, &config);
	send_request_or_exit(&channel, request, NULL, NULL);
}

static void delete(const char *name, char **arguments)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *request;
	struct channel channel;
	struct tunnel tunnel;

	if (*arguments)
		exit_argument("unexpected argument \"%s\": \"del\" takes one device name",
			      *arguments);
	open_channel(&channel);
	find_tunnel(&channel, name, &tunnel);
	request = new_request(buffer, RTM_DELLINK, NLM_F_ACK, tunnel.index);
	send_request_or_exit(&channel, request, NULL, NULL);
}

static void show(const char *name, char **arguments, const struct format *format)
{
	struct tunnels tunnels = { 0 };
	struct channel channel;
	struct tunnel tunnel;

	if (name && *arguments)
		exit_argument("unexpected argument \"%s\": \"show\" takes one device name",
			      *arguments);
	open_channel(&channel);
	if (name) {
		find_tunnel(&channel, name, &tunnel);
		show_tunnels(&(struct tunnels){ .count = 1, .list = &tunnel }, format);
	} else {
		find_all_tunnels(&channel, &tunnels);
		show_tunnels(&tunnels, format);
		free(tunnels.list);
	}
}

static bool is_any_of(const char *word, const char *one, const char *other)
{
	return !strcmp(word, one) || !strcmp(word, other);
}

/* Take "-j" or "-s". Return false if the word is neither. */
static bool take_option(const char *word, struct format *format)
{
	if (is_any_of(word, "-j", "-json") || !strcmp(word, "--json"))
		format->json = true;
	else if (is_any_of(word, "-s", "-stats") || is_any_of(word, "-statistics", "--stats"))
		format->stats = true;
	else
		return false;
	return true;
}

/* Take the options among the arguments of "show", and remove them. */
static void take_options(char **arguments, struct format *format)
{
	char **kept = arguments;

	for (; *arguments; arguments++) {
		if (!take_option(*arguments, format))
			*kept++ = *arguments;
	}
	*kept = NULL;
}

/* Return the exit status: a failed write to standard output is an error. */
static int finish(void)
{
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "Cannot write: %s\n", strerror(errno));
		return STATUS_ARGUMENT;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *command, *name;
	struct format format = { 0 };
	char **arguments = argv + 1;

	while (argc > 1 && *arguments && take_option(*arguments, &format))
		arguments++;
	command = *arguments;
	if (!command) {
		print_usage(stderr);
		return STATUS_ARGUMENT;
	}
	arguments++;
	if (!strcmp(command, "help") || is_any_of(command, "-h", "--help")) {
		print_usage(stdout);
		return finish();
	}
	if (!strcmp(command, "show")) {
		take_options(arguments, &format);
		name = *arguments;
		show(name, name ? arguments + 1 : arguments, &format);
		return finish();
	}
	if (format.json || format.stats)
		exit_argument("\"%s\" is valid only with \"show\"", format.json ? "-j" : "-s");
	name = *arguments;
	if (!is_any_of(command, "add", "set") && strcmp(command, "del"))
		exit_argument("command \"%s\" is unknown, try \"udptunctl help\"", command);
	if (!name)
		exit_argument("\"%s\" needs a device name, try \"udptunctl help\"", command);
	arguments++;
	if (!strcmp(command, "add"))
		add(name, arguments);
	else if (!strcmp(command, "set"))
		set(name, arguments);
	else
		delete(name, arguments);
	return 0;
}
