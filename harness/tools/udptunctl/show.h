/* SPDX-License-Identifier: GPL-2.0 */
/* Print tunnels as the arguments that recreate them, or as JSON. */
#ifndef _UDPTUNCTL_SHOW_H
#define _UDPTUNCTL_SHOW_H

#include <stdbool.h>

#include "tunnel.h"

void show_tunnels(const struct tunnels *tunnels, bool json);

#endif /* _UDPTUNCTL_SHOW_H */
