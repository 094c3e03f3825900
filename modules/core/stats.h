/* SPDX-License-Identifier: GPL-2.0 */
/* Statistics of the samples of a cell. */
#ifndef _DSBENCH_CORE_STATS_H
#define _DSBENCH_CORE_STATS_H

#include <linux/types.h>

/**
 * struct dsbench_stats - what is reported of a cell, in milli-cycles a try
 * @min: smallest sample
 * @p50: median
 * @mean: arithmetic mean
 * @p90: 90th percentile
 * @p99: 99th percentile
 * @max: largest sample
 * @mad: median absolute deviation from the median
 *
 * Percentiles interpolate linearly between the two nearest samples.
 */
struct dsbench_stats {
	s64 min;
	s64 p50;
	s64 mean;
	s64 p90;
	s64 p99;
	s64 max;
	s64 mad;
};

/**
 * struct dsbench_interval - the 95 % interval of a median, in cycles
 * @low: its lower end
 * @median: the median
 * @high: its upper end
 */
struct dsbench_interval {
	s64 low;
	s64 median;
	s64 high;
};

u32 dsbench_interval_rank(u32 count);
int dsbench_median_interval(struct dsbench_interval *interval,
			    const s64 *samples, u32 count);
s64 dsbench_percentile(const s64 *sorted, u32 count, u32 percent);
int dsbench_stats_compute(struct dsbench_stats *stats, const s64 *samples,
			  u32 count);
s64 dsbench_per_element(s64 milli_cycles, u32 elements);

#endif /* _DSBENCH_CORE_STATS_H */
