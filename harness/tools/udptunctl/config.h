/* SPDX-License-Identifier: GPL-2.0 */
/* The configuration of a tunnel, as the attributes that the kernel takes and reports. */
#ifndef _UDPTUNCTL_CONFIG_H
#define _UDPTUNCTL_CONFIG_H

#include <netinet/in.h>
#include <stdint.h>

#include "uapi/udptun.h"

/* One attribute, in the byte order of the message. */
struct attribute {
	uint16_t length;		/* bytes; 0: absent */
	unsigned char value[sizeof(struct in6_addr)];
};

struct config {
	struct attribute attribute[IFLA_UDPTUN_MAX + 1];
	uint32_t mtu;			/* bytes; 0: absent */
};

/* Return the name of a value of enum udptun_df, or NULL if the value is unknown. */
const char *df_name(unsigned long df);

#endif /* _UDPTUNCTL_CONFIG_H */
