/* SPDX-License-Identifier: GPL-2.0 */
/* The keywords of a tunnel's configuration: parse them, show them, and their usage. */
#ifndef _UDPTUN_KEYWORDS_H
#define _UDPTUN_KEYWORDS_H

#include <stdio.h>

#include "config.h"
#include "values.h"

/* A program that takes the keywords. */
struct program {
	const char *help;	/* the command that prints the usage */
	bool is_ip;		/* ip itself sets what every device has, as its MTU */
};

/*
 * Parse all arguments up to the terminating NULL into a configuration. Return false
 * if one is wrong, after a message on standard error.
 */
bool parse_keywords(struct config *config, char **arguments, const struct program *program);

/* Print a tunnel as the keywords that recreate it. */
void show_keywords(const struct config *config, const struct output *output);

/* Print a list of all keywords. */
void print_keywords(FILE *stream, const struct program *program);

#endif /* _UDPTUN_KEYWORDS_H */
