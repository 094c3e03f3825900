// SPDX-License-Identifier: GPL-2.0
/* /proc/dsbench: a header of "# key: value" lines, then a row for each cell. */

#include <linux/math64.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/string.h>

#include "environ.h"
#include "opnames.h"
#include "procfs.h"
#include "resolution.h"
#include "results.h"
#include "runner.h"
#include "stats.h"

/* A warning is printed from one disturbed try in this number on. */
#define NOTABLE_SHARE	20

static const char * const state_names[] = {
	[DSBENCH_RUN_COMPLETE] = "complete",
	[DSBENCH_RUN_INTERRUPTED] = "interrupted",
	[DSBENCH_RUN_FAILED] = "failed",
};

static void show_threads(struct seq_file *m, const struct dsbench_params *p)
{
	u32 i;

	if (!p->nr_threads)
		return;

	for (i = 0; i < p->nr_threads; i++)
		seq_printf(m, "%s%u", i ? "," : " threads=", p->threads[i]);
	seq_printf(m, " writes=%u", p->writes);
}

static void show_run(struct seq_file *m, const struct dsbench_run *run)
{
	const struct dsbench_params *p = &run->params;

	seq_printf(m, "# run: %u n=%u tries=%u precision=%u warmup=%u patience=%u seed=%llu order=%s alloc=%s erase_order=%s lookups=%u misses=%u cpu=%d",
		   run->id, p->n, p->tries, p->precision, p->warmup,
		   p->patience, p->seed, p->sequential ? "sequential" : "shuffled",
		   p->inline_alloc ? "inline" : "prealloc",
		   p->erase_as_inserted ? "insertion" : "key", p->lookups,
		   p->misses, run->cpu);
	show_threads(m, p);
	seq_printf(m, " containers=%s state=%s ms=%llu\n", p->containers,
		   state_names[run->state], run->ms);
}

/* What the clock itself costs, beyond clock_overhead, and the core's frequency. */
static void show_clock(struct seq_file *m, const struct dsbench_run *run)
{
	if (run->clock && run->clock->done)
		seq_printf(m, "# clock_cost: run %u p10=%lld p50=%lld p90=%lld thousandths of a count a try\n",
			   run->id, run->clock_p10, run->clock_p50,
			   run->clock_p90);
	if (run->core_rate_begin)
		seq_printf(m, "# core_rate: run %u begin=%u end=%u core cycles per 1000 ticks of the TSC\n",
			   run->id, run->core_rate_begin, run->core_rate_end);
	if (dsbench_run_rate_moved(run))
		seq_printf(m, "# warning: " DSBENCH_CORE_RATE_MOVED "\n",
			   run->id, run->core_rate_begin, run->core_rate_end);
}

/* Print the protection of each shared container once for all its cells. */
static void show_sharing(struct seq_file *m, const struct dsbench_run *run)
{
	const struct dsbench_cell *cell;
	const char *shown = "";

	list_for_each_entry(cell, &run->cells, node) {
		if (!(cell->threads || cell->unshared) ||
		    !strcmp(cell->container, shown))
			continue;
		shown = cell->container;
		if (cell->unshared) {
			seq_printf(m, "# sharing: %s absent\n", shown);
			continue;
		}
		seq_printf(m, "# sharing: %s readers=%s writer=%s writes=%u\n",
			   shown, cell->readers,
			   cell->writes ? cell->writer : "none", cell->writes);
	}
}

/* Print one line for all cells: on a shared core each has a few. */
static void show_disturbed(struct seq_file *m, const struct dsbench_run *run)
{
	const struct dsbench_cell *cell;
	u64 disturbed = 0;
	u64 done = 0;

	list_for_each_entry(cell, &run->cells, node) {
		disturbed += cell->disturbed;
		done += cell->done;
	}
	if (disturbed * NOTABLE_SHARE > done)
		seq_printf(m, "# warning: run %u, %llu of %llu tries were disturbed: by interrupts, or by others on the same core\n",
			   run->id, disturbed, done);
}

static void show_absent(struct seq_file *m, const struct dsbench_run *run)
{
	const struct dsbench_absent *absent;

	list_for_each_entry(absent, &run->absent, node)
		seq_printf(m, "# absent: %s %s\n", absent->container,
			   dsbench_op_names[absent->op]);
}

/* Named only beside results: a run without any says why. */
static void show_unloaded(struct seq_file *m, const struct dsbench_run *run)
{
	const struct dsbench_unloaded *u;

	if (list_empty(&run->cells))
		return;

	list_for_each_entry(u, &run->unloaded, node)
		seq_printf(m, "# not_loaded: %s, run %u: %s\n", u->container,
			   run->id, u->reason);
}

static void show_cell_notes(struct seq_file *m, const struct dsbench_run *run,
			    const struct dsbench_cell *cell)
{
	char op[sizeof("for_each with 4294967295 readers")];

	if (cell->threads)
		snprintf(op, sizeof(op), "%s with %u readers",
			 dsbench_op_names[cell->op], cell->threads);
	else if (cell->burst)
		snprintf(op, sizeof(op), "%s in bursts of %u",
			 dsbench_op_names[cell->op], cell->burst);
	else
		strscpy(op, dsbench_op_names[cell->op], sizeof(op));

	if (cell->op == DSBENCH_FIND && cell->elements != cell->n)
		seq_printf(m, "# lookups: run %u, %u of %u keys in %s %s\n",
			   run->id, cell->elements, cell->n, op,
			   cell->container);
	if (cell->done < cell->tries)
		seq_printf(m, "# warning: run %u has only %u of %u tries of %s %s\n",
			   run->id, cell->done, cell->tries, op,
			   cell->container);
	if (dsbench_below_resolution(cell))
		seq_printf(m, "# warning: run %u, %s %s at n=%u is below the clock's resolution: take more elements\n",
			   run->id, op, cell->container, cell->n);
}

/* Milli-cycles to whole cycles. */
static s64 whole(s64 milli)
{
	return div_s64(milli < 0 ? milli - 500 : milli + 500, 1000);
}

static void show_per_element(struct seq_file *m,
			     const struct dsbench_cell *cell)
{
	s64 milli = dsbench_per_element(cell->stats.p50, cell->elements);
	u32 part;
	u64 units;

	if (dsbench_below_resolution(cell)) {
		seq_puts(m, " below_resolution");
		return;
	}
	units = div_u64_rem(milli + 5, 1000, &part);
	seq_printf(m, " %13llu.%02u", units, part / 10);
}

static void show_x_floor(struct seq_file *m, const struct dsbench_cell *cell)
{
	u32 part;
	u64 units = div_u64_rem(cell->x_floor + 5, 1000, &part);

	if (cell->x_floor)
		seq_printf(m, " %9llu.%02u", units, part / 10);
	else
		seq_printf(m, " %12s", "-");
}

static void show_cell(struct seq_file *m, const struct dsbench_cell *cell)
{
	const struct dsbench_stats *s = &cell->stats;

	seq_printf(m, "%-15s %-8s %8u %7u %9u %12lld %12lld %12lld %12lld %12lld %12lld %12lld",
		   cell->container, dsbench_op_names[cell->op], cell->n,
		   cell->done, cell->disturbed, whole(s->min), whole(s->p50),
		   whole(s->mean), whole(s->p90), whole(s->p99),
		   whole(s->max), whole(s->mad));
	show_per_element(m, cell);
	show_x_floor(m, cell);
	seq_printf(m, " %7u %5u\n", cell->threads, cell->burst);
}

static int results_show(struct seq_file *m, void *unused)
{
	struct dsbench_cell *cell;
	struct dsbench_run *run;

	dsbench_environ_show(m);
	dsbench_results_lock();
	list_for_each_entry(run, &dsbench_results, node) {
		show_run(m, run);
		show_clock(m, run);
		show_sharing(m, run);
		if (run->problem[0])
			seq_printf(m, "# warning: run %u: %s\n", run->id,
				   run->problem);
		show_disturbed(m, run);
		show_absent(m, run);
		show_unloaded(m, run);
		list_for_each_entry(cell, &run->cells, node)
			show_cell_notes(m, run, cell);
	}

	seq_printf(m, "%-15s %-8s %8s %7s %9s %12s %12s %12s %12s %12s %12s %12s %16s %12s %7s %5s\n",
		   "container", "op", "n", "tries", "disturbed", "min", "p50",
		   "mean", "p90", "p99", "max", "mad", "per_element", "x_floor",
		   "threads", "burst");
	list_for_each_entry(run, &dsbench_results, node) {
		list_for_each_entry(cell, &run->cells, node)
			show_cell(m, cell);
	}
	dsbench_results_unlock();
	return 0;
}

/* Readers block here while a run is in progress. The wait is interruptible. */
static int results_open(struct inode *inode, struct file *file)
{
	int err = dsbench_runner_wait(file->f_flags & O_NONBLOCK);

	return err ?: single_open(file, results_show, NULL);
}

static const struct proc_ops results_proc_ops = {
	.proc_open = results_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
};

/**
 * dsbench_procfs_init() - create /proc/dsbench
 *
 * Context: may sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int dsbench_procfs_init(void)
{
	if (!IS_ENABLED(CONFIG_PROC_FS)) {
		pr_warn("this kernel has no procfs: the results are in debugfs only\n");
		return 0;
	}
	return proc_create("dsbench", 0444, NULL, &results_proc_ops) ?
	       0 : -ENOMEM;
}

/**
 * dsbench_procfs_exit() - remove /proc/dsbench, after its readers
 *
 * Context: may sleep.
 */
void dsbench_procfs_exit(void)
{
	remove_proc_entry("dsbench", NULL);
}
