// SPDX-License-Identifier: GPL-2.0
/* The plan of a run: its cells, from the parameters and the registered subjects. */

#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "export.h"
#include "floor.h"
#include "plan.h"
#include "registry.h"

/* Maximum number of elements that the lookups of one slice pass. */
#define SLICE_STEPS	(128U * 1024)

static void size_cell(struct dsbench_cell *cell, const struct dsbench_params *p,
		      const struct dsbench_ops *ops)
{
	u32 steps = ops->find_steps ? ops->find_steps(cell->n) : 1;

	cell->elements = ops->batch ? ops->batch(cell->n, cell->burst) :
				      cell->n;
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
		return;
	}
	if (p->slice)
		cell->slice = min(cell->slice, p->slice);
}

static int add_cell(struct dsbench_run *run, struct dsbench_subject *subject,
		    enum dsbench_op op, u32 n, u32 tries, u32 threads, u32 burst)
{
	struct dsbench_cell *cell = kzalloc(sizeof(*cell), GFP_KERNEL);

	if (!cell)
		return -ENOMEM;

	strscpy(cell->container, subject->name, sizeof(cell->container));
	cell->run = run;
	cell->source = subject;
	cell->op = op;
	cell->n = n;
	cell->tries = tries;
	cell->threads = threads;
	cell->burst = burst;
	cell->irqs_on = subject->ops->irqs_on & BIT(op);
	cell->sleeps = subject->ops->sleeps ||
		       (op == DSBENCH_FILL && subject->ops->long_fill &&
			n > subject->ops->long_fill);
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

/*
 * A container is expected to have all four operations, so the results name
 * those that it lacks.
 */
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

/* Add the cells of shared operations, for each number of readers. */
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
				       p->threads[t], 0);
			if (err)
				return err;
		}
	}
	return 0;
}

static int add_ops(struct dsbench_run *run, struct dsbench_subject *subject,
		   u32 n, u32 tries, u32 burst)
{
	int op, err;

	for_each_set_bit(op, &run->params.ops, DSBENCH_NR_OPS) {
		if (!subject->ops->op[op])
			continue;
		err = add_cell(run, subject, op, n, tries, 0, burst);
		if (err)
			return err;
	}
	return 0;
}

static int add_bursts(struct dsbench_run *run, struct dsbench_subject *subject,
		      u32 n, u32 tries)
{
	u32 index, burst;
	int err;

	if (!subject->ops->burst)
		return 0;

	for (index = 0; (burst = subject->ops->burst(n, index)); index++) {
		err = add_ops(run, subject, n, tries, burst);
		if (err)
			return err;
	}
	return 0;
}

/**
 * dsbench_run_add() - add a container or device to a run
 * @run: a run that has not begun
 * @subject: gets a cell for each size and each operation that it has and the
 *	run selects, unshared, with each number of readers, and with each burst.
 *	It is running from then on. Operations that it lacks are recorded
 *
 * Context: may sleep; under the registry's lock.
 *
 * Return: 0 or -ENOMEM.
 */
int dsbench_run_add(struct dsbench_run *run, struct dsbench_subject *subject)
{
	u32 tries = READ_ONCE(subject->tries) ?: run->params.tries;
	u32 index, n;
	int err;

	if (subject->ops->begin_run)
		subject->ops->begin_run();
	for (index = 0; (n = size_of(run, subject, index)); index++) {
		err = add_ops(run, subject, n, tries, 0);
		if (!err)
			err = add_shared(run, subject, n, tries);
		if (!err)
			err = add_bursts(run, subject, n, tries);
		if (err)
			return err;
	}
	return note_all_absent(run, subject);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_run_add);

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
		err = add_cell(run, &dsbench_floor_subject, op, n, tries, 0, 0);
		if (err)
			return err;
	}
	return 0;
}

/**
 * dsbench_run_add_floors() - add the floors at the sizes of the containers
 * @run: a run that has not begun, with all other cells; bare subjects need no
 *	floors
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
 * dsbench_run_drop() - remove a container from a run
 * @run: the run; keeps the samples
 * @container: may be gone on return
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
