// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs dsbench/: results and samples as CSV, the containers, the clock
 * against ktime, and run, which starts and stops runs. Readers of results,
 * samples and clock block while a run is in progress, like readers of
 * /proc/dsbench.
 */

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/math64.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "clock.h"
#include "debugfs.h"
#include "opnames.h"
#include "registry.h"
#include "results.h"
#include "runner.h"
#include "stats.h"

static struct dentry *directory;

static void put_milli(struct seq_file *m, s64 milli)
{
	u32 part;
	u64 units = div_u64_rem(abs(milli), 1000, &part);

	seq_printf(m, ",%s%llu.%03u", milli < 0 ? "-" : "", units, part);
}

static void put_result(struct seq_file *m, const struct dsbench_run *run,
		       const struct dsbench_cell *cell)
{
	const struct dsbench_stats *s = &cell->stats;

	seq_printf(m, "%u,%s,%s,%u,%u,%u,%u", run->id, cell->container,
		   dsbench_op_names[cell->op], cell->n, cell->elements,
		   cell->done, cell->disturbed);
	put_milli(m, s->min);
	put_milli(m, s->p50);
	put_milli(m, s->mean);
	put_milli(m, s->p90);
	put_milli(m, s->p99);
	put_milli(m, s->max);
	put_milli(m, s->mad);
	put_milli(m, dsbench_per_element(s->p50, cell->elements));
	if (cell->x_floor)
		put_milli(m, cell->x_floor);
	else
		seq_puts(m, ",-");
	seq_printf(m, ",%u,%u\n", cell->threads, cell->burst);
}

static int results_show(struct seq_file *m, void *unused)
{
	struct dsbench_cell *cell;
	struct dsbench_run *run;

	seq_puts(m, "run,container,op,n,elements,tries,disturbed,min,p50,mean,p90,p99,max,mad,per_element,x_floor,threads,burst\n");
	dsbench_results_lock();
	list_for_each_entry(run, &dsbench_results, node) {
		list_for_each_entry(cell, &run->cells, node)
			put_result(m, run, cell);
	}
	dsbench_results_unlock();
	return 0;
}

static int results_open(struct inode *inode, struct file *file)
{
	int err = dsbench_runner_wait(file->f_flags & O_NONBLOCK);

	return err ?: single_open(file, results_show, NULL);
}

static const struct file_operations results_fops = {
	.owner = THIS_MODULE,
	.open = results_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

/*
 * There may be millions of samples, so they are printed one by one. The
 * position counts all of them; line 0 is the column names.
 */
struct cursor {
	const struct dsbench_run *run;
	const struct dsbench_cell *cell;
	u32 try;
};

static bool seek(struct cursor *at, u64 sample)
{
	list_for_each_entry(at->run, &dsbench_results, node) {
		list_for_each_entry(at->cell, &at->run->cells, node) {
			if (sample < at->cell->done) {
				at->try = sample;
				return true;
			}
			sample -= at->cell->done;
		}
	}
	return false;
}

static void *samples_start(struct seq_file *m, loff_t *pos)
{
	struct cursor *at = m->private;

	dsbench_results_lock();
	if (!*pos)
		return SEQ_START_TOKEN;
	return seek(at, *pos - 1) ? at : NULL;
}

static void *samples_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct cursor *at = m->private;

	++*pos;
	if (v != SEQ_START_TOKEN && ++at->try < at->cell->done)
		return at;
	return seek(at, *pos - 1) ? at : NULL;
}

static void samples_stop(struct seq_file *m, void *v)
{
	dsbench_results_unlock();
}

static void put_sharing(struct seq_file *m, const struct dsbench_cell *cell,
			u32 try)
{
	static const struct dsbench_sharing none;
	const struct dsbench_sharing *s = cell->sharing ?
					  &cell->sharing[try] : &none;

	seq_printf(m, ",%llu,%llu,%u", s->elapsed, s->reads, s->writes);
}

static int samples_show(struct seq_file *m, void *v)
{
	const struct cursor *at = v;

	if (v == SEQ_START_TOKEN) {
		seq_puts(m, "run,container,op,n,elements,try,count,disturbed,threads,elapsed,reads,writes,burst\n");
		return 0;
	}
	seq_printf(m, "%u,%s,%s,%u,%u,%u,%lld,%d,%u", at->run->id,
		   at->cell->container, dsbench_op_names[at->cell->op],
		   at->cell->n, at->cell->elements, at->try,
		   at->cell->samples[at->try],
		   test_bit(at->try, at->cell->is_disturbed),
		   at->cell->threads);
	put_sharing(m, at->cell, at->try);
	seq_printf(m, ",%u\n", at->cell->burst);
	return 0;
}

static const struct seq_operations samples_seq_ops = {
	.start = samples_start,
	.next = samples_next,
	.stop = samples_stop,
	.show = samples_show,
};

static int samples_open(struct inode *inode, struct file *file)
{
	int err = dsbench_runner_wait(file->f_flags & O_NONBLOCK);

	return err ?: seq_open_private(file, &samples_seq_ops,
				       sizeof(struct cursor));
}

static const struct file_operations samples_fops = {
	.owner = THIS_MODULE,
	.open = samples_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

static int show_container(struct dsbench_subject *c, void *arg)
{
	struct seq_file *m = arg;
	const char *gap = "";
	int op;

	seq_printf(m, "%s,%u,%u,%s,", c->name, c->n, c->tries,
		   c->running ? "running" : "registered");
	for (op = 0; op < DSBENCH_NR_OPS; op++) {
		if (!c->ops->op[op])
			continue;
		seq_printf(m, "%s%s", gap, dsbench_op_names[op]);
		gap = " ";
	}
	seq_putc(m, '\n');
	return 0;
}

static int containers_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "container,n,tries,state,ops\n");
	return dsbench_registry_visit(show_container, m);
}
DEFINE_SHOW_ATTRIBUTE(containers);

/* A read takes a second, in which both clocks are read. */
#define CLOCK_MOMENTS	3
#define CLOCK_STEP_MS	500

static int clock_show(struct seq_file *m, void *unused)
{
	struct dsbench_moment moment;
	int i;

	seq_puts(m, "ns,ticks\n");
	for (i = 0; i < CLOCK_MOMENTS; i++) {
		if (i && msleep_interruptible(CLOCK_STEP_MS))
			return -EINTR;
		dsbench_clock_moment(&moment);
		seq_printf(m, "%llu,%llu\n", moment.ns, moment.ticks);
	}
	return 0;
}

static int clock_open(struct inode *inode, struct file *file)
{
	int err = dsbench_runner_wait(file->f_flags & O_NONBLOCK);

	return err ?: single_open(file, clock_show, NULL);
}

static const struct file_operations clock_fops = {
	.owner = THIS_MODULE,
	.open = clock_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static int run_show(struct seq_file *m, void *unused)
{
	dsbench_runner_show(m);
	return 0;
}

static int run_open(struct inode *inode, struct file *file)
{
	return single_open(file, run_show, NULL);
}

static int start_run(void)
{
	int err = dsbench_runner_request();

	if (err == -EBUSY)
		pr_err("run: a run is in progress: wait for it (cat /proc/dsbench) or write stop\n");
	return err;
}

static ssize_t run_write(struct file *file, const char __user *buf,
			 size_t count, loff_t *pos)
{
	char command[16] = {};
	int err;

	if (count < sizeof(command) &&
	    copy_from_user(command, buf, count))
		return -EFAULT;

	if (sysfs_streq(command, "stop")) {
		dsbench_runner_interrupt();
		return count;
	}
	if (count >= sizeof(command) ||
	    !(sysfs_streq(command, "1") || sysfs_streq(command, "start"))) {
		pr_err("run=%.*s: must be 1 or start to run with the parameters as they are, or stop to end the run in progress\n",
		       (int)strcspn(command, "\n"), command);
		return -EINVAL;
	}
	err = start_run();
	return err ?: count;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = run_open,
	.read = seq_read,
	.write = run_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/**
 * dsbench_debugfs_init() - create the folder, if there is a debugfs
 *
 * Context: may sleep.
 */
void dsbench_debugfs_init(void)
{
	directory = debugfs_create_dir("dsbench", NULL);
	debugfs_create_file("results", 0444, directory, NULL, &results_fops);
	debugfs_create_file("samples", 0444, directory, NULL, &samples_fops);
	debugfs_create_file("containers", 0444, directory, NULL,
			    &containers_fops);
	debugfs_create_file("clock", 0444, directory, NULL, &clock_fops);
	debugfs_create_file("run", 0600, directory, NULL, &run_fops);
}

/**
 * dsbench_debugfs_exit() - remove the folder, after its readers
 *
 * Context: may sleep.
 */
void dsbench_debugfs_exit(void)
{
	debugfs_remove(directory);
}
