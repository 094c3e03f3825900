// SPDX-License-Identifier: GPL-2.0
/*
 * Detects another user of this core: a thread on the other hyperthread, perhaps
 * of another virtual machine, which neither the load nor interrupts show. Such
 * a neighbour comes and goes within microseconds and makes code up to twice as
 * slow.
 *
 * Three loops detect it. Dependent additions take a cycle each with any
 * neighbour. Four independent additions need most of a core's execution units
 * and take longer beside a neighbour that computes. A jump in each cycle needs
 * all of a core's fetch bandwidth and takes longer beside any neighbour, even
 * one that waits for memory. The ratio of the second and third loop to the
 * first is the same at every frequency. Its value on an unshared core depends
 * on the CPU, so the minimum of each loop is the reference.
 */

#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched.h>

#include "clock.h"
#include "export.h"
#include "neighbour.h"

/* Unused waiting time is saved for later tries, up to this limit. */
#define PATIENCE_MAX_MS		200U

/*
 * Time for which a core must be unshared before a try begins, in microseconds.
 */
#define ALONE_LEAST_US		20
#define ALONE_MOST_US		200

#define LEARN_ROUNDS		1000

static struct dsbench_pace least;
static u64 patience;
static u64 patience_of_a_try;

/**
 * dsbench_pace_shared() - whether the core was shared
 * @now: the measured loops
 * @alone: the loops on an unshared core
 *
 * Context: any.
 *
 * Return: true if the second loop took a quarter longer than expected from the
 * first, or the third, which varies less, a seventh.
 */
bool dsbench_pace_shared(const struct dsbench_pace *now,
			 const struct dsbench_pace *alone)
{
	u64 chain = now->chain;

	return 4ULL * now->wide * alone->chain > 5 * chain * alone->wide ||
	       7ULL * now->jumps * alone->chain > 8 * chain * alone->jumps;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_pace_shared);

#define PACE_ROUNDS	20

#ifdef __x86_64__
#define PACE_JUMPS	600

static u32 time_wide(void)
{
	unsigned long a = 0, b = 0, c = 0, d = 0;
	unsigned long rounds = PACE_ROUNDS;
	u64 start = dsbench_clock();

	asm volatile("1:\n\t"
		     ".rept 16\n\t"
		     "add %5, %1\n\tadd %5, %2\n\t"
		     "add %5, %3\n\tadd %5, %4\n\t"
		     ".endr\n\t"
		     "dec %0\n\tjnz 1b"
		     : "+r" (rounds), "+r" (a), "+r" (b), "+r" (c), "+r" (d)
		     : "r" (start) : "cc");
	return dsbench_clock() - start;
}

static u32 time_jumps(void)
{
	unsigned long jumps = PACE_JUMPS;
	u64 start = dsbench_clock();

	asm volatile(".p2align 4\n"
		     "1:\n\t"
		     "dec %0\n\tjnz 1b"
		     : "+r" (jumps) : : "cc");
	return dsbench_clock() - start;
}
#else
static u32 time_wide(void)
{
	return 1;
}

static u32 time_jumps(void)
{
	return 1;
}
#endif

static bool sample_pace(void)
{
	struct dsbench_pace now = {
		.chain = dsbench_clock_time_chain(PACE_ROUNDS),
		.wide = time_wide(),
		.jumps = time_jumps(),
	};

	least.chain = min(least.chain, now.chain);
	least.wide = min(least.wide, now.wide);
	least.jumps = min(least.jumps, now.jumps);
	return dsbench_pace_shared(&now, &least);
}

/**
 * dsbench_neighbour_begin() - measure the reference on this CPU
 * @ms: average time that a try may wait for an unshared core; 0 to never wait
 *
 * Context: process context, bound to the run's CPU; takes about 1 ms.
 */
void dsbench_neighbour_begin(u32 ms)
{
	int i;

	patience = 0;
	patience_of_a_try = dsbench_clock_is_tsc() ? ms * dsbench_clock_info()->khz : 0;
	least = (struct dsbench_pace) {
		.chain = U32_MAX,
		.wide = U32_MAX,
		.jumps = U32_MAX,
	};
	for (i = 0; patience_of_a_try && i < LEARN_ROUNDS; i++)
		sample_pace();
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_neighbour_begin);

/**
 * dsbench_neighbour_set_reference() - replace the measured reference
 * @alone: the loops on an unshared core
 *
 * Context: any, between dsbench_neighbour_begin() and the next try.
 */
void dsbench_neighbour_set_reference(const struct dsbench_pace *alone)
{
	least = *alone;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_neighbour_set_reference);

/**
 * dsbench_neighbour_busy() - whether another thread runs on this core now
 *
 * Context: any, on the run's CPU; takes about a microsecond.
 *
 * Return: false if waiting is disabled or the clock cannot tell.
 */
bool dsbench_neighbour_busy(void)
{
	return patience_of_a_try && sample_pace();
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_neighbour_busy);

/**
 * dsbench_neighbour_wait() - wait until the core has been unshared for a while
 * @ticks: expected duration of the try; a core that was unshared for that time
 *	is likely to stay so
 * @retry: the try is a retry, which may use only saved waiting time
 * @stop: set by others to end the wait
 *
 * Each try may wait for the time given to dsbench_neighbour_begin(), plus the
 * time that earlier tries did not use.
 *
 * Context: may sleep; on the run's CPU.
 */
void dsbench_neighbour_wait(u64 ticks, bool retry, const bool *stop)
{
	u64 khz = dsbench_clock_info()->khz;
	u64 begin, since, now;

	if (!patience_of_a_try)
		return;

	ticks = clamp(ticks, div_u64(khz * ALONE_LEAST_US, 1000),
		      div_u64(khz * ALONE_MOST_US, 1000));
	patience = min(patience + (retry ? 0 : patience_of_a_try),
		       max(khz * PATIENCE_MAX_MS, patience_of_a_try));
	begin = dsbench_clock();
	since = begin;
	for (now = begin; now - since < ticks; now = dsbench_clock()) {
		if (!sample_pace())
			continue;
		since = dsbench_clock();
		if (since - begin > patience || READ_ONCE(*stop))
			break;
		cond_resched();
	}
	patience -= min(patience, now - begin);
}
