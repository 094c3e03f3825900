// SPDX-License-Identifier: GPL-2.0
/*
 * udptunctl - makes, changes, removes and shows udptun tunnels
 *
 * The kernel's sentence on what it refuses is printed as it comes. Messages and
 * exit statuses are those of iproute2's ip.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/rtnetlink.h>

#include "channel.h"
#include "error.h"
#include "show.h"
#include "tunnel.h"
#include "words.h"

static const char usage[] =
	"Usage: udptunctl add NAME local ADDR remote ADDR port PORT [ OPTIONS ]\n"
	"       udptunctl set NAME OPTIONS\n"
	"       udptunctl del NAME\n"
	"       udptunctl [ -j ] show [ NAME ]\n"
	"\n"
	"OPTIONS := [ local ADDR ] [ remote ADDR ] [ port PORT ] [ remote-port PORT ]\n"
	"           [ ttl { 1..255 | inherit } ] [ tos { 0..255 | inherit } ]\n"
	"           [ flowlabel { 0..0xfffff | inherit } ] [ csum | nocsum ]\n"
	"           [ zerocsum6tx | nozerocsum6tx ] [ zerocsum6rx | nozerocsum6rx ]\n"
	"           [ dev DEVICE | nodev ] [ df { set | unset | inherit } ] [ mtu BYTES ]\n";

static void check_name(const char *name)
{
	if (!*name || strlen(name) >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, "..") ||
	    strpbrk(name, "/: \t\n\v\f\r"))
		wrong("argument \"%s\" is wrong: a device's name is 1 to %d characters %s", name,
		      IFNAMSIZ - 1, "without blank, slash or colon");
}

static void add(const char *name, char **words)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *request;
	struct channel channel;
	struct config config;

	check_name(name);
	parse_config(&config, words);
	open_channel(&channel);
	request = new_request(buffer, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 0);
	mnl_attr_put_strz(request, IFLA_IFNAME, name);
	put_config(request, &config);
	demand(&channel, request, NULL, NULL);
}

static void set(const char *name, char **words)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *request;
	struct channel channel;
	struct tunnel tunnel;
	struct config config;

	if (!*words)
		wrong("nothing is said that \"%s\" should change, try \"udptunctl help\"", name);
	parse_config(&config, words);
	open_channel(&channel);
	find_tunnel(&channel, name, &tunnel);
	request = new_request(buffer, RTM_NEWLINK, NLM_F_ACK, tunnel.index);
	put_config(request, &config);
	demand(&channel, request, NULL, NULL);
}

static void delete(const char *name, char **words)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *request;
	struct channel channel;
	struct tunnel tunnel;

	if (*words)
		wrong("\"%s\" is one too many: \"del\" takes the name of one device", *words);
	open_channel(&channel);
	find_tunnel(&channel, name, &tunnel);
	request = new_request(buffer, RTM_DELLINK, NLM_F_ACK, tunnel.index);
	demand(&channel, request, NULL, NULL);
}

static void show(const char *name, char **words, bool json)
{
	struct tunnels tunnels = { 0 };
	struct channel channel;
	struct tunnel tunnel;

	if (name && *words)
		wrong("\"%s\" is one too many: \"show\" takes the name of one device", *words);
	open_channel(&channel);
	if (name) {
		find_tunnel(&channel, name, &tunnel);
		show_tunnels(&(struct tunnels){ .count = 1, .list = &tunnel }, json);
	} else {
		find_all_tunnels(&channel, &tunnels);
		show_tunnels(&tunnels, json);
		free(tunnels.list);
	}
}

static bool is_any_of(const char *word, const char *one, const char *other)
{
	return !strcmp(word, one) || !strcmp(word, other);
}

static bool is_json_option(const char *word)
{
	return word && (is_any_of(word, "-j", "-json") || !strcmp(word, "--json"));
}

/* Take -j out of the words of "show", wherever it stands. */
static bool take_json(char **words)
{
	bool found = false;
	char **kept = words;

	for (; *words; words++) {
		if (is_json_option(*words))
			found = true;
		else
			*kept++ = *words;
	}
	*kept = NULL;
	return found;
}

/* What is printed counts only when it arrived. */
static int finish(void)
{
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "Cannot write: %s\n", strerror(errno));
		return WRONG_ARGUMENT;
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *command, *name;
	bool json = false;
	char **words = argv + 1;

	while (argc > 1 && is_json_option(*words)) {
		json = true;
		words++;
	}
	command = *words;
	if (!command) {
		fputs(usage, stderr);
		return WRONG_ARGUMENT;
	}
	words++;
	if (!strcmp(command, "help") || is_any_of(command, "-h", "--help")) {
		fputs(usage, stdout);
		return finish();
	}
	if (!strcmp(command, "show")) {
		json |= take_json(words);
		name = *words;
		show(name, name ? words + 1 : words, json);
		return finish();
	}
	if (json)
		wrong("\"-j\" goes with \"show\" alone");
	name = *words;
	if (!is_any_of(command, "add", "set") && strcmp(command, "del"))
		wrong("command \"%s\" is unknown, try \"udptunctl help\"", command);
	if (!name)
		wrong("\"%s\" lacks the name of the device, try \"udptunctl help\"", command);
	words++;
	if (!strcmp(command, "add"))
		add(name, words);
	else if (!strcmp(command, "set"))
		set(name, words);
	else
		delete(name, words);
	return 0;
}
