/* SPDX-License-Identifier: GPL-2.0 */
/* The words that configure a tunnel. */
#ifndef _UDPTUNCTL_WORDS_H
#define _UDPTUNCTL_WORDS_H

#include "attribute.h"

/* A tunnel as the command line has it. */
struct config {
	struct attribute attribute[IFLA_UDPTUN_MAX + 1];
	uint32_t mtu;			/* 0: not given */
	const char *said[IFLA_UDPTUN_MAX + 1];	/* by slot: the word that filled it */
};

/* Read all the words, up to NULL; a wrong one ends the program. */
void parse_config(struct config *config, char **words);

#endif /* _UDPTUNCTL_WORDS_H */
