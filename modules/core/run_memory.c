// SPDX-License-Identifier: GPL-2.0
/* The memory of a run: samples and sets, estimated before they are allocated. */

#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "floor.h"
#include "memory.h"
#include "resolution.h"
#include "run_memory.h"
#include "set.h"

/*
 * Containers of one size share a set, and so do its floors. A device has its
 * own.
 */
static bool shares_set(const struct dsbench_cell *a,
		       const struct dsbench_cell *b)
{
	if (a->n != b->n || dsbench_is_floor(a->op) != dsbench_is_floor(b->op))
		return false;
	return dsbench_is_floor(a->op) ||
	       (!a->source->ops->bare && !b->source->ops->bare);
}

static struct dsbench_set *find_set(const struct dsbench_run *run,
				    const struct dsbench_cell *cell)
{
	struct dsbench_cell *other;

	list_for_each_entry(other, &run->cells, node) {
		if (other->set && shares_set(cell, other))
			return other->set;
	}
	return NULL;
}

static u64 samples_bytes(const struct dsbench_cell *cell)
{
	u64 each = sizeof(*cell->samples) +
		   (cell->threads ? sizeof(*cell->sharing) : 0);

	return cell->tries * each + BITS_TO_LONGS(cell->tries) * sizeof(long);
}

static bool is_first_of_its_set(const struct dsbench_run *run,
				const struct dsbench_cell *cell)
{
	const struct dsbench_cell *other;

	list_for_each_entry(other, &run->cells, node) {
		if (shares_set(cell, other))
			return other == cell;
	}
	return true;
}

static u64 set_bytes(const struct dsbench_cell *cell)
{
	if (dsbench_is_floor(cell->op))
		return dsbench_floor_bytes(cell->n);
	return cell->source->ops->bare ? 0 : dsbench_set_bytes(cell->n);
}

static struct dsbench_set *alloc_set(const struct dsbench_params *p,
				     const struct dsbench_cell *cell)
{
	if (dsbench_is_floor(cell->op))
		return dsbench_floor_alloc(p, cell->n);
	return cell->source->ops->bare ? dsbench_set_alloc_bare(cell->n) :
					 dsbench_set_alloc(p, cell->n);
}

/* Sets are shared, and only one container is full at a time. */
static u64 run_bytes(const struct dsbench_run *run)
{
	struct dsbench_cell *cell;
	u64 container = 0;
	u64 bytes = 0;

	list_for_each_entry(cell, &run->cells, node) {
		const struct dsbench_ops *ops = cell->source->ops;

		bytes += samples_bytes(cell);
		if (ops->bytes)
			container = max(container, ops->bytes(cell->n));
		if (is_first_of_its_set(run, cell))
			bytes += set_bytes(cell);
	}
	return bytes + container;
}

static int alloc_cell(struct dsbench_run *run, struct dsbench_cell *cell)
{
	cell->samples = kvcalloc(cell->tries, sizeof(*cell->samples), DSBENCH_RUN_GFP);
	cell->is_disturbed = kvcalloc(BITS_TO_LONGS(cell->tries),
				      sizeof(*cell->is_disturbed), DSBENCH_RUN_GFP);
	if (!cell->samples || !cell->is_disturbed)
		return -ENOMEM;
	if (cell->threads) {
		cell->sharing = kvcalloc(cell->tries, sizeof(*cell->sharing),
					 DSBENCH_RUN_GFP);
		if (!cell->sharing)
			return -ENOMEM;
	}

	cell->set = find_set(run, cell) ?: alloc_set(&run->params, cell);
	return cell->set ? 0 : -ENOMEM;
}

/**
 * dsbench_run_prepare() - allocate the memory of a run
 * @run: a run with all its cells
 *
 * The memory is estimated, and compared with the available memory, before any
 * of it is allocated.
 *
 * Context: may sleep.
 *
 * Return: 0, or -ENOMEM with the run's problem set.
 */
int dsbench_run_prepare(struct dsbench_run *run)
{
	u64 available = dsbench_memory_available();
	u64 needed = run_bytes(run);
	struct dsbench_cell *cell;
	int err;

	if (needed > available) {
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    "n=%u, tries=%u: needs %llu MiB of memory, %llu MiB may be used; take fewer elements or tries%s",
				    run->params.n, run->params.tries,
				    needed >> 20, available >> 20,
				    run->params.floors ? ", or floors=N" : "");
		return -ENOMEM;
	}

	err = dsbench_resolution_begin(run);
	list_for_each_entry(cell, &run->cells, node)
		err = err ?: alloc_cell(run, cell);
	if (err)
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    "n=%u, tries=%u: memory ran out before the first try",
				    run->params.n, run->params.tries);
	return err;
}

static void free_set(struct dsbench_run *run, struct dsbench_set *set)
{
	struct dsbench_cell *cell;

	list_for_each_entry(cell, &run->cells, node) {
		if (cell->set == set)
			cell->set = NULL;
	}
	dsbench_set_free(set);
}

/**
 * dsbench_run_free_sets() - free the sets of a run
 * @run: a run that has ended; keeps its samples
 *
 * Context: may sleep.
 */
void dsbench_run_free_sets(struct dsbench_run *run)
{
	struct dsbench_cell *cell;

	list_for_each_entry(cell, &run->cells, node) {
		if (cell->set)
			free_set(run, cell->set);
	}
	if (run->clock && run->clock->set) {
		dsbench_set_free(run->clock->set);
		run->clock->set = NULL;
	}
}
