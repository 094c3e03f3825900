/* SPDX-License-Identifier: GPL-2.0 */
/* The configuration of a tunnel, as the attributes that the kernel takes and reports. */
#ifndef _UDPTUN_CONFIG_H
#define _UDPTUN_CONFIG_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

#include "uapi/udptun.h"

#define KIND_SIZE	16		/* longer kinds are none of ours */

/* One attribute, in the byte order of the message. */
struct attribute {
	uint16_t length;		/* bytes; 0: absent */
	unsigned char value[sizeof(struct in6_addr)];
};

struct config {
	struct attribute attribute[IFLA_UDPTUN_MAX + 1];
	uint32_t mtu;			/* bytes; 0: absent */
	char kind[KIND_SIZE];		/* "": absent */
};

void set_attribute(struct config *config, uint16_t type, const void *value, uint16_t length);
void set_u8(struct config *config, uint16_t type, uint8_t value);

/* Read a number in host byte order. Return false if it is absent. */
bool get_number(const struct config *config, uint16_t type, unsigned long *number);

/* Store an attribute of IFLA_INFO_DATA. Skip attributes that only a newer kernel has. */
void read_attribute(struct config *config, uint16_t type, const void *value, uint16_t length);

/*
 * Append the contents of IFLA_INFO_DATA to a request in a buffer of this size, in
 * bytes. Return false if the buffer is too small.
 */
bool put_attributes(struct nlmsghdr *request, size_t size, const struct config *config);

/* Is this a kind of device with the attributes above? */
bool is_kind(const char *kind);

/* Return the name of a value of enum udptun_df, or NULL if the value is unknown. */
const char *df_name(unsigned long df);

#endif /* _UDPTUN_CONFIG_H */
