// SPDX-License-Identifier: GPL-2.0
/*
 * Whether somebody else runs on this core: on its other hyperthread, and that
 * may be another virtual machine's, of which neither load nor interrupts tell.
 * Such a neighbour comes and goes within microseconds, and while it is there
 * code takes up to twice as long.
 *
 * Three loops find out. Additions that wait for each other take a cycle each,
 * whoever else is there. Four that do not wait need most of what a core can do
 * in a cycle, and take longer beside a neighbour that computes. A jump in each
 * cycle needs all that a core can fetch, and takes longer beside one that does
 * anything at all, waiting for memory included. What the others take over what
 * the first does is the same at every frequency; how much that is on a core of
 * one's own depends on the CPU, and the least that was seen of each loop tells.
 */

#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "clock.h"
#include "export.h"
#include "neighbour.h"

/* Saved up for later tries, where earlier ones did not need it. */
#define PATIENCE_MAX_MS		200U

/* How long a core has to have been ours before a try begins, in microseconds. */
#define ALONE_LEAST_US		20
#define ALONE_MOST_US		200

#define LEARN_ROUNDS		1000

static struct dsbench_pace least;
static u64 patience;
static u64 patience_of_a_try;

/**
 * dsbench_pace_shared() - was the core shared when this was measured?
 * @now: what the loops took
 * @alone: what they take on a core of one's own
 *
 * Context: any.
 *
 * Return: true where the second loop took a quarter more than it should beside
 * the first, or the third a seventh: it varies less.
 */
bool dsbench_pace_shared(const struct dsbench_pace *now,
			 const struct dsbench_pace *alone)
{
	u64 chain = now->chain;

	return 4ULL * now->wide * alone->chain > 5 * chain * alone->wide ||
	       7ULL * now->jumps * alone->chain > 8 * chain * alone->jumps;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_pace_shared);

#ifdef __x86_64__
#define PACE_ROUNDS	20
#define PACE_JUMPS	600

static u32 time_chain(void)
{
	unsigned long rounds = PACE_ROUNDS;
	unsigned long a = 0;
	u64 start = dsbench_clock();

	asm volatile("1:\n\t"
		     ".rept 16\n\t"
		     "add $1, %1\n\t"
		     ".endr\n\t"
		     "dec %0\n\tjnz 1b"
		     : "+r" (rounds), "+r" (a) : : "cc");
	return dsbench_clock() - start;
}

static u32 time_wide(void)
{
	unsigned long a = 0, b = 0, c = 0, d = 0;
	unsigned long rounds = PACE_ROUNDS;
	u64 start = dsbench_clock();

	asm volatile("1:\n\t"
		     ".rept 16\n\t"
		     "add $1, %1\n\tadd $1, %2\n\t"
		     "add $1, %3\n\tadd $1, %4\n\t"
		     ".endr\n\t"
		     "dec %0\n\tjnz 1b"
		     : "+r" (rounds), "+r" (a), "+r" (b), "+r" (c), "+r" (d)
		     : : "cc");
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

static bool can_tell(void)
{
	return !strcmp(dsbench_clock_info()->unit, "cycles");
}
#else
static u32 time_chain(void)
{
	return 1;
}

static u32 time_wide(void)
{
	return 1;
}

static u32 time_jumps(void)
{
	return 1;
}

static bool can_tell(void)
{
	return false;
}
#endif

static bool look(void)
{
	struct dsbench_pace now = {
		.chain = time_chain(),
		.wide = time_wide(),
		.jumps = time_jumps(),
	};

	least.chain = min(least.chain, now.chain);
	least.wide = min(least.wide, now.wide);
	least.jumps = min(least.jumps, now.jumps);
	return dsbench_pace_shared(&now, &least);
}

/**
 * dsbench_neighbour_begin() - learn what this CPU does when it is alone
 * @ms: how long a try may wait for that, on average; 0 for no waiting at all
 *
 * Context: process context, bound to the run's CPU; takes about 1 ms.
 */
void dsbench_neighbour_begin(u32 ms)
{
	int i;

	patience = 0;
	patience_of_a_try = can_tell() ? ms * dsbench_clock_info()->khz : 0;
	least = (struct dsbench_pace) {
		.chain = U32_MAX,
		.wide = U32_MAX,
		.jumps = U32_MAX,
	};
	for (i = 0; patience_of_a_try && i < LEARN_ROUNDS; i++)
		look();
}

/**
 * dsbench_neighbour_busy() - does somebody else run on this core just now?
 *
 * Context: any, on the run's CPU; takes about a microsecond.
 *
 * Return: false where nobody wants to know, or the clock can't tell.
 */
bool dsbench_neighbour_busy(void)
{
	return patience_of_a_try && look();
}

/**
 * dsbench_neighbour_wait() - wait until nobody else has run here for a while
 * @ticks: what comes takes about so long; a core that has been ours as long
 *	is likely to stay so
 * @retry: for a try that is repeated, which has nothing but what is left
 * @stop: set by others when the wait must end
 *
 * Each try may wait as long as dsbench_neighbour_begin() was told, and as much
 * longer as earlier ones waited less.
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
		if (!look())
			continue;
		since = dsbench_clock();
		if (since - begin > patience || READ_ONCE(*stop))
			break;
		cond_resched();
	}
	patience -= min(patience, now - begin);
}
