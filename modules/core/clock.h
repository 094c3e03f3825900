/* SPDX-License-Identifier: GPL-2.0 */
/* What the clock counts, and how fast. */
#ifndef _DSBENCH_CORE_CLOCK_H
#define _DSBENCH_CORE_CLOCK_H

#include <dsbench/clock.h>

/**
 * struct dsbench_moment - one moment by two clocks
 * @ticks: dsbench_clock()
 * @ns: ktime_get_ns()
 */
struct dsbench_moment {
	u64 ticks;
	u64 ns;
};

/* Units of the clock, as reports name them. */
#define DSBENCH_UNIT_TSC		"tsc"
#define DSBENCH_UNIT_INSTRUCTIONS	"instructions"
#define DSBENCH_UNIT_NS			"ns"

/* Additions in a round of dsbench_clock_time_chain(). */
#define DSBENCH_CHAIN_ADDITIONS	16

void dsbench_clock_init(void);
bool dsbench_clock_is_tsc(void);
bool dsbench_clock_is_exact(void);
void dsbench_clock_set_overhead(u64 ticks);
void dsbench_clock_moment(struct dsbench_moment *moment);
u64 dsbench_clock_time_chain(unsigned long rounds);
u32 dsbench_clock_core_rate(void);

#endif /* _DSBENCH_CORE_CLOCK_H */
