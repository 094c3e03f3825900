/* SPDX-License-Identifier: GPL-2.0 */
/* The tunnels of the kernel: encode a configuration, read devices. */
#ifndef _UDPTUNCTL_TUNNEL_H
#define _UDPTUNCTL_TUNNEL_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include <linux/if_link.h>

#include "channel.h"
#include "config.h"

struct tunnel {
	int index;
	bool up;
	bool foreign;			/* the socket is in another network namespace */
	int32_t netns;			/* id of that namespace; -1: none is assigned here */
	char name[IFNAMSIZ];
	struct config config;
	struct rtnl_link_stats64 stats;	/* counters that every device has */
	struct udptun_xstats xstats;	/* udptun's own */
};

struct tunnels {
	size_t count;
	struct tunnel *list;
};

/* Append a tunnel's kind and configuration to a request. */
void put_config(struct nlmsghdr *request, const struct config *config);

/*
 * Find the tunnel of this name. Exit with STATUS_ARGUMENT if there is no such
 * device or if it is of another kind: "del" would delete any kind of device.
 */
void find_tunnel(struct channel *channel, const char *name, struct tunnel *tunnel);

/* Find all tunnels of this network namespace. The caller frees the list. */
void find_all_tunnels(struct channel *channel, struct tunnels *tunnels);

#endif /* _UDPTUNCTL_TUNNEL_H */
