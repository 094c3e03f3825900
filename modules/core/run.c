// SPDX-License-Identifier: GPL-2.0
/* A run and its cells: allocation, interruption and problems. */

#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/stdarg.h>

#include "export.h"
#include "run.h"

/* A change of the core's frequency by more than this is reported. */
#define CORE_RATE_PERCENT	3

/**
 * dsbench_run_alloc() - allocate a run without cells
 * @p: its parameters
 *
 * Context: may sleep.
 *
 * Return: the run, or NULL if memory is short.
 */
struct dsbench_run *dsbench_run_alloc(const struct dsbench_params *p)
{
	struct dsbench_run *run = kzalloc(sizeof(*run), GFP_KERNEL);

	if (!run)
		return NULL;

	run->params = *p;
	INIT_LIST_HEAD(&run->cells);
	INIT_LIST_HEAD(&run->absent);
	INIT_LIST_HEAD(&run->unloaded);
	return run;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_run_alloc);

/**
 * dsbench_cell_free() - remove a cell from its run and free it
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
 * dsbench_run_free() - free a run with its cells and notes
 * @run: a run that has ended
 *
 * Context: may sleep.
 */
void dsbench_run_free(struct dsbench_run *run)
{
	struct dsbench_unloaded *unloaded, *last;
	struct dsbench_absent *absent, *behind;
	struct dsbench_cell *cell, *next;

	list_for_each_entry_safe(cell, next, &run->cells, node)
		dsbench_cell_free(cell);
	list_for_each_entry_safe(absent, behind, &run->absent, node)
		kfree(absent);
	list_for_each_entry_safe(unloaded, last, &run->unloaded, node)
		kfree(unloaded);
	if (run->clock)
		dsbench_cell_free(run->clock);
	kfree(run);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_run_free);

/**
 * dsbench_run_interrupt() - end a run after its current slice
 * @run: the run
 *
 * Context: any.
 */
void dsbench_run_interrupt(struct dsbench_run *run)
{
	WRITE_ONCE(run->interrupted, true);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_run_interrupt);

/**
 * dsbench_run_interrupted() - whether a run must end early
 * @run: the run
 *
 * Context: any.
 *
 * Return: true after dsbench_run_interrupt().
 */
bool dsbench_run_interrupted(const struct dsbench_run *run)
{
	return READ_ONCE(run->interrupted);
}

/**
 * dsbench_run_rate_moved() - whether the core's frequency changed during a run
 * @run: a run that has ended
 *
 * Context: any.
 *
 * Return: true if the rates at its start and at its end are known, and differ by
 * more than the noise of their measurement.
 */
bool dsbench_run_rate_moved(const struct dsbench_run *run)
{
	u32 begin = run->core_rate_begin;
	u32 end = run->core_rate_end;

	return begin && end &&
	       100 * max(begin, end) > 100 * min(begin, end) +
				       CORE_RATE_PERCENT * begin;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_run_rate_moved);

/**
 * dsbench_run_problem() - record why a run is not what was asked for
 * @run: keeps the first problem of the worst state
 * @state: the new state
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
