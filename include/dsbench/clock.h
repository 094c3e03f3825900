/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock that everything is timed with.
 *
 * On x86, User Mode Linux included, it is the time-stamp counter between two
 * LFENCEs, at both ends: the first waits until all that came before has
 * completed, the second keeps what follows from starting before the counter
 * is read (Intel SDM volume 2, RDTSC; AMD APM volume 3 with the dispatch
 * serialising LFENCE that Linux sets up). RDTSCP would save the first fence
 * of the end, but not every (virtual) CPU has it. CPUID is never used to
 * serialise: it traps in guests. Elsewhere it is the kernel's own cycle
 * counter, or ktime where that does not count.
 */
#ifndef _DSBENCH_CLOCK_H
#define _DSBENCH_CLOCK_H

#include <linux/ktime.h>
#include <linux/timex.h>
#include <linux/types.h>

/**
 * dsbench_clock() - read the clock
 *
 * Context: any.
 *
 * Return: ticks since some moment in the past, in the unit that
 * dsbench_clock_info() names.
 */
static __always_inline u64 dsbench_clock(void)
{
#ifdef __x86_64__
	u32 low, high;

	asm volatile("lfence\n\trdtsc\n\tlfence"
		     : "=a" (low), "=d" (high) : : "memory");
	return ((u64)high << 32) | low;
#else
	u64 now = get_cycles();

	return now ?: ktime_get_ns();
#endif
}

/**
 * struct dsbench_clock_info - what is known of the clock
 * @name: how it is read
 * @unit: "cycles", "instructions" (a TSC that counts retired instructions, as
 *	under QEMU's -icount) or "ns"
 * @khz: ticks a millisecond
 * @overhead: what timing nothing at all costs, in ticks; subtracted from
 *	every slice that is timed
 */
struct dsbench_clock_info {
	const char *name;
	const char *unit;
	u64 khz;
	u64 overhead;
};

const struct dsbench_clock_info *dsbench_clock_info(void);

#endif /* _DSBENCH_CLOCK_H */
