// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "error.h"
#include "tunnel.h"

void put_config(struct nlmsghdr *request, const struct config *config)
{
	struct nlattr *information, *data;

	if (config->mtu)
		mnl_attr_put_u32(request, IFLA_MTU, config->mtu);
	information = mnl_attr_nest_start(request, IFLA_LINKINFO);
	mnl_attr_put_strz(request, IFLA_INFO_KIND, *config->kind ? config->kind : UDPTUN_KIND);
	data = mnl_attr_nest_start(request, IFLA_INFO_DATA);
	if (!put_attributes(request, REQUEST_SIZE, config))
		exit_argument("the request is too long");
	mnl_attr_nest_end(request, data);
	mnl_attr_nest_end(request, information);
}

static int read_option(const struct nlattr *attribute, void *data)
{
	read_attribute(data, mnl_attr_get_type(attribute), mnl_attr_get_payload(attribute),
		       mnl_attr_get_payload_len(attribute));
	return MNL_CB_OK;
}

/* Copy as much of a structure as both the kernel and this program know. */
static void read_structure(const struct nlattr *attribute, void *value, size_t size)
{
	size_t length = mnl_attr_get_payload_len(attribute);

	memcpy(value, mnl_attr_get_payload(attribute), length < size ? length : size);
}

static int read_kind(const struct nlattr *attribute, void *data)
{
	struct tunnel *tunnel = data;

	switch (mnl_attr_get_type(attribute)) {
	case IFLA_INFO_KIND:
		snprintf(tunnel->config.kind, sizeof(tunnel->config.kind), "%s",
			 mnl_attr_get_str(attribute));
		break;
	case IFLA_INFO_DATA:
		mnl_attr_parse_nested(attribute, read_option, &tunnel->config);
		break;
	case IFLA_INFO_XSTATS:
		read_structure(attribute, &tunnel->xstats, sizeof(tunnel->xstats));
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
		tunnel->config.mtu = mnl_attr_get_u32(attribute);
		break;
	case IFLA_STATS64:
		read_structure(attribute, &tunnel->stats, sizeof(tunnel->stats));
		break;
	case IFLA_LINK_NETNSID:
		tunnel->foreign = true;
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
	if (!is_kind(tunnel.config.kind))
		return MNL_CB_OK;
	list = realloc(tunnels->list, (tunnels->count + 1) * sizeof(*list));
	if (!list)
		return MNL_CB_ERROR;
	tunnels->list = list;
	tunnels->list[tunnels->count++] = tunnel;
	return MNL_CB_OK;
}

void find_tunnel(struct channel *channel, const char *name, struct tunnel *tunnel)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *request;
	unsigned int index = if_nametoindex(name);

	if (!index)
		exit_no_device(name);
	request = new_request(buffer, RTM_GETLINK, NLM_F_ACK, (int)index);
	send_request_or_exit(channel, request, on_device, tunnel);
	if (!is_kind(tunnel->config.kind))
		exit_argument("\"%s\" is not a udptun device", name);
}

void find_all_tunnels(struct channel *channel, struct tunnels *tunnels)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *request;
	int error;

	for (;;) {
		tunnels->count = 0;
		request = new_request(buffer, RTM_GETLINK, NLM_F_DUMP, 0);
		error = send_request(channel, request, on_dumped_device, tunnels);
		if (error != EINTR)
			break;
		/* The list of devices changed during the dump: discard the dump and start again. */
		mnl_socket_close(channel->socket);
		open_channel(channel);
	}
	if (error)
		exit_rejected(channel, error);
}
