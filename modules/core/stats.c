// SPDX-License-Identifier: GPL-2.0
/* Statistics on signed samples, in fixed point: milli-cycles. */

#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/sort.h>

#include "export.h"
#include "stats.h"

#define MILLI	1000

static int compare(const void *a, const void *b)
{
	s64 x = *(const s64 *)a;
	s64 y = *(const s64 *)b;

	return x < y ? -1 : x > y;
}

/* Rounds half away from zero; @divisor is not 0. */
static s64 div_round(s64 dividend, u32 divisor)
{
	s64 half = divisor / 2;

	return div_s64(dividend < 0 ? dividend - half : dividend + half,
		       divisor);
}

/**
 * dsbench_percentile() - a percentile with linear interpolation
 * @sorted: samples in ascending order, in cycles
 * @count: how many, 1 at least
 * @percent: 0 to 100
 *
 * The definition is number 7 of Hyndman and Fan, "Sample Quantiles in
 * Statistical Packages", 1996, which numpy and R take by default.
 *
 * Context: any.
 *
 * Return: the percentile in milli-cycles.
 */
s64 dsbench_percentile(const s64 *sorted, u32 count, u32 percent)
{
	u64 position = (u64)(count - 1) * percent;
	u32 part;
	u32 i = div_u64_rem(position, 100, &part);
	s64 value = sorted[i] * MILLI;

	if (part)
		value += div_round((sorted[i + 1] - sorted[i]) * MILLI * part,
				   100);
	return value;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_percentile);

/**
 * dsbench_stats_compute() - calculate the statistics of a cell
 * @stats: set to the statistics
 * @samples: cycles, in the order in which they were taken
 * @count: number of samples, at least 1
 *
 * Context: may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int dsbench_stats_compute(struct dsbench_stats *stats, const s64 *samples,
			  u32 count)
{
	s64 *sorted;
	s64 sum = 0;
	s64 median;
	u32 i;

	sorted = kvmalloc_array(count, sizeof(*sorted),
				GFP_KERNEL | __GFP_NOWARN);
	if (!sorted)
		return -ENOMEM;

	for (i = 0; i < count; i++) {
		sorted[i] = samples[i];
		sum += samples[i];
	}
	sort(sorted, count, sizeof(*sorted), compare, NULL);

	stats->min = sorted[0] * MILLI;
	stats->p50 = dsbench_percentile(sorted, count, 50);
	stats->mean = div_round(sum * MILLI, count);
	stats->p90 = dsbench_percentile(sorted, count, 90);
	stats->p99 = dsbench_percentile(sorted, count, 99);
	stats->max = sorted[count - 1] * MILLI;

	/*
	 * The median of an even number may end in half a cycle, so use milli-
	 * cycles.
	 */
	median = stats->p50;
	for (i = 0; i < count; i++)
		sorted[i] = abs(samples[i] * MILLI - median);
	sort(sorted, count, sizeof(*sorted), compare, NULL);
	stats->mad = div_round(dsbench_percentile(sorted, count, 50), MILLI);

	kvfree(sorted);
	return 0;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_stats_compute);

/**
 * dsbench_per_element() - cost of a try per element
 * @milli_cycles: cost of the whole try
 * @elements: its elements, at least 1
 *
 * Context: any.
 *
 * Return: milli-cycles per element, rounded.
 */
s64 dsbench_per_element(s64 milli_cycles, u32 elements)
{
	return div_round(milli_cycles, elements);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_per_element);

/**
 * dsbench_interval_rank() - rank of the lower end of the interval of a median
 * @count: samples
 *
 * The interval lies between two order statistics, whatever the distribution of
 * the samples: the number of samples below the median is binomial with
 * probability 1/2. The rank is the largest whose tail is at most 2.5 %, by the
 * normal approximation with a continuity correction (Conover, "Practical
 * Nonparametric Statistics", 3rd edition, section 3.2), which gives the exact
 * rank for 6 to 100 samples. The upper end has the same rank from above.
 *
 * Context: any.
 *
 * Return: the rank, from 1; 0 where there are too few samples for an interval.
 */
u32 dsbench_interval_rank(u32 count)
{
	/* 1.96 standard deviations of twice the binomial, in thousandths */
	u64 spread = 196 * int_sqrt64((u64)count * 1000000) / 100;
	u64 middle = (u64)(count + 1) * 1000;

	return middle > spread ? div_u64(middle - spread, 2000) : 0;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_interval_rank);

/**
 * dsbench_median_interval() - the median and its 95 % interval
 * @interval: set to both
 * @samples: cycles, in any order
 * @count: how many
 *
 * Context: may sleep.
 *
 * Return: 0; -EINVAL where there are too few samples; -ENOMEM.
 */
int dsbench_median_interval(struct dsbench_interval *interval,
			    const s64 *samples, u32 count)
{
	u32 rank = dsbench_interval_rank(count);
	s64 *sorted;

	if (!rank)
		return -EINVAL;

	sorted = kvmalloc_array(count, sizeof(*sorted),
				GFP_KERNEL | __GFP_NOWARN);
	if (!sorted)
		return -ENOMEM;

	memcpy(sorted, samples, count * sizeof(*sorted));
	sort(sorted, count, sizeof(*sorted), compare, NULL);
	interval->low = sorted[rank - 1];
	interval->high = sorted[count - rank];
	interval->median = div_s64(sorted[(count - 1) / 2] + sorted[count / 2],
				   2);
	kvfree(sorted);
	return 0;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_median_interval);
