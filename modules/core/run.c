// SPDX-License-Identifier: GPL-2.0
/* A run and its cells: made, given memory, and taken apart. */

#include <linux/bitmap.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stdarg.h>

#include "core.h"

/* Elements that the lookups of one slice may pass. */
#define SLICE_STEPS	(128U * 1024)

#define RUN_GFP		(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY)

/**
 * dsbench_run_alloc() - a run without cells
 * @p: its parameters
 *
 * Context: may sleep.
 *
 * Return: the run, or NULL when memory is short.
 */
struct dsbench_run *dsbench_run_alloc(const struct dsbench_params *p)
{
	struct dsbench_run *run = kzalloc(sizeof(*run), GFP_KERNEL);

	if (!run)
		return NULL;

	run->params = *p;
	INIT_LIST_HEAD(&run->cells);
	INIT_LIST_HEAD(&run->absent);
	return run;
}

/**
 * dsbench_cell_free() - take a cell out of its run and free it
 * @cell: the cell; its set stays
 *
 * Context: may sleep.
 */
void dsbench_cell_free(struct dsbench_cell *cell)
{
	list_del(&cell->node);
	kvfree(cell->samples);
	kvfree(cell->is_disturbed);
	kvfree(cell->sharing);
	kfree(cell);
}

/**
 * dsbench_run_free() - free a run, its cells, and what it noted
 * @run: one that has ended
 *
 * Context: may sleep.
 */
void dsbench_run_free(struct dsbench_run *run)
{
	struct dsbench_absent *absent, *behind;
	struct dsbench_cell *cell, *next;

	list_for_each_entry_safe(cell, next, &run->cells, node)
		dsbench_cell_free(cell);
	list_for_each_entry_safe(absent, behind, &run->absent, node)
		kfree(absent);
	kfree(run);
}

static void size_cell(struct dsbench_cell *cell, const struct dsbench_params *p,
		      const struct dsbench_ops *ops)
{
	u32 steps = ops->find_steps ? ops->find_steps(cell->n) : 1;

	cell->elements = ops->batch ? ops->batch(cell->n) : cell->n;
	switch (cell->op) {
	case DSBENCH_FIND:
		cell->elements = dsbench_lookups(p, cell->n, steps);
		cell->slice = clamp(SLICE_STEPS / steps, 1U, DSBENCH_SLICE);
		break;
	case DSBENCH_FILL:
	case DSBENCH_ERASE:
	case DSBENCH_EMPTY:
	case DSBENCH_RANDOM:
		cell->slice = DSBENCH_SLICE;
		break;
	default:
		cell->slice = cell->threads ? DSBENCH_SLICE : cell->elements;
	}
}

static int add_cell(struct dsbench_run *run, struct dsbench_subject *subject,
		    enum dsbench_op op, u32 n, u32 tries, u32 threads)
{
	struct dsbench_cell *cell = kzalloc(sizeof(*cell), GFP_KERNEL);

	if (!cell)
		return -ENOMEM;

	strscpy(cell->container, subject->name, sizeof(cell->container));
	cell->source = subject;
	cell->op = op;
	cell->n = n;
	cell->tries = tries;
	cell->threads = threads;
	if (threads) {
		cell->writes = run->params.writes;
		strscpy(cell->readers, subject->ops->shared->readers,
			sizeof(cell->readers));
		strscpy(cell->writer, subject->ops->shared->writer,
			sizeof(cell->writer));
	}
	cell->unshared = run->params.nr_threads && !subject->ops->shared &&
			 !subject->ops->bare && subject != &dsbench_floor_subject;
	size_cell(cell, &run->params, subject->ops);
	list_add_tail(&cell->node, &run->cells);
	WRITE_ONCE(subject->running, true);
	return 0;
}

static int note_absent(struct dsbench_run *run,
		       const struct dsbench_subject *subject, enum dsbench_op op)
{
	struct dsbench_absent *absent = kzalloc(sizeof(*absent), GFP_KERNEL);

	if (!absent)
		return -ENOMEM;

	strscpy(absent->container, subject->name, sizeof(absent->container));
	absent->op = op;
	list_add_tail(&absent->node, &run->absent);
	return 0;
}

/* A container should have them all; whoever looks for one finds it absent. */
static int note_all_absent(struct dsbench_run *run,
			   const struct dsbench_subject *subject)
{
	const unsigned long expected = DSBENCH_CONTAINER_OPS;
	int op, err;

	if (subject->ops->bare)
		return 0;

	for_each_set_bit(op, &expected, DSBENCH_NR_OPS) {
		if (subject->ops->op[op] || !(run->params.ops & BIT(op)))
			continue;
		err = note_absent(run, subject, op);
		if (err)
			return err;
	}
	return 0;
}

static u32 size_of(const struct dsbench_run *run,
		   const struct dsbench_subject *subject, u32 index)
{
	if (subject->ops->size)
		return subject->ops->size(index);
	if (index)
		return 0;
	return READ_ONCE(subject->n) ?: run->params.n;
}

/* The operations that readers share, for each number of readers. */
static int add_shared(struct dsbench_run *run, struct dsbench_subject *subject,
		      u32 n, u32 tries)
{
	static const enum dsbench_op shared[] = {
		DSBENCH_FIND, DSBENCH_FOR_EACH,
	};
	const struct dsbench_params *p = &run->params;
	u32 i, t;
	int err;

	if (!subject->ops->shared)
		return 0;

	for (i = 0; i < ARRAY_SIZE(shared); i++) {
		for (t = 0; t < p->nr_threads; t++) {
			if (!(p->ops & BIT(shared[i])))
				continue;
			err = add_cell(run, subject, shared[i], n, tries,
				       p->threads[t]);
			if (err)
				return err;
		}
	}
	return 0;
}

/**
 * dsbench_run_add() - let a container or device take part
 * @run: a run that has not begun
 * @subject: gets a cell for each size, and each operation that it has and the
 *	run wants, alone and with each number of readers; is running from then on.
 *	What a container lacks is noted
 *
 * Context: may sleep; under the registry's lock.
 *
 * Return: 0 or -ENOMEM.
 */
int dsbench_run_add(struct dsbench_run *run, struct dsbench_subject *subject)
{
	u32 tries = READ_ONCE(subject->tries) ?: run->params.tries;
	u32 index, n;
	int op, err;

	for (index = 0; (n = size_of(run, subject, index)); index++) {
		for_each_set_bit(op, &run->params.ops, DSBENCH_NR_OPS) {
			if (!subject->ops->op[op])
				continue;
			err = add_cell(run, subject, op, n, tries, 0);
			if (err)
				return err;
		}
		err = add_shared(run, subject, n, tries);
		if (err)
			return err;
	}
	return note_all_absent(run, subject);
}

static bool has_floors(const struct dsbench_run *run, u32 n)
{
	const struct dsbench_cell *cell;

	list_for_each_entry(cell, &run->cells, node) {
		if (dsbench_is_floor(cell->op) && cell->n == n)
			return true;
	}
	return false;
}

static u32 most_tries(const struct dsbench_run *run, u32 n)
{
	const struct dsbench_cell *cell;
	u32 tries = 0;

	list_for_each_entry(cell, &run->cells, node) {
		if (cell->n == n)
			tries = max(tries, cell->tries);
	}
	return tries;
}

static int add_floors_at(struct dsbench_run *run, u32 n)
{
	u32 tries = most_tries(run, n);
	int op, err;

	for (op = 0; op < DSBENCH_NR_OPS; op++) {
		if (!dsbench_floor_subject.ops->op[op])
			continue;
		err = add_cell(run, &dsbench_floor_subject, op, n, tries, 0);
		if (err)
			return err;
	}
	return 0;
}

/**
 * dsbench_run_add_floors() - let the floors take part at the containers' sizes
 * @run: a run that has not begun, with all other cells; those of bare subjects
 *	need no floors
 *
 * Context: may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int dsbench_run_add_floors(struct dsbench_run *run)
{
	struct dsbench_cell *cell;
	int err;

	if (!run->params.floors)
		return 0;

	list_for_each_entry(cell, &run->cells, node) {
		if (cell->source->ops->bare || has_floors(run, cell->n))
			continue;
		err = add_floors_at(run, cell->n);
		if (err)
			return err;
	}
	return 0;
}

/**
 * dsbench_run_drop() - let a container out of a run
 * @run: the run
 * @container: may be gone when this returns
 *
 * Its samples stay.
 *
 * Context: may sleep.
 */
void dsbench_run_drop(struct dsbench_run *run,
		      struct dsbench_subject *container)
{
	struct dsbench_cell *cell;

	list_for_each_entry(cell, &run->cells, node) {
		if (cell->source == container)
			cell->source = NULL;
	}
	dsbench_container_leave_run(container);
}

/**
 * dsbench_run_problem() - say why a run is not what was asked for
 * @run: keeps the first problem of the worst state
 * @state: what it is now
 * @fmt: one sentence, without a newline
 *
 * Context: any.
 */
void dsbench_run_problem(struct dsbench_run *run, enum dsbench_run_state state,
			 const char *fmt, ...)
{
	va_list args;

	if (run->problem[0] && state <= run->state)
		return;

	run->state = state;
	va_start(args, fmt);
	vscnprintf(run->problem, sizeof(run->problem), fmt, args);
	va_end(args);
	pr_warn("run %u: %s\n", run->id, run->problem);
}

/* Containers of one size share a set, and so do its floors; a device has its own. */
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
	cell->samples = kvcalloc(cell->tries, sizeof(*cell->samples), RUN_GFP);
	cell->is_disturbed = kvcalloc(BITS_TO_LONGS(cell->tries),
				      sizeof(*cell->is_disturbed), RUN_GFP);
	if (!cell->samples || !cell->is_disturbed)
		return -ENOMEM;
	if (cell->threads) {
		cell->sharing = kvcalloc(cell->tries, sizeof(*cell->sharing),
					 RUN_GFP);
		if (!cell->sharing)
			return -ENOMEM;
	}

	cell->set = find_set(run, cell) ?: alloc_set(&run->params, cell);
	return cell->set ? 0 : -ENOMEM;
}

/**
 * dsbench_run_prepare() - get the memory that a run needs
 * @run: with all its cells
 *
 * How much that is, is known and compared with what there is before any of it
 * is taken.
 *
 * Context: may sleep.
 *
 * Return: 0 or -ENOMEM, with the run's problem set.
 */
int dsbench_run_prepare(struct dsbench_run *run)
{
	u64 available = dsbench_memory_available();
	u64 needed = run_bytes(run);
	struct dsbench_cell *cell;

	if (needed > available) {
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    "n=%u, tries=%u: needs %llu MiB of memory, %llu MiB may be used; take fewer elements or tries%s",
				    run->params.n, run->params.tries,
				    needed >> 20, available >> 20,
				    run->params.floors ? ", or floors=N" : "");
		return -ENOMEM;
	}

	list_for_each_entry(cell, &run->cells, node) {
		if (alloc_cell(run, cell)) {
			dsbench_run_problem(run, DSBENCH_RUN_FAILED,
					    "n=%u, tries=%u: memory ran out before the first try",
					    run->params.n, run->params.tries);
			return -ENOMEM;
		}
	}
	return 0;
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

/* The floors are timed on one CPU alone: no measure for readers beside others. */
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

/* Thousandths of the floor; 0 where either is below the clock's resolution. */
static u64 times_floor(const struct dsbench_cell *cell,
		       const struct dsbench_cell *floor)
{
	s64 own = dsbench_per_element(1000 * cell->stats.p50, cell->elements);
	s64 least = dsbench_per_element(1000 * floor->stats.p50,
					floor->elements);

	return own > 0 && least > 0 ? div64_u64(1000 * own, least) : 0;
}

/**
 * dsbench_run_finish() - let the containers go, free what only tries need
 * @run: has ended; keeps its cells with samples and gets their statistics
 *
 * Context: may sleep.
 */
void dsbench_run_finish(struct dsbench_run *run)
{
	struct dsbench_cell *cell, *next;

	run->nr_cells = 0;
	list_for_each_entry_safe(cell, next, &run->cells, node) {
		if (cell->source)
			dsbench_run_drop(run, cell->source);
		if (cell->set)
			free_set(run, cell->set);

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
