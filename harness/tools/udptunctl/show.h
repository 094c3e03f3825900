/* SPDX-License-Identifier: GPL-2.0 */
/* Print tunnels as the arguments that recreate them, or as JSON. */
#ifndef _UDPTUNCTL_SHOW_H
#define _UDPTUNCTL_SHOW_H

#include <stdbool.h>

#include "tunnel.h"

/* What to print of a tunnel. */
struct format {
	bool json;
	bool stats;	/* the counters, too */
};

void show_tunnels(const struct tunnels *tunnels, const struct format *format);

#endif /* _UDPTUNCTL_SHOW_H */
