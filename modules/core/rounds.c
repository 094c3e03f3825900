// SPDX-License-Identifier: GPL-2.0
/* The rounds of a run: one try of each cell per round, in random order. */

#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include "export.h"
#include "floor.h"
#include "opnames.h"
#include "plan.h"
#include "precision.h"
#include "random.h"
#include "rounds.h"
#include "set.h"
#include "try.h"
#include "try_shared.h"

/* Progress of the run in tries, for display only. */
static u64 tries_done;
static u64 tries_total;

static void cell_failed(struct dsbench_run *run, struct dsbench_cell *cell,
			int err)
{
	const char *op = dsbench_op_names[cell->op];

	switch (err) {
	case -EUCLEAN:
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    "%s gave a wrong answer in %s at n=%u: its results are dropped",
				    cell->container, op, cell->n);
		break;
	case -ENOMEM:
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    "%s ran out of memory in %s at n=%u, even after reclaim: its earlier tries are kept",
				    cell->container, op, cell->n);
		break;
	case -ENXIO:
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    "%s can't be shared by %u readers any more, for a CPU has gone offline: its results are dropped",
				    cell->container, cell->threads);
		break;
	default:
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    "%s failed with %d in %s at n=%u: its results are dropped",
				    cell->container, err, op, cell->n);
	}
}

static void forget_samples(struct dsbench_run *run, const char *container)
{
	struct dsbench_cell *cell;

	list_for_each_entry(cell, &run->cells, node) {
		if (!strcmp(cell->container, container))
			cell->done = 0;
	}
}

static bool is_unfinished(const struct dsbench_run *run,
			  const struct dsbench_subject *subject)
{
	const struct dsbench_cell *cell;

	list_for_each_entry(cell, &run->cells, node) {
		if (cell->source == subject && cell->done < cell->tries)
			return true;
	}
	return false;
}

static void container_left(struct dsbench_run *run, struct dsbench_cell *cell)
{
	if (is_unfinished(run, cell->source))
		dsbench_run_problem(run, DSBENCH_RUN_INTERRUPTED,
				    "%s was removed during the run",
				    cell->container);
	dsbench_run_drop(run, cell->source);
}

/* End a cell that needs no more tries. */
static void end_cell(struct dsbench_cell *cell)
{
	WRITE_ONCE(tries_total, tries_total - (cell->tries - cell->done));
	cell->tries = cell->done;
}

/* Floors end with the last container, precise or not. */
static void end_floors(struct dsbench_run *run)
{
	struct dsbench_cell *cell;

	list_for_each_entry(cell, &run->cells, node) {
		if (dsbench_is_floor(cell->op))
			end_cell(cell);
	}
}

/*
 * A CPU that goes offline takes the thread's affinity with it. The try during
 * which that happens is marked as disturbed, since its CPU changes.
 */
static bool on_its_cpu(struct dsbench_run *run)
{
	if (raw_smp_processor_id() == run->cpu)
		return true;

	dsbench_run_problem(run, DSBENCH_RUN_FAILED,
			    "CPU %d went offline during the run: the tries before that are kept",
			    run->cpu);
	return false;
}

/* Make one try of a cell. Return false if the run must end. */
static bool serve_cell(struct dsbench_run *run, struct dsbench_cell *cell,
		       bool keep)
{
	int err;

	if (dsbench_run_interrupted(run) || kthread_should_stop())
		return false;
	if (!cell->source)
		return true;
	if (READ_ONCE(cell->source->leaving)) {
		container_left(run, cell);
		return true;
	}
	if (cell->done == cell->tries)
		return true;
	if (!on_its_cpu(run))
		return false;

	err = cell->threads ? dsbench_try_shared(cell, keep) :
			      dsbench_try(cell, keep);
	if (err == -EINTR)
		return true;	/* the next call finds the reason */
	if (err) {
		cell_failed(run, cell, err);
		dsbench_run_drop(run, cell->source);
		if (err != -ENOMEM)
			forget_samples(run, cell->container);
		return true;
	}
	WRITE_ONCE(tries_done, tries_done + keep);
	if (keep && dsbench_cell_is_precise(cell, run->params.precision))
		end_cell(cell);
	cond_resched();
	return true;
}

/* The clock's own try of a round: after whatever cell came last. */
static void serve_clock(struct dsbench_run *run, bool keep)
{
	struct dsbench_cell *clock = run->clock;

	if (clock && clock->done < clock->tries &&
	    !dsbench_run_interrupted(run))
		dsbench_try(clock, keep);
}

/* Make one try of every cell that needs more samples, in random order. */
static bool run_round(struct dsbench_run *run, struct dsbench_cell **cells,
		      u32 *order, struct rnd_state *rnd, bool keep)
{
	u32 i;

	serve_clock(run, keep);
	dsbench_shuffle(order, run->nr_cells, rnd);
	for (i = 0; i < run->nr_cells; i++) {
		if (!serve_cell(run, cells[order[i]], keep))
			return false;
	}
	return true;
}

/* Floors get one try per round, like containers, and end with them. */
static bool all_done(struct dsbench_run *run)
{
	struct dsbench_cell *cell;

	list_for_each_entry(cell, &run->cells, node) {
		if (!dsbench_is_floor(cell->op) && cell->source &&
		    cell->done < cell->tries)
			return false;
	}
	return true;
}

static void run_rounds(struct dsbench_run *run, struct dsbench_cell **cells,
		       u32 *order)
{
	ktime_t warm = ktime_add_ms(ktime_get(), run->params.warmup);
	struct rnd_state rnd;
	bool go_on;

	dsbench_random_seed(&rnd, run->params.seed, DSBENCH_STREAM_ROUNDS);
	do {
		go_on = run_round(run, cells, order, &rnd, false);
	} while (go_on && !all_done(run) && ktime_before(ktime_get(), warm));

	while (go_on && !all_done(run))
		go_on = run_round(run, cells, order, &rnd, true);

	if (go_on && run->params.precision)
		end_floors(run);
	if (!go_on)
		dsbench_run_problem(run, DSBENCH_RUN_INTERRUPTED,
				    "stopped before all tries were made");
}

/**
 * dsbench_rounds() - make all tries of a run
 * @run: a run with its memory; gets the samples
 *
 * Context: the run's thread, bound to the run's CPU; may sleep.
 *
 * Return: 0, or -ENOMEM before the first try.
 */
int dsbench_rounds(struct dsbench_run *run)
{
	struct dsbench_cell **cells;
	struct dsbench_cell *cell;
	u32 count = 0;
	u64 total = 0;
	u32 *order;
	u32 i = 0;

	list_for_each_entry(cell, &run->cells, node) {
		total += cell->tries;
		count++;
	}
	cells = kcalloc(count, sizeof(*cells), GFP_KERNEL);
	order = kcalloc(count, sizeof(*order), GFP_KERNEL);
	if (!cells || !order) {
		kfree(cells);
		kfree(order);
		return -ENOMEM;
	}

	list_for_each_entry(cell, &run->cells, node) {
		cells[i] = cell;
		order[i] = i;
		i++;
	}
	run->nr_cells = count;
	WRITE_ONCE(tries_done, 0);
	WRITE_ONCE(tries_total, total);
	run_rounds(run, cells, order);
	WRITE_ONCE(tries_total, 0);

	kfree(order);
	kfree(cells);
	return 0;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_rounds);

/**
 * dsbench_rounds_progress() - progress of the run
 * @done: set to the tries kept so far
 * @total: set to all tries of the run; 0 if no run is in its rounds
 *
 * Context: any. The two values are for display; they are not read atomically.
 */
void dsbench_rounds_progress(u64 *done, u64 *total)
{
	*total = READ_ONCE(tries_total);
	*done = READ_ONCE(tries_done);
}
