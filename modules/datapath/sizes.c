// SPDX-License-Identifier: GPL-2.0
/* Number and size of the packets of a try, and their bursts. */

#include <linux/bits.h>
#include <linux/math.h>
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

#define BURSTS_MAX	8

static unsigned int burst[BURSTS_MAX] = { 1, 8, 64 };
static unsigned int burst_count = 3;
module_param_array(burst, uint, &burst_count, 0444);
MODULE_PARM_DESC(burst, "packets between two softirqs, each number in cells of its own (default 1,8,64); 0: no such cells");

/**
 * bench_burst() - get a burst to measure
 * @payload: payload of each packet, in bytes
 * @index: index into burst=
 *
 * A GSO packet is a burst of its own: the backlog cannot hold the segments of many.
 *
 * Context: any.
 *
 * Return: number of packets between two softirqs; 0 after the last burst.
 */
u32 bench_burst(u32 payload, u32 index)
{
	if (payload > SEGMENT_SIZE || index >= burst_count)
		return 0;
	return burst[index];
}

/**
 * bench_packets() - get the number of packets of a try
 * @payload: payload of each packet, in bytes
 * @in_burst: packets in a burst; 0 for a try without bursts
 *
 * All bursts of a try have the same length.
 *
 * Context: any.
 *
 * Return: 1 to PACKETS_MAX; 1 to GSO_PACKETS_MAX for GSO packets.
 */
u32 bench_packets(u32 payload, u32 in_burst)
{
	if (payload > SEGMENT_SIZE)
		return min(packets, GSO_PACKETS_MAX);
	return in_burst ? rounddown(max(packets, in_burst), in_burst) : packets;
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

/* A single 0 stands for no bursts. */
static int check_bursts(void)
{
	unsigned int i;
	u64 seen = 0;

	if (burst_count == 1 && !burst[0])
		return 0;

	for (i = 0; i < burst_count; i++) {
		if (!burst[i] || burst[i] > BURST_MAX) {
			pr_err("burst=%u: must be whole numbers from 1 to %u, or 0 alone for none\n",
			       burst[i], BURST_MAX);
			return -EINVAL;
		}
		if (seen & BIT_ULL(burst[i] - 1)) {
			pr_err("burst=%u: must be named once\n", burst[i]);
			return -EINVAL;
		}
		seen |= BIT_ULL(burst[i] - 1);
	}
	return 0;
}

/**
 * bench_sizes_check() - check packets=, payloads= and burst=
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
	return check_bursts();
}
