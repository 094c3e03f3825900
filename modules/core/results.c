// SPDX-License-Identifier: GPL-2.0
/* The results: the newest cell of each kind. */

#include <linux/mutex.h>
#include <linux/string.h>

#include "results.h"

/* Maximum number of cells to keep; older runs are dropped. */
#define CELLS_MAX	4096

static DEFINE_MUTEX(lock);
static u32 cells_total;

/* Runs, oldest first; protected by the lock. */
LIST_HEAD(dsbench_results);

/**
 * dsbench_results_lock() - protect the results while they are read
 *
 * Context: may sleep.
 */
void dsbench_results_lock(void)
{
	mutex_lock(&lock);
}

/**
 * dsbench_results_unlock() - end the protection of the results
 *
 * Context: process context.
 */
void dsbench_results_unlock(void)
{
	mutex_unlock(&lock);
}

static bool same_cell(const struct dsbench_cell *a,
		      const struct dsbench_cell *b)
{
	return a->op == b->op && a->n == b->n && a->threads == b->threads &&
	       a->burst == b->burst && !strcmp(a->container, b->container);
}

static void free_run(struct dsbench_run *run)
{
	list_del(&run->node);
	cells_total -= run->nr_cells;
	dsbench_run_free(run);
}

static void supersede(const struct dsbench_cell *newer)
{
	struct dsbench_cell *cell, *next;
	struct dsbench_run *run;

	list_for_each_entry(run, &dsbench_results, node) {
		list_for_each_entry_safe(cell, next, &run->cells, node) {
			if (!same_cell(cell, newer))
				continue;
			dsbench_cell_free(cell);
			run->nr_cells--;
			cells_total--;
			return;
		}
	}
}

static void drop_empty_runs(void)
{
	struct dsbench_run *run, *next;

	list_for_each_entry_safe(run, next, &dsbench_results, node) {
		if (list_empty(&run->cells))
			free_run(run);
	}
}

/**
 * dsbench_results_publish() - make a run visible to readers
 * @run: a run that has ended; owned by the results from now on
 *
 * Its cells replace older cells of the same container, operation, size and
 * number of readers.
 *
 * Context: may sleep.
 */
void dsbench_results_publish(struct dsbench_run *run)
{
	struct dsbench_cell *cell;

	mutex_lock(&lock);
	list_for_each_entry(cell, &run->cells, node)
		supersede(cell);
	drop_empty_runs();

	list_add_tail(&run->node, &dsbench_results);
	cells_total += run->nr_cells;
	while (cells_total > CELLS_MAX &&
	       !list_is_singular(&dsbench_results))
		free_run(list_first_entry(&dsbench_results, struct dsbench_run,
					  node));
	mutex_unlock(&lock);
}

/**
 * dsbench_results_free() - free all results
 *
 * Context: may sleep; no reader is left.
 */
void dsbench_results_free(void)
{
	struct dsbench_run *run, *next;

	list_for_each_entry_safe(run, next, &dsbench_results, node)
		free_run(run);
}
