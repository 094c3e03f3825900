// SPDX-License-Identifier: GPL-2.0
/* The packet format: the template of the outer headers. */

#include <kunit/visibility.h>

#include "header.h"

/* Fill in the fields that are the same in each packet. */
void udptun_header_init(union udptun_header *header,
			const struct udptun_params *params)
{
	struct udphdr *udp;

	memset(header, 0, sizeof(*header));
	if (params->family == AF_INET) {
		header->v4.ip.version = 4;
		header->v4.ip.ihl = sizeof(struct iphdr) / 4;
		header->v4.ip.protocol = IPPROTO_UDP;
		header->v4.ip.saddr = params->local.v4;
		header->v4.ip.daddr = params->remote.v4;
		udp = &header->v4.udp;
	} else {
		header->v6.ip.nexthdr = IPPROTO_UDP;
		header->v6.ip.saddr = params->local.v6;
		header->v6.ip.daddr = params->remote.v6;
		udp = &header->v6.udp;
	}
	udp->source = params->local_port;
	udp->dest = params->remote_port;
}
EXPORT_SYMBOL_IF_KUNIT(udptun_header_init);
