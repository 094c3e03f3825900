/* SPDX-License-Identifier: GPL-2.0 */
/* Talking to the kernel's rtnetlink, and passing on what it says of a refusal. */
#ifndef _UDPTUNCTL_CHANNEL_H
#define _UDPTUNCTL_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

/* More than any request of ours takes. */
#define REQUEST_SIZE	1024

struct channel {
	struct mnl_socket *socket;
	uint32_t sequence;
	bool told;		/* the kernel's own sentence has been printed */
	void *result;		/* where the answers go */
};

/* Ends the program when it cannot be done. */
void open_channel(struct channel *channel);

/* A request about the device of this index, 0: none, in a buffer of REQUEST_SIZE. */
struct nlmsghdr *new_request(void *buffer, uint16_t type, uint16_t flags, int index);

/* Send a request; on_answer, called with the channel, puts answers into result. 0 or an errno. */
int ask(struct channel *channel, struct nlmsghdr *request, mnl_cb_t on_answer, void *result);

/* As ask(), for a request that has to succeed: an error ends the program. */
void demand(struct channel *channel, struct nlmsghdr *request, mnl_cb_t on_answer, void *result);

/* End the program for an error of ask(), with its name unless the kernel had a sentence for it. */
__attribute__((noreturn))
void refused(const struct channel *channel, int error);

#endif /* _UDPTUNCTL_CHANNEL_H */
