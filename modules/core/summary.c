// SPDX-License-Identifier: GPL-2.0
/* The summary of a finished run: the statistics of its cells. */

#include <linux/math64.h>

#include "floor.h"
#include "opnames.h"
#include "plan.h"
#include "resolution.h"
#include "run_memory.h"
#include "stats.h"
#include "summary.h"

/* The floors are timed on one CPU, so they are no reference for readers. */
static const struct dsbench_cell *floor_of(const struct dsbench_run *run,
					   const struct dsbench_cell *cell)
{
	enum dsbench_op op = dsbench_floor_of(cell->op, run->params.sequential);
	const struct dsbench_cell *other;

	if (cell->threads)
		return NULL;
	list_for_each_entry(other, &run->cells, node) {
		if (other->op == op && other->n == cell->n)
			return other;
	}
	return NULL;
}

/* Thousandths of the floor; 0 if either is below the clock's resolution. */
static u64 times_floor(const struct dsbench_cell *cell,
		       const struct dsbench_cell *floor)
{
	bool known = !dsbench_below_resolution(cell) &&
		     !dsbench_below_resolution(floor);
	s64 own = dsbench_per_element(1000 * cell->stats.p50, cell->elements);
	s64 least = dsbench_per_element(1000 * floor->stats.p50,
					floor->elements);

	return known && own > 0 && least > 0 ? div64_u64(1000 * own, least) : 0;
}

/**
 * dsbench_run_finish() - release the containers, free the sets, calculate the
 * statistics
 * @run: a run that has ended; keeps the cells that have samples
 *
 * Context: may sleep.
 */
void dsbench_run_finish(struct dsbench_run *run)
{
	struct dsbench_cell *cell, *next;

	list_for_each_entry(cell, &run->cells, node) {
		if (cell->source)
			dsbench_run_drop(run, cell->source);
	}
	dsbench_run_free_sets(run);
	dsbench_resolution_finish(run);

	run->nr_cells = 0;
	list_for_each_entry_safe(cell, next, &run->cells, node) {
		if (cell->done &&
		    dsbench_stats_compute(&cell->stats, cell->samples,
					  cell->done)) {
			dsbench_run_problem(run, DSBENCH_RUN_FAILED,
					    "memory ran out for the statistics of %s %s",
					    cell->container,
					    dsbench_op_names[cell->op]);
			cell->done = 0;
		}
		if (!cell->done)
			dsbench_cell_free(cell);
		else
			run->nr_cells++;
	}
	list_for_each_entry(cell, &run->cells, node) {
		const struct dsbench_cell *floor = floor_of(run, cell);

		if (floor)
			cell->x_floor = times_floor(cell, floor);
	}
}
