/* SPDX-License-Identifier: GPL-2.0 */
/* The attributes of a tunnel, which both the command line and the kernel give. */
#ifndef _UDPTUNCTL_ATTRIBUTE_H
#define _UDPTUNCTL_ATTRIBUTE_H

#include <netinet/in.h>
#include <stdint.h>

#include "uapi/udptun.h"

struct attribute {
	uint16_t length;		/* 0: it is not there */
	unsigned char value[sizeof(struct in6_addr)];
};

/* The word for a value of enum udptun_df; NULL for one that has none. */
const char *df_word(unsigned long df);

#endif /* _UDPTUNCTL_ATTRIBUTE_H */
