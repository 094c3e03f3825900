/* SPDX-License-Identifier: GPL-2.0 */
/* Parse the options of "add" and "set". */
#ifndef _UDPTUNCTL_ARGUMENTS_H
#define _UDPTUNCTL_ARGUMENTS_H

#include "config.h"

/*
 * Parse all arguments up to the terminating NULL into a configuration. Exit with
 * STATUS_ARGUMENT if one is wrong.
 */
void parse_config(struct config *config, char **arguments);

#endif /* _UDPTUNCTL_ARGUMENTS_H */
