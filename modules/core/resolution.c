// SPDX-License-Identifier: GPL-2.0
/*
 * The clock's cost in a real try. The overhead that every slice is relieved of is
 * the minimum of many empty slices in a row. A try finds caches and branch
 * predictors as the previous try left them, so its clock costs more. Each round
 * has one try of an operation that does nothing, on the same path as all tries;
 * the median of these is subtracted from each try, too, and their spread is the
 * clock's resolution.
 */

#include <linux/bitmap.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>

#include "export.h"
#include "resolution.h"
#include "set.h"
#include "stats.h"

static int empty_create(struct dsbench_set *set)
{
	return 0;
}

static void empty_destroy(struct dsbench_set *set)
{
}

static int empty_verify(struct dsbench_set *set)
{
	return 0;
}

static int nothing(struct dsbench_set *set, u32 first, u32 last)
{
	return 0;
}

static const struct dsbench_ops empty_ops = {
	.create = empty_create,
	.destroy = empty_destroy,
	.verify = empty_verify,
	.op = { [DSBENCH_EMPTY] = nothing },
	.bare = true,
};

static struct dsbench_subject empty_subject = {
	.name = "clock",
	.ops = &empty_ops,
};

/**
 * dsbench_resolution_begin() - allocate the tries of the clock
 * @run: a run with its parameters; frees them with dsbench_run_free()
 *
 * Context: may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int dsbench_resolution_begin(struct dsbench_run *run)
{
	struct dsbench_cell *cell = kzalloc(sizeof(*cell), GFP_KERNEL);
	u32 tries = run->params.tries;

	if (!cell)
		return -ENOMEM;

	INIT_LIST_HEAD(&cell->node);
	run->clock = cell;
	strscpy(cell->container, empty_subject.name, sizeof(cell->container));
	cell->run = run;
	cell->source = &empty_subject;
	cell->op = DSBENCH_EMPTY;
	cell->n = 1;
	cell->elements = 1;
	cell->slice = 1;
	cell->slice_ticks = 1;
	cell->tries = tries;
	cell->samples = kvcalloc(tries, sizeof(*cell->samples), GFP_KERNEL);
	cell->is_disturbed = kvcalloc(BITS_TO_LONGS(tries),
				      sizeof(*cell->is_disturbed), GFP_KERNEL);
	cell->set = dsbench_set_alloc_bare(1);
	return cell->samples && cell->is_disturbed && cell->set ? 0 : -ENOMEM;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_resolution_begin);

static int by_value(const void *a, const void *b)
{
	s64 x = *(const s64 *)a;
	s64 y = *(const s64 *)b;

	return x < y ? -1 : x > y;
}

/* Readers measure many slices in a row, for which the minimum is right. */
static void subtract(struct dsbench_cell *cell, s64 ticks)
{
	u32 i;

	for (i = 0; !cell->threads && i < cell->done; i++)
		cell->samples[i] -= ticks;
}

/**
 * dsbench_resolution_finish() - subtract the clock's cost, set the resolution
 * @run: a run that has ended, before its statistics
 *
 * Context: may sleep.
 */
void dsbench_resolution_finish(struct dsbench_run *run)
{
	struct dsbench_cell *clock = run->clock;
	struct dsbench_cell *cell;
	s64 median;

	if (!clock || !clock->done)
		return;

	sort(clock->samples, clock->done, sizeof(*clock->samples), by_value,
	     NULL);
	run->clock_p10 = dsbench_percentile(clock->samples, clock->done, 10);
	run->clock_p50 = dsbench_percentile(clock->samples, clock->done, 50);
	run->clock_p90 = dsbench_percentile(clock->samples, clock->done, 90);
	median = div_s64(run->clock_p50, 1000);
	list_for_each_entry(cell, &run->cells, node)
		subtract(cell, median);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_resolution_finish);

/**
 * dsbench_below_resolution() - whether a median is no figure
 * @cell: a cell with statistics
 *
 * Context: any.
 *
 * Return: true if the median of its tries is within the spread of the clock, p10
 * to p90, or not above 0.
 */
bool dsbench_below_resolution(const struct dsbench_cell *cell)
{
	s64 spread = cell->run->clock_p90 - cell->run->clock_p10;

	return cell->stats.p50 <= max(spread, 0LL);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_below_resolution);
