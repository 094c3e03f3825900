/* SPDX-License-Identifier: GPL-2.0 */
/* Tunnels as the kernel has them. */
#ifndef _UDPTUNCTL_TUNNEL_H
#define _UDPTUNCTL_TUNNEL_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "attribute.h"
#include "channel.h"
#include "words.h"

struct tunnel {
	int index;
	bool up;
	uint32_t mtu;
	bool elsewhere;			/* it was made in another namespace, */
	int32_t netns;			/* which has this number here; -1: none */
	char name[IFNAMSIZ];
	char kind[IFNAMSIZ];
	struct attribute attribute[IFLA_UDPTUN_MAX + 1];
};

struct tunnels {
	size_t count;
	struct tunnel *list;
};

/* Say in a request what the tunnel is to be. */
void put_config(struct nlmsghdr *request, const struct config *config);

/*
 * The tunnel of that name; when there is none, or another kind of device, the program ends:
 * del would end any other as willingly.
 */
void find_tunnel(struct channel *channel, const char *name, struct tunnel *tunnel);

/* All tunnels here; the list is to be freed. */
void find_all_tunnels(struct channel *channel, struct tunnels *tunnels);

#endif /* _UDPTUNCTL_TUNNEL_H */
