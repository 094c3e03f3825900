// SPDX-License-Identifier: GPL-2.0
/* One try: create the container, time one operation on it, verify, undo. */

#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "clock.h"
#include "export.h"
#include "memory.h"
#include "neighbour.h"
#include "opnames.h"
#include "plan.h"
#include "set.h"
#include "slice.h"
#include "stolen.h"
#include "try.h"

/* Slices of up to this many ms run with interrupts disabled. */
#define IRQS_OFF_MS		2

/*
 * Counts of instructions repeat exactly if a try finds the allocator in the
 * same state and no interrupt hits it. A ms is guest time there and delays
 * nobody, so longer slices disable interrupts, too, and a try waits until RCU
 * has freed the elements of the previous tries.
 */
#define IRQS_OFF_COUNTED_MS	100

/* Number of retries before a disturbed try is kept. */
#define REPEATS		3

/*
 * Slices may take this long on average. A container whose operations are dearer
 * than it says gets shorter slices.
 */
#define SLICE_MS	20

/* Number of times that a try which ran out of memory is retried. */
#define RECLAIMS	3

/* Further memory to reclaim, for what others take meanwhile. */
#define RECLAIM_EXTRA	(1024 * 1024)

/**
 * dsbench_cell_settle() - wait for work that the container deferred
 * @cell: cell of the try
 *
 * Context: may sleep.
 */
void dsbench_cell_settle(const struct dsbench_cell *cell)
{
	if (cell->source->ops->settle)
		cell->source->ops->settle(cell->set);
}

/**
 * dsbench_cell_must_end() - whether a try must be aborted
 * @cell: cell of the try
 *
 * Context: any.
 *
 * Return: true if the container leaves or the run must end.
 */
bool dsbench_cell_must_end(const struct dsbench_cell *cell)
{
	return READ_ONCE(cell->source->leaving) ||
	       dsbench_run_interrupted(cell->run);
}

/**
 * dsbench_cell_fill() - fill the container outside the clock
 * @cell: cell with an empty container
 *
 * Context: may sleep.
 *
 * Return: 0, -EINTR, or the error of the container's fill.
 */
int dsbench_cell_fill(struct dsbench_cell *cell)
{
	struct dsbench_set *set = cell->set;
	u32 first, last;
	int err;

	for (first = 0; first < set->n; first = last) {
		if (dsbench_cell_must_end(cell))
			return -EINTR;
		last = min(set->n, first + DSBENCH_SLICE);
		err = cell->source->ops->op[DSBENCH_FILL](set, first, last);
		if (err)
			return err;
		dsbench_cell_settle(cell);
		cond_resched();
	}
	return 0;
}

/* Load the lookup keys into the caches, where the container is, too. */
static void touch_lookups(const struct dsbench_cell *cell)
{
	u32 i;

	for (i = 0; i < cell->elements; i++)
		READ_ONCE(cell->set->lookup[i]);
}

static int prepare(struct dsbench_cell *cell)
{
	int err;

	if (cell->op == DSBENCH_FILL || cell->source->ops->bare)
		return 0;

	err = dsbench_cell_fill(cell);
	if (!err && cell->op == DSBENCH_FIND)
		touch_lookups(cell);
	if (err || cell->op != DSBENCH_ERASE)
		return err;
	err = dsbench_set_collect(cell->set, cell->source->ops);
	if (!err && cell->set->seen != cell->set->n)
		err = -EUCLEAN;
	return err ?: dsbench_set_order(cell->set);
}

/**
 * struct timing - timing of a try
 * @ticks: the whole try, without the clock's overhead; may be below 0
 * @longest: its longest slice
 * @slices: number of its slices
 * @disturbed: an interrupt hit the try, time was stolen from it, or another
 *	thread ran on the core at the start or the end of a slice
 */
struct timing {
	s64 ticks;
	s64 longest;
	u32 slices;
	bool disturbed;
};

static u64 irqs_off_ticks(const struct dsbench_clock_info *clock)
{
	return clock->khz * (dsbench_clock_is_exact() ? IRQS_OFF_COUNTED_MS :
							  IRQS_OFF_MS);
}

/*
 * The rest of the cell's slices run with interrupts on: to disable them for an
 * operation that enables them is pointless, and some APIs forbid it.
 */
static void note_opened(struct dsbench_cell *cell)
{
	if (cell->irqs_on)
		return;

	cell->irqs_on = true;
	pr_info("%s enables interrupts in %s: interrupts stay on there, and disturb some tries\n",
		cell->container, dsbench_op_names[cell->op]);
}

static int time_op(struct dsbench_cell *cell, struct timing *t)
{
	const struct dsbench_clock_info *clock = dsbench_clock_info();
	u64 quick = irqs_off_ticks(clock);
	struct dsbench_slice slice = {
		.op = cell->source->ops->op[cell->op],
		.set = cell->set,
		.irqs_off = cell->slice_ticks && cell->slice_ticks <= quick &&
			    !cell->irqs_on,
		.sleeps = cell->sleeps,
	};
	s64 ticks;

	for (; slice.first < cell->elements; slice.first = slice.last) {
		slice.last = min(cell->elements, slice.first + cell->slice);
		t->disturbed |= dsbench_neighbour_busy();
		dsbench_time_slice(&slice);
		t->disturbed |= slice.disturbed || dsbench_neighbour_busy();
		if (slice.opened)
			note_opened(cell);
		if (slice.err)
			return slice.err;

		ticks = slice.ticks - clock->overhead;
		t->ticks += ticks;
		t->longest = max(t->longest, ticks);
		t->slices++;
		dsbench_cell_settle(cell);
		if (dsbench_cell_must_end(cell))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int verify(struct dsbench_cell *cell)
{
	const struct dsbench_ops *ops = cell->source->ops;

	if (ops->bare)
		return ops->verify(cell->set);
	return dsbench_set_verify(cell->set, ops, cell->op, cell->elements);
}

/**
 * dsbench_cell_begin() - create the container of a try
 * @cell: cell of the try; undone by dsbench_set_empty()
 *
 * All tries have the same orders where instructions are counted: counts repeat
 * with the orders and do not depend on branch predictors and pages.
 *
 * Context: may sleep.
 *
 * Return: 0, or the error of the container's create.
 */
int dsbench_cell_begin(struct dsbench_cell *cell)
{
	struct dsbench_set *set = cell->set;

	if (dsbench_clock_is_exact())
		rcu_barrier();
	else if (!cell->source->ops->bare)
		dsbench_set_arrange(set, cell->elements);
	dsbench_set_reset(set);
	set->subject = cell->source;
	set->op = cell->op;
	set->burst = cell->burst;
	return cell->source->ops->create(set);
}

static int try_once(struct dsbench_cell *cell, struct timing *t)
{
	struct dsbench_stolen stolen;
	int err;

	dsbench_stolen_begin(&stolen);
	err = dsbench_cell_begin(cell);
	if (err)
		return err;

	err = prepare(cell);
	if (!err)
		err = time_op(cell, t);
	if (!cell->sleeps)
		t->disturbed |= dsbench_stolen_end(&stolen);
	if (!err)
		err = verify(cell);
	dsbench_set_empty(cell->set, cell->source->ops);
	return err;
}

/* Memory of the container and of the elements that it allocates, at the most. */
static u64 bytes_of(const struct dsbench_cell *cell)
{
	const struct dsbench_ops *ops = cell->source->ops;
	u64 bytes = ops->bytes ? ops->bytes(cell->n) : 0;

	if (cell->set->inline_alloc)
		bytes += (u64)cell->n * DSBENCH_ELEM_SIZE;
	return bytes + RECLAIM_EXTRA;
}

/*
 * Operations cannot reclaim memory, so do that between two attempts. What is free
 * then belongs to anyone: a process that fills the page cache may take it before the
 * operation does. So each time, make twice as much free as the time before.
 */
static int try_with_memory(struct dsbench_cell *cell, struct timing *t)
{
	u64 bytes = bytes_of(cell);
	int reclaims;
	int err;

	for (reclaims = 0;; reclaims++) {
		*t = (struct timing) {};
		err = try_once(cell, t);
		if (err != -ENOMEM || reclaims == RECLAIMS)
			return err;
		if (reclaims)
			bytes = max(bytes, min(2 * bytes, dsbench_memory_available()));
		if (dsbench_memory_reclaim(bytes))
			return -ENOMEM;
	}
}

static bool can_shorten(const struct dsbench_cell *cell)
{
	return cell->slice > 1 &&
	       (cell->op == DSBENCH_FILL || cell->op == DSBENCH_FIND ||
		cell->op == DSBENCH_ERASE);
}

/* Return true if the slices were too long, so that the try must be repeated. */
static bool shorten_slices(struct dsbench_cell *cell, const struct timing *t)
{
	const struct dsbench_clock_info *clock = dsbench_clock_info();
	u64 ms = dsbench_clock_is_exact() ? IRQS_OFF_COUNTED_MS : SLICE_MS;
	u64 most = clock->khz * ms;
	u64 average;

	if (!t->slices || t->ticks <= 0 || !can_shorten(cell))
		return false;

	average = div_u64(t->ticks, t->slices);
	if (average <= most)
		return false;

	cell->slice = max_t(u64, div64_u64(cell->slice * most, 2 * average), 1);
	return true;
}

/* A tick always hits a long try, so a retry would not help. */
static bool worth_repeating(const struct timing *t)
{
	u64 tick = dsbench_clock_info()->khz * jiffies_to_msecs(1);

	return t->disturbed && t->ticks < (s64)tick / 2;
}

/**
 * dsbench_try() - take one sample
 * @cell: cell of the sample; its container is in the run
 * @keep: keep the sample; otherwise the try is a warm-up
 *
 * Context: may sleep; bound to the run's CPU.
 *
 * Return: 0; -EINTR if the container leaves or the run must end; -ENOMEM;
 * -EUCLEAN if the container gave a wrong answer.
 */
int dsbench_try(struct dsbench_cell *cell, bool keep)
{
	struct timing t;
	int repeats = 0;
	int err;

	do {
		if (keep)
			dsbench_neighbour_wait(cell->slice_ticks, repeats,
					       &cell->run->interrupted);
		err = try_with_memory(cell, &t);
		if (err)
			return err;
		cell->slice_ticks = max(t.longest, 1LL);
	} while (shorten_slices(cell, &t) ||
		 (worth_repeating(&t) && repeats++ < REPEATS));

	if (keep) {
		cell->samples[cell->done] = t.ticks;
		if (t.disturbed) {
			__set_bit(cell->done, cell->is_disturbed);
			cell->disturbed++;
		}
		cell->done++;
	}
	return 0;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_try);
