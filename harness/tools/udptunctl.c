// SPDX-License-Identifier: GPL-2.0
/*
 * udptunctl - makes, changes, removes and shows udptun tunnels
 *
 * Arguments are checked for what they are: a number, an address, a device that
 * exists. Whether they make a tunnel is for the kernel to say; its sentence is
 * printed as it comes. Messages and exit statuses are those of iproute2's ip.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "uapi/udptun.h"

/* Exit statuses: 0, or what went wrong. */
#define WRONG_ARGUMENT	1
#define KERNEL_REFUSED	2

#define ANSWER_SIZE	32768

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

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

__attribute__((noreturn, format(printf, 1, 2)))
static void wrong(const char *format, ...)
{
	va_list arguments;

	fputs("Error: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(WRONG_ARGUMENT);
}

__attribute__((noreturn))
static void no_device(const char *name)
{
	fprintf(stderr, "Cannot find device \"%s\"\n", name);
	exit(WRONG_ARGUMENT);
}

/*
 * A tunnel as the command line has it
 */

struct attribute {
	uint16_t length;		/* 0: it is not there */
	unsigned char value[sizeof(struct in6_addr)];
};

struct config {
	struct attribute attribute[IFLA_UDPTUN_MAX + 1];
	uint32_t mtu;			/* 0: not given */
	const char *said[IFLA_UDPTUN_MAX + 1];	/* by slot: the word that filled it */
};

struct keyword {
	const char *word;
	const char *wants;		/* what its value is; NULL: it takes none */
	bool (*parse)(struct config *config, const struct keyword *keyword, const char *value);
	uint16_t slot;			/* two words with the same slot exclude each other */
	uint8_t constant;		/* of a word without a value */
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

/* Digits alone: strtoul() itself would take blanks and signs, too. */
static bool parse_number(const char *text, unsigned long min, unsigned long max, unsigned long *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*number = strtoul(text, &end, 0);
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

	if (strcmp(value, "inherit") && (!parse_number(value, 0, UINT8_MAX, &number) || number == 1))
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
		no_device(value);
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

static const char *const df_words[] = {
	[UDPTUN_DF_UNSET] = "unset",
	[UDPTUN_DF_SET] = "set",
	[UDPTUN_DF_INHERIT] = "inherit",
};

static bool parse_df(struct config *config, const struct keyword *keyword, const char *value)
{
	uint8_t df;

	for (df = 0; df < COUNT(df_words); df++) {
		if (!strcmp(value, df_words[df])) {
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
#define MTU_SLOT	IFLA_UDPTUN_UNSPEC	/* a device's own attribute, not ours */

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
	{ "mtu", "a number of bytes from 1", parse_mtu, MTU_SLOT, 0 },
};

static const struct keyword *find_keyword(const char *word)
{
	size_t i;

	for (i = 0; i < COUNT(keywords); i++) {
		if (!strcmp(word, keywords[i].word))
			return &keywords[i];
	}
	wrong("\"%s\" is unknown here, try \"udptunctl help\"", word);
}

static void parse_config(struct config *config, char **words)
{
	memset(config, 0, sizeof(*config));
	while (*words) {
		const struct keyword *keyword = find_keyword(*words++);
		const char *earlier = config->said[keyword->slot];
		const char *value = NULL;

		if (earlier && strcmp(earlier, keyword->word))
			wrong("\"%s\" contradicts \"%s\"", keyword->word, earlier);
		if (earlier)
			wrong("\"%s\" is given twice", keyword->word);
		if (keyword->wants) {
			value = *words;
			if (!value)
				wrong("\"%s\" lacks its value, %s", keyword->word, keyword->wants);
			words++;
		}
		if (!keyword->parse(config, keyword, value))
			wrong("argument \"%s\" is wrong: \"%s\" takes %s", value, keyword->word,
			      keyword->wants);
		config->said[keyword->slot] = keyword->word;
	}
}

/*
 * Talking to the kernel
 */

struct channel {
	struct mnl_socket *socket;
	uint32_t sequence;
	bool told;		/* the kernel's own sentence has been printed */
	void *result;		/* where the answers go */
};

static void open_channel(struct channel *channel)
{
	int on = 1;

	memset(channel, 0, sizeof(*channel));
	channel->socket = mnl_socket_open(NETLINK_ROUTE);
	if (!channel->socket || mnl_socket_bind(channel->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		fprintf(stderr, "Cannot open netlink socket: %s\n", strerror(errno));
		exit(KERNEL_REFUSED);
	}
	channel->sequence = (uint32_t)time(NULL);
	/* A kernel without them is merely less talkative. */
	mnl_socket_setsockopt(channel->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(channel->socket, NETLINK_CAP_ACK, &on, sizeof(on));
}

static int find_text(const struct nlattr *attribute, void *data)
{
	const char **text = data;

	if (mnl_attr_get_type(attribute) == NLMSGERR_ATTR_MSG &&
	    mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) >= 0)
		*text = mnl_attr_get_str(attribute);
	return MNL_CB_OK;
}

/* The sentence that comes with an answer, or NULL. */
static const char *kernel_text(const struct nlmsghdr *answer)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);
	size_t offset = sizeof(*error);
	const char *text = NULL;

	if (!(answer->nlmsg_flags & NLM_F_ACK_TLVS))
		return NULL;
	if (!(answer->nlmsg_flags & NLM_F_CAPPED))
		offset += mnl_nlmsg_get_payload_len(&error->msg);
	mnl_attr_parse(answer, (unsigned int)offset, find_text, &text);
	return text && *text ? text : NULL;
}

/* The kernel does not name the kind that it does not know, and has looked for its module, too. */
static const char *hint(const char *text)
{
	return strcmp(text, "Unknown device type") ? "" : " (the module " UDPTUN_KIND " is not installed)";
}

static int on_error(const struct nlmsghdr *answer, void *data)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(answer);
	struct channel *channel = data;
	const char *text;

	if (mnl_nlmsg_get_payload_len(answer) < sizeof(*error)) {
		errno = EBADMSG;
		return MNL_CB_ERROR;
	}
	text = kernel_text(answer);
	if (text)
		fprintf(stderr, "%s: %s%s\n", error->error ? "Error" : "Warning", text, hint(text));
	if (!error->error)
		return MNL_CB_STOP;
	channel->told = text;
	errno = -error->error;
	return MNL_CB_ERROR;
}

/* Send a request; on_answer, called with the channel, puts answers into result. 0 or an errno. */
static int ask(struct channel *channel, struct nlmsghdr *request, mnl_cb_t on_answer,
	       void *result)
{
	mnl_cb_t control[] = { [NLMSG_ERROR] = on_error };	/* the rest is left to libmnl */
	unsigned int port = mnl_socket_get_portid(channel->socket);
	char buffer[ANSWER_SIZE];
	ssize_t length;
	int state;

	request->nlmsg_seq = ++channel->sequence;
	channel->told = false;
	channel->result = result;
	if (mnl_socket_sendto(channel->socket, request, request->nlmsg_len) < 0)
		return errno;
	do {
		length = mnl_socket_recvfrom(channel->socket, buffer, sizeof(buffer));
		if (length < 0)
			return errno;
		state = mnl_cb_run2(buffer, (size_t)length, request->nlmsg_seq, port, on_answer,
				    channel, control, COUNT(control));
	} while (state > MNL_CB_STOP);
	return state < 0 ? errno : 0;
}

/* As ask(), for a request that has to succeed. */
static void demand(struct channel *channel, struct nlmsghdr *request, mnl_cb_t on_answer,
		   void *result)
{
	int error = ask(channel, request, on_answer, result);

	if (!error)
		return;
	if (!channel->told)
		fprintf(stderr, "RTNETLINK answers: %s\n", strerror(error));
	exit(KERNEL_REFUSED);
}

static struct nlmsghdr *new_request(void *buffer, uint16_t type, uint16_t flags, int index)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info;

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | flags;
	info = mnl_nlmsg_put_extra_header(request, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = index;
	return request;
}

/*
 * Tunnels as the kernel reports them
 */

struct tunnel {
	int index;
	bool up;
	uint32_t mtu;
	bool elsewhere;			/* it was made in another namespace, */
	int32_t netns;			/* which has this number here; -1: none */
	char name[IFNAMSIZ];
	char kind[IFNAMSIZ];
	struct attribute attribute[IFLA_UDPTUN_MAX + 1];
};

struct tunnels {
	size_t count;
	struct tunnel *list;
};

static int read_attribute(const struct nlattr *attribute, void *data)
{
	uint16_t length = mnl_attr_get_payload_len(attribute);
	uint16_t type = mnl_attr_get_type(attribute);
	struct tunnel *tunnel = data;

	/* What a newer kernel may add is left out. */
	if (type > IFLA_UDPTUN_MAX || length > sizeof(tunnel->attribute[type].value))
		return MNL_CB_OK;
	tunnel->attribute[type].length = length;
	memcpy(tunnel->attribute[type].value, mnl_attr_get_payload(attribute), length);
	return MNL_CB_OK;
}

static int read_kind(const struct nlattr *attribute, void *data)
{
	struct tunnel *tunnel = data;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_INFO_KIND:
		snprintf(tunnel->kind, sizeof(tunnel->kind), "%s", mnl_attr_get_str(attribute));
		break;
	case IFLA_INFO_DATA:
		mnl_attr_parse_nested(attribute, read_attribute, tunnel);
		break;
	}
	return MNL_CB_OK;
}

static int read_link(const struct nlattr *attribute, void *data)
{
	struct tunnel *tunnel = data;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_IFNAME:
		snprintf(tunnel->name, sizeof(tunnel->name), "%s", mnl_attr_get_str(attribute));
		break;
	case IFLA_MTU:
		tunnel->mtu = mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINK_NETNSID:
		tunnel->elsewhere = true;
		tunnel->netns = (int32_t)mnl_attr_get_u32(attribute);
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attribute, read_kind, tunnel);
		break;
	}
	return MNL_CB_OK;
}

static void read_device(const struct nlmsghdr *answer, struct tunnel *tunnel)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(answer);

	memset(tunnel, 0, sizeof(*tunnel));
	tunnel->index = info->ifi_index;
	tunnel->up = info->ifi_flags & IFF_UP;
	mnl_attr_parse(answer, sizeof(*info), read_link, tunnel);
}

static int on_device(const struct nlmsghdr *answer, void *data)
{
	struct channel *channel = data;

	read_device(answer, channel->result);
	return MNL_CB_OK;
}

static int on_dumped_device(const struct nlmsghdr *answer, void *data)
{
	struct channel *channel = data;
	struct tunnels *tunnels = channel->result;
	struct tunnel tunnel, *list;

	read_device(answer, &tunnel);
	if (strcmp(tunnel.kind, UDPTUN_KIND))
		return MNL_CB_OK;
	list = realloc(tunnels->list, (tunnels->count + 1) * sizeof(*list));
	if (!list)
		return MNL_CB_ERROR;
	tunnels->list = list;
	tunnels->list[tunnels->count++] = tunnel;
	return MNL_CB_OK;
}

/* The device of that name, which has to be a tunnel: del would end any other as willingly. */
static void find_tunnel(struct channel *channel, const char *name, struct tunnel *tunnel)
{
	char buffer[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *request;
	unsigned int index = if_nametoindex(name);

	if (!index)
		no_device(name);
	request = new_request(buffer, RTM_GETLINK, NLM_F_ACK, (int)index);
	demand(channel, request, on_device, tunnel);
	if (strcmp(tunnel->kind, UDPTUN_KIND))
		wrong("\"%s\" is not a udptun device", name);
}

static void find_all_tunnels(struct channel *channel, struct tunnels *tunnels)
{
	char buffer[MNL_SOCKET_BUFFER_SIZE];
	struct nlattr *information;
	struct nlmsghdr *request;
	int error;

	do {
		tunnels->count = 0;
		request = new_request(buffer, RTM_GETLINK, NLM_F_DUMP, 0);
		information = mnl_attr_nest_start(request, IFLA_LINKINFO);
		mnl_attr_put_strz(request, IFLA_INFO_KIND, UDPTUN_KIND);
		mnl_attr_nest_end(request, information);
		error = ask(channel, request, on_dumped_device, tunnels);
	} while (error == EINTR);	/* devices came or went meanwhile */
	/* Asked for a kind that is not loaded, the kernel may say so: there are none of it. */
	if (error && error != EOPNOTSUPP) {
		if (!channel->told)
			fprintf(stderr, "RTNETLINK answers: %s\n", strerror(error));
		exit(KERNEL_REFUSED);
	}
}

/*
 * Showing tunnels: as the arguments that would make them, or as JSON
 */

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

static void print_word(bool json, const char *key, const char *value)
{
	if (json) {
		printf(",\"%s\":", key);
		print_string(value);
	} else {
		printf(" %s %s", key, value);
	}
}

static void print_number(bool json, const char *key, unsigned long value)
{
	printf(json ? ",\"%s\":%lu" : " %s %lu", key, value);
}

static void print_flag(bool json, const char *key, bool value)
{
	if (json)
		printf(",\"%s\":%s", key, value ? "true" : "false");
	else
		printf(" %s%s", value ? "" : "no", key);
}

/* The value of a number attribute in host order; false when the kernel does not report it. */
static bool get_number(const struct tunnel *tunnel, uint16_t type, unsigned long *number)
{
	const struct attribute *attribute = &tunnel->attribute[type];
	uint16_t port;
	uint32_t word;

	switch (attribute->length) {
	case sizeof(uint8_t):
		*number = attribute->value[0];
		return true;
	case sizeof(port):
		memcpy(&port, attribute->value, sizeof(port));
		*number = ntohs(port);
		return true;
	case sizeof(word):
		memcpy(&word, attribute->value, sizeof(word));
		*number = type == IFLA_UDPTUN_LINK ? word : ntohl(word);
		return true;
	default:
		return false;
	}
}

static void show_address(const struct tunnel *tunnel, bool json, const char *key,
			 uint16_t ipv4, uint16_t ipv6)
{
	const struct attribute *four = &tunnel->attribute[ipv4], *six = &tunnel->attribute[ipv6];
	char text[INET6_ADDRSTRLEN];

	if (four->length == sizeof(struct in_addr))
		print_word(json, key, inet_ntop(AF_INET, four->value, text, sizeof(text)));
	else if (six->length == sizeof(struct in6_addr))
		print_word(json, key, inet_ntop(AF_INET6, six->value, text, sizeof(text)));
}

static void show_number(const struct tunnel *tunnel, bool json, const char *key, uint16_t type)
{
	unsigned long number;

	if (get_number(tunnel, type, &number))
		print_number(json, key, number);
}

/* A number of which one value stands for "inherit". */
static void show_inheritable(const struct tunnel *tunnel, bool json, const char *key, uint16_t type,
			     unsigned long inherit)
{
	unsigned long number;

	if (!get_number(tunnel, type, &number))
		return;
	if (number == inherit)
		print_word(json, key, "inherit");
	else
		print_number(json, key, number);
}

static void show_flowlabel(const struct tunnel *tunnel, bool json)
{
	unsigned long inherit = 0, label;

	get_number(tunnel, IFLA_UDPTUN_FLOWLABEL_INHERIT, &inherit);
	if (inherit)
		print_word(json, "flowlabel", "inherit");
	else if (get_number(tunnel, IFLA_UDPTUN_FLOWLABEL, &label) && json)
		print_number(json, "flowlabel", label);
	else if (get_number(tunnel, IFLA_UDPTUN_FLOWLABEL, &label))
		printf(" flowlabel 0x%05lx", label);
}

static void show_flag(const struct tunnel *tunnel, bool json, const char *key, uint16_t type)
{
	unsigned long number;

	if (get_number(tunnel, type, &number))
		print_flag(json, key, number);
}

/* An index means nothing here when the tunnel's socket is in another namespace. */
static void show_device(const struct tunnel *tunnel, bool json)
{
	char name[IFNAMSIZ];
	unsigned long index;

	if (!get_number(tunnel, IFLA_UDPTUN_LINK, &index) || !index)
		return;
	if (tunnel->elsewhere || !if_indextoname((unsigned int)index, name))
		snprintf(name, sizeof(name), "if%u", (unsigned int)index);
	print_word(json, "dev", name);
}

static void show_df(const struct tunnel *tunnel, bool json)
{
	unsigned long df;

	if (get_number(tunnel, IFLA_UDPTUN_DF, &df) && df < COUNT(df_words))
		print_word(json, "df", df_words[df]);
}

static void show_tunnel(const struct tunnel *tunnel, bool json)
{
	if (json) {
		printf("{\"ifindex\":%d,\"ifname\":", tunnel->index);
		print_string(tunnel->name);
		print_flag(json, "up", tunnel->up);
		if (tunnel->elsewhere)
			printf(",\"link_netnsid\":%d", tunnel->netns);
	} else {
		printf("%s", tunnel->name);
	}
	show_address(tunnel, json, "local", IFLA_UDPTUN_LOCAL, IFLA_UDPTUN_LOCAL6);
	show_address(tunnel, json, "remote", IFLA_UDPTUN_REMOTE, IFLA_UDPTUN_REMOTE6);
	show_number(tunnel, json, "port", IFLA_UDPTUN_LOCAL_PORT);
	show_number(tunnel, json, "remote-port", IFLA_UDPTUN_REMOTE_PORT);
	show_inheritable(tunnel, json, "ttl", IFLA_UDPTUN_TTL, 0);
	show_inheritable(tunnel, json, "tos", IFLA_UDPTUN_TOS, 1);
	show_flowlabel(tunnel, json);
	show_flag(tunnel, json, "csum", IFLA_UDPTUN_UDP_CSUM);
	show_flag(tunnel, json, "zerocsum6tx", IFLA_UDPTUN_UDP_ZERO_CSUM6_TX);
	show_flag(tunnel, json, "zerocsum6rx", IFLA_UDPTUN_UDP_ZERO_CSUM6_RX);
	show_device(tunnel, json);
	show_df(tunnel, json);
	print_number(json, "mtu", tunnel->mtu);
	fputs(json ? "}" : "\n", stdout);
}

static void show_tunnels(const struct tunnels *tunnels, bool json)
{
	size_t i;

	if (json)
		putchar('[');
	for (i = 0; i < tunnels->count; i++) {
		if (json && i)
			putchar(',');
		show_tunnel(&tunnels->list[i], json);
	}
	if (json)
		puts("]");
}

/*
 * The commands
 */

static void check_name(const char *name)
{
	if (!*name || strlen(name) >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, "..") ||
	    strpbrk(name, "/: \t\n\v\f\r"))
		wrong("argument \"%s\" is wrong: a device's name is 1 to %d characters"
		      " without blank, slash or colon", name, IFNAMSIZ - 1);
}

static void put_config(struct nlmsghdr *request, const struct config *config)
{
	struct nlattr *information, *data;
	uint16_t type;

	if (config->mtu)
		mnl_attr_put_u32(request, IFLA_MTU, config->mtu);
	information = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, UDPTUN_KIND);
	data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	for (type = 0; type <= IFLA_UDPTUN_MAX; type++) {
		const struct attribute *attribute = &config->attribute[type];

		if (attribute->length)
			mnl_attr_put(request, type, attribute->length, attribute->value);
	}
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, information);
}

static void add(const char *name, char **words)
{
	char buffer[MNL_SOCKET_BUFFER_SIZE];
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
	char buffer[MNL_SOCKET_BUFFER_SIZE];
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
	char buffer[MNL_SOCKET_BUFFER_SIZE];
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
