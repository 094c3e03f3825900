// SPDX-License-Identifier: GPL-2.0
/* Unit and rate of the clock. */

#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "clock.h"
#include "export.h"

#define RATE_TRIES	3
#define RATE_NS		(2 * NSEC_PER_MSEC)
#define PAIR_TRIES	16

static struct dsbench_clock_info info = {
#ifdef __x86_64__
	.name = "rdtsc between lfences",
	.unit = DSBENCH_UNIT_TSC,
#else
	.name = "ktime_get_ns()",
	.unit = DSBENCH_UNIT_NS,
#endif
};

/**
 * dsbench_clock_info() - unit, rate and overhead of the clock
 *
 * Context: any.
 *
 * Return: never NULL. The overhead is measured at the start of each run.
 */
const struct dsbench_clock_info *dsbench_clock_info(void)
{
	return &info;
}
EXPORT_SYMBOL_GPL(dsbench_clock_info);

/**
 * dsbench_clock_is_tsc() - whether the clock counts cycles of the TSC
 *
 * Context: any.
 *
 * Return: true for cycles; false for instructions and for ns.
 */
bool dsbench_clock_is_tsc(void)
{
	return !strcmp(info.unit, DSBENCH_UNIT_TSC);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_clock_is_tsc);

/**
 * dsbench_clock_is_exact() - whether the clock counts instructions
 *
 * Context: any.
 *
 * Return: true if counts repeat exactly.
 */
bool dsbench_clock_is_exact(void)
{
	return !strcmp(info.unit, DSBENCH_UNIT_INSTRUCTIONS);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_clock_is_exact);

/**
 * dsbench_clock_set_overhead() - set the overhead of the clock
 * @ticks: ticks to subtract from every slice from now on
 *
 * Context: any.
 */
void dsbench_clock_set_overhead(u64 ticks)
{
	WRITE_ONCE(info.overhead, ticks);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_clock_set_overhead);

static u64 middle_of_three(u64 a, u64 b, u64 c)
{
	return max(min(a, b), min(max(a, b), c));
}

/**
 * dsbench_clock_moment() - read the clock and ktime at the same moment
 * @moment: gets both; the closest pair of a few readings
 *
 * Context: any.
 */
void dsbench_clock_moment(struct dsbench_moment *moment)
{
	u64 tightest = U64_MAX;
	int i;

	for (i = 0; i < PAIR_TRIES; i++) {
		u64 before = dsbench_clock();
		u64 ns = ktime_get_ns();
		u64 took = dsbench_clock() - before;

		if (took < tightest) {
			tightest = took;
			moment->ticks = before + took / 2;
			moment->ns = ns;
		}
	}
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_clock_moment);

/* Ticks per millisecond of ktime. An interruption spoils one of three tries. */
static u64 measure_rate(void)
{
	struct dsbench_moment start, end;
	u64 khz[RATE_TRIES];
	int i;

	for (i = 0; i < RATE_TRIES; i++) {
		dsbench_clock_moment(&start);
		do {
			dsbench_clock_moment(&end);
		} while (end.ns - start.ns < RATE_NS);
		khz[i] = div64_u64((end.ticks - start.ticks) * NSEC_PER_MSEC,
				   end.ns - start.ns);
	}
	return middle_of_three(khz[0], khz[1], khz[2]);
}

#ifdef __x86_64__
#define PROBE_ROUNDS		1000
#define PROBE_INSTRUCTIONS	(10 * PROBE_ROUNDS)

/* Eight dependent multiplications, at least 3 cycles each. */
static u64 dependent_chain(void)
{
	unsigned long rounds = PROBE_ROUNDS;
	unsigned long x = 3;
	u64 start = dsbench_clock();

	asm volatile("1:\n\t"
		     "imul %1, %1\n\timul %1, %1\n\t"
		     "imul %1, %1\n\timul %1, %1\n\t"
		     "imul %1, %1\n\timul %1, %1\n\t"
		     "imul %1, %1\n\timul %1, %1\n\t"
		     "dec %0\n\tjnz 1b"
		     : "+r" (rounds), "+r" (x) : : "cc");
	return dsbench_clock() - start;
}

/* The same number of independent instructions. */
static u64 independent_nops(void)
{
	unsigned long rounds = PROBE_ROUNDS;
	u64 start = dsbench_clock();

	asm volatile("1:\n\t"
		     "nop\n\tnop\n\tnop\n\tnop\n\t"
		     "nop\n\tnop\n\tnop\n\tnop\n\t"
		     "dec %0\n\tjnz 1b"
		     : "+r" (rounds) : : "cc");
	return dsbench_clock() - start;
}

#define CORE_RATE_TRIES	50
#define CORE_RATE_ROUNDS	200
#define CORE_RATE_CYCLES	(DSBENCH_CHAIN_ADDITIONS * CORE_RATE_ROUNDS)

/**
 * dsbench_clock_time_chain() - time dependent additions
 * @rounds: rounds of DSBENCH_CHAIN_ADDITIONS each
 *
 * An addition that needs the result of the previous one takes one core cycle,
 * whoever else uses the core. It adds a register: some CPUs add a constant while
 * they rename registers, several of them in a cycle.
 *
 * Context: any.
 *
 * Return: ticks, with the clock's overhead; 1 where nothing can be told.
 */
u64 dsbench_clock_time_chain(unsigned long rounds)
{
	unsigned long x = 0;
	u64 start = dsbench_clock();

	asm volatile("1:\n\t"
		     ".rept %c3\n\t"
		     "add %2, %1\n\t"
		     ".endr\n\t"
		     "dec %0\n\tjnz 1b"
		     : "+r" (rounds), "+r" (x)
		     : "r" (start), "i" (DSBENCH_CHAIN_ADDITIONS) : "cc");
	return dsbench_clock() - start;
}

/**
 * dsbench_clock_core_rate() - core cycles per 1000 ticks of the clock
 *
 * The TSC ticks at a constant rate, whatever the frequency of the core, so a
 * count of ticks is not a count of core cycles. A chain of dependent additions
 * takes one core cycle per addition; the fastest of many is undisturbed.
 *
 * Context: any; on the CPU to measure. Takes about 100 us.
 *
 * Return: the rate; 0 if the clock is not the TSC.
 */
u32 dsbench_clock_core_rate(void)
{
	u64 overhead = READ_ONCE(info.overhead);
	u64 least = U64_MAX;
	int i;

	if (!dsbench_clock_is_tsc())
		return 0;

	for (i = 0; i < CORE_RATE_TRIES; i++)
		least = min(least, dsbench_clock_time_chain(CORE_RATE_ROUNDS));
	if (least <= overhead)
		return 0;
	return div64_u64(1000ULL * CORE_RATE_CYCLES, least - overhead);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_clock_core_rate);

static bool is_instructions(u64 ticks)
{
	return ticks >= PROBE_INSTRUCTIONS &&
	       ticks <= PROBE_INSTRUCTIONS + PROBE_INSTRUCTIONS / 100;
}

/*
 * A counter of instructions, such as the TSC under QEMU's -icount, returns the
 * same count for both loops. No real CPU executes them in the same time.
 */
static bool counts_instructions(void)
{
	int agreed = 0;
	int i;

	for (i = 0; i < 5; i++)
		agreed += is_instructions(dependent_chain()) &&
			  is_instructions(independent_nops());
	return agreed >= 3;
}
#else
u64 dsbench_clock_time_chain(unsigned long rounds)
{
	return 1;
}

u32 dsbench_clock_core_rate(void)
{
	return 0;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_clock_core_rate);

static bool counts_instructions(void)
{
	return false;
}
#endif

/**
 * dsbench_clock_init() - determine the unit and the rate of the clock
 *
 * Context: may sleep; takes about 10 ms.
 */
void dsbench_clock_init(void)
{
	if (counts_instructions())
		info.unit = DSBENCH_UNIT_INSTRUCTIONS;
	info.khz = measure_rate();
}
