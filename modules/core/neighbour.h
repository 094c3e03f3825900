/* SPDX-License-Identifier: GPL-2.0 */
/* Who else runs on the core. */
#ifndef _DSBENCH_CORE_NEIGHBOUR_H
#define _DSBENCH_CORE_NEIGHBOUR_H

#include <linux/types.h>

/**
 * struct dsbench_pace - what three loops took, in cycles
 * @chain: additions that wait for each other
 * @wide: four times as many that do not
 * @jumps: a loop of nothing else
 */
struct dsbench_pace {
	u32 chain;
	u32 wide;
	u32 jumps;
};

bool dsbench_pace_shared(const struct dsbench_pace *now,
			 const struct dsbench_pace *alone);
void dsbench_neighbour_begin(u32 ms);
void dsbench_neighbour_set_reference(const struct dsbench_pace *alone);
bool dsbench_neighbour_busy(void);
void dsbench_neighbour_wait(u64 ticks, bool retry, const bool *stop);

#endif /* _DSBENCH_CORE_NEIGHBOUR_H */
