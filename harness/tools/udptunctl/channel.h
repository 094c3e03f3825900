/* SPDX-License-Identifier: GPL-2.0 */
/* rtnetlink requests, and the error messages that the kernel answers with. */
#ifndef _UDPTUNCTL_CHANNEL_H
#define _UDPTUNCTL_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

/* Size of a request buffer, in bytes. No request of udptunctl needs more. */
#define REQUEST_SIZE	1024

struct channel {
	struct mnl_socket *socket;
	uint32_t sequence;
	bool reported;		/* the kernel's error message has been printed */
	void *result;		/* for on_answer to fill */
	const char *module;	/* module of the requested device, for error messages, or NULL */
};

/* Open the netlink socket. Exit with STATUS_KERNEL on failure. */
void open_channel(struct channel *channel);

/*
 * Start a request in a buffer of REQUEST_SIZE bytes. It is about the device of
 * this index, or about no particular device if index is 0.
 */
struct nlmsghdr *new_request(void *buffer, uint16_t type, uint16_t flags, int index);

/*
 * Send a request and read its answers. on_answer gets the channel as its data and
 * stores the answers in result. Return 0 or an errno value.
 */
int send_request(struct channel *channel, struct nlmsghdr *request, mnl_cb_t on_answer,
		 void *result);

/* Like send_request(), but exit with STATUS_KERNEL on an error. */
void send_request_or_exit(struct channel *channel, struct nlmsghdr *request, mnl_cb_t on_answer,
			  void *result);

/*
 * Exit with STATUS_KERNEL because of an error of send_request(). Print the name
 * of the error unless the kernel's own message has been printed.
 */
__attribute__((noreturn))
void exit_rejected(const struct channel *channel, int error);

#endif /* _UDPTUNCTL_CHANNEL_H */
