// SPDX-License-Identifier: GPL-2.0
/* Sequential stopping: whether a cell needs more tries. */

#include <linux/minmax.h>

#include "export.h"
#include "precision.h"
#include "stats.h"

/* A check sorts all samples, so the number of checks grows with its logarithm. */
static u32 next_check(u32 done)
{
	return done + max(done / 4, 5U);
}

/**
 * dsbench_cell_is_precise() - whether the median of a cell is known well enough
 * @cell: the cell
 * @precision: thousandths of the median; 0: never
 *
 * The interval is of all samples, disturbed ones too, since the reported median
 * is: disturbances widen it and cost tries, but never hide. A median that is not
 * above 0 is below the clock's resolution and never precise. A cell is checked
 * now and then, from DSBENCH_PRECISION_TRIES tries on.
 *
 * Context: may sleep, outside the clock.
 *
 * Return: true if both ends of the 95 % interval are within @precision of the
 * median.
 */
bool dsbench_cell_is_precise(struct dsbench_cell *cell, u32 precision)
{
	struct dsbench_interval i;
	s64 allowed;

	if (!precision || cell->done < max(cell->check_at, DSBENCH_PRECISION_TRIES))
		return false;

	cell->check_at = next_check(cell->done);
	if (dsbench_median_interval(&i, cell->samples, cell->done) ||
	    i.median <= 0)
		return false;

	allowed = i.median * precision;
	return 1000 * (i.high - i.median) <= allowed &&
	       1000 * (i.median - i.low) <= allowed;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_cell_is_precise);
