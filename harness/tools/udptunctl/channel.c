// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <linux/rtnetlink.h>

#include "channel.h"
#include "error.h"

#define ANSWER_SIZE	32768

void open_channel(struct channel *channel)
{
	int on = 1;

	memset(channel, 0, sizeof(*channel));
	channel->socket = mnl_socket_open(NETLINK_ROUTE);
	if (!channel->socket || mnl_socket_bind(channel->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		fprintf(stderr, "Cannot open netlink socket: %s\n", strerror(errno));
		exit(STATUS_KERNEL);
	}
	channel->sequence = (uint32_t)time(NULL);
	/* A kernel that lacks these options sends no error messages. */
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

/* Return the extended ACK message of an answer, or NULL. */
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

/* Print the kernel's message. It does not name a kind that is unknown. */
static void print_message(const struct channel *channel, const char *prefix, const char *text)
{
	fprintf(stderr, "%s: %s", prefix, text);
	/* The kernel has already tried to load the module. */
	if (channel->module && !strcmp(text, "Unknown device type"))
		fprintf(stderr, " (the module %s is not installed)", channel->module);
	fputc('\n', stderr);
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
		print_message(channel, error->error ? "Error" : "Warning", text);
	if (!error->error)
		return MNL_CB_STOP;
	channel->reported = text;
	errno = -error->error;
	return MNL_CB_ERROR;
}

int send_request(struct channel *channel, struct nlmsghdr *request, mnl_cb_t on_answer,
		 void *result)
{
	mnl_cb_t control[] = { [NLMSG_ERROR] = on_error };	/* libmnl handles the rest */
	unsigned int port = mnl_socket_get_portid(channel->socket);
	char buffer[ANSWER_SIZE];
	ssize_t length;
	int state;

	request->nlmsg_seq = ++channel->sequence;
	channel->reported = false;
	channel->result = result;
	if (mnl_socket_sendto(channel->socket, request, request->nlmsg_len) < 0)
		return errno;
	do {
		length = mnl_socket_recvfrom(channel->socket, buffer, sizeof(buffer));
		if (length < 0)
			return errno;
		state = mnl_cb_run2(buffer, (size_t)length, request->nlmsg_seq, port, on_answer,
				    channel, control, NLMSG_ERROR + 1);
	} while (state > MNL_CB_STOP);
	return state < 0 ? errno : 0;
}

void exit_rejected(const struct channel *channel, int error)
{
	if (!channel->reported)
		fprintf(stderr, "RTNETLINK answers: %s\n", strerror(error));
	exit(STATUS_KERNEL);
}

void send_request_or_exit(struct channel *channel, struct nlmsghdr *request, mnl_cb_t on_answer,
			  void *result)
{
	int error = send_request(channel, request, on_answer, result);

	if (error)
		exit_rejected(channel, error);
}

struct nlmsghdr *new_request(void *buffer, uint16_t type, uint16_t flags, int index)
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
