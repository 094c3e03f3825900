// SPDX-License-Identifier: GPL-2.0
/* Number and size of the packets of a try. */

#include <linux/minmax.h>
#include <linux/module.h>

#include "sizes.h"

#define PAYLOADS_MAX	16

static unsigned int payloads[PAYLOADS_MAX] = { 64, 512, 1400, PAYLOAD_MAX };
static unsigned int payload_count = 4;
module_param_array(payloads, uint, &payload_count, 0444);
MODULE_PARM_DESC(payloads, "payload sizes in bytes (default 64,512,1400,64400); above 1400, one GSO packet");

static unsigned int packets = 32;
module_param(packets, uint, 0444);
MODULE_PARM_DESC(packets, "packets per try (default 32); at most 8 GSO packets");

/**
 * bench_packets() - get the number of packets of a try
 * @payload: payload of each packet, in bytes
 *
 * Context: any.
 *
 * Return: 1 to PACKETS_MAX; 1 to GSO_PACKETS_MAX for GSO packets.
 */
u32 bench_packets(u32 payload)
{
	return payload > SEGMENT_SIZE ? min(packets, GSO_PACKETS_MAX) : packets;
}

/**
 * bench_payload() - get a payload size to measure
 * @index: index into payloads=
 *
 * Context: any.
 *
 * Return: the payload size in bytes; 0 after the last one.
 */
u32 bench_payload(u32 index)
{
	return index < payload_count ? payloads[index] : 0;
}

/**
 * bench_sizes_check() - check packets= and payloads=
 *
 * Context: may sleep.
 *
 * Return: 0, or -EINVAL after a message in the log.
 */
int bench_sizes_check(void)
{
	unsigned int i;

	if (!packets || packets > PACKETS_MAX) {
		pr_err("packets=%u: must be a whole number from 1 to %u\n",
		       packets, PACKETS_MAX);
		return -EINVAL;
	}
	for (i = 0; i < payload_count; i++) {
		if (!payloads[i] || payloads[i] > PAYLOAD_MAX) {
			pr_err("payloads=%u: must be whole numbers from 1 to %u\n",
			       payloads[i], PAYLOAD_MAX);
			return -EINVAL;
		}
	}
	return 0;
}
