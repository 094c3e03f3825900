// SPDX-License-Identifier: GPL-2.0
/*
 * One thread does everything that takes time: it loads containers, runs them,
 * unloads them again, then sleeps until the next request. Readers of the
 * results wait until it has nothing to do.
 */

#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/prandom.h>
#include <linux/seq_file.h>
#include <linux/wait.h>

#include "core.h"

/* Containers that are loaded one after the other within this time run together. */
#define SETTLE_MS	50

/* What the thread is to do, and whether it is at it. */
enum {
	CLAIMED,		/* somebody is about to request all */
	REQUEST_ALL,		/* load and run what the parameters select */
	REQUEST_PENDING,	/* run containers that have just registered */
	BUSY,
};

static unsigned long state;
static DECLARE_WAIT_QUEUE_HEAD(requested);
static DECLARE_WAIT_QUEUE_HEAD(idle);
static struct task_struct *thread;

/* The parameters as they were when all was requested. */
static struct dsbench_params requested_params;

static bool interrupt;
static u32 last_id;

/* Progress of the run, in tries; only for show. */
static u64 tries_done;
static u64 tries_total;

/**
 * dsbench_runner_interrupted() - is the run to end early?
 *
 * Context: any.
 *
 * Return: true after dsbench_runner_interrupt(), until the run has ended.
 */
bool dsbench_runner_interrupted(void)
{
	return READ_ONCE(interrupt);
}

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
				    "%s had no memory in %s at n=%u: its results are dropped",
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

/* False when the run must end. */
static bool serve_cell(struct dsbench_run *run, struct dsbench_cell *cell,
		       bool keep)
{
	int err;

	if (dsbench_runner_interrupted() || kthread_should_stop())
		return false;
	if (!cell->source)
		return true;
	if (READ_ONCE(cell->source->leaving)) {
		container_left(run, cell);
		return true;
	}
	if (cell->done == cell->tries)
		return true;

	err = cell->threads ? dsbench_try_shared(cell, keep) :
			      dsbench_try(cell, keep);
	if (err == -EINTR)
		return true;	/* the next call finds out why */
	if (err) {
		cell_failed(run, cell, err);
		dsbench_run_drop(run, cell->source);
		forget_samples(run, cell->container);
		return true;
	}
	WRITE_ONCE(tries_done, tries_done + keep);
	cond_resched();
	return true;
}

/* One try of every cell that has not got all its samples, in random order. */
static bool run_round(struct dsbench_run *run, struct dsbench_cell **cells,
		      u32 *order, struct rnd_state *rnd, bool keep)
{
	u32 i;

	dsbench_shuffle(order, run->nr_cells, rnd);
	for (i = 0; i < run->nr_cells; i++) {
		if (!serve_cell(run, cells[order[i]], keep))
			return false;
	}
	return true;
}

/* Floors get a try a round, as their containers do, and are done with them. */
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

	prandom_seed_state(&rnd, run->params.seed);
	do {
		go_on = run_round(run, cells, order, &rnd, false);
	} while (go_on && !all_done(run) && ktime_before(ktime_get(), warm));

	while (go_on && !all_done(run))
		go_on = run_round(run, cells, order, &rnd, true);

	if (!go_on)
		dsbench_run_problem(run, DSBENCH_RUN_INTERRUPTED,
				    "stopped before all tries were made");
}

static int run_cells(struct dsbench_run *run)
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

/* The thread's own affinity, not a lock: a CPU that goes offline loses it. */
static void bind(struct dsbench_run *run)
{
	int cpu = run->params.cpu;

	if (cpu < 0 || !cpu_online(cpu))
		cpu = cpumask_last(cpu_online_mask);
	if (set_cpus_allowed_ptr(current, cpumask_of(cpu)))
		pr_warn("run %u: could not be bound to CPU %d\n", run->id, cpu);
	run->cpu = cpu;
}

struct joining {
	struct dsbench_run *run;
	bool pending_only;
};

static int join(struct dsbench_subject *c, void *arg)
{
	struct joining *j = arg;
	bool wanted = j->pending_only ? c->pending :
		      dsbench_selected(&j->run->params, c->name);

	if (!wanted)
		return 0;

	c->pending = false;
	return dsbench_run_add(j->run, c);
}

static int not_registered(struct dsbench_subject *c, void *arg)
{
	return !strcmp(c->name, arg);
}

static void check_names(struct dsbench_run *run)
{
	char names[DSBENCH_SELECT_LEN];
	char *rest = names;
	char *name;

	if (dsbench_select_all(&run->params))
		return;

	strscpy(names, run->params.containers, sizeof(names));
	while ((name = strsep(&rest, ","))) {
		if (!dsbench_registry_visit(not_registered, name))
			dsbench_run_problem(run, DSBENCH_RUN_FAILED,
					    "containers=%s: there is no module dsbench_%s loaded or installed",
					    run->params.containers, name);
	}
}

static void measure(struct dsbench_run *run)
{
	u32 cpus = dsbench_threads_cpus(&run->params);
	ktime_t start = ktime_get();

	if (cpus > num_online_cpus()) {
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    DSBENCH_TOO_FEW_CPUS, cpus,
				    num_online_cpus());
		return;
	}
	bind(run);
	dsbench_clock_overhead();
	dsbench_neighbour_begin(run->params.patience);
	if (!dsbench_run_prepare(run) && run_cells(run))
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    "memory ran out before the first try");
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	run->ms = ktime_ms_delta(ktime_get(), start);
}

/* Why a run has no cells, where all that was asked for is not there. */
static void explain_absent(struct dsbench_run *run)
{
	struct dsbench_absent *absent;

	absent = list_first_entry_or_null(&run->absent, struct dsbench_absent,
					  node);
	if (absent)
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    "%s has no %s, so there is nothing to time: choose other ops or containers",
				    absent->container,
				    dsbench_op_names[absent->op]);
}

static void run_containers(const struct dsbench_params *p, bool pending_only)
{
	struct joining j = { .pending_only = pending_only };
	struct dsbench_run *run;

	run = dsbench_run_alloc(p);
	if (!run) {
		pr_err("no memory for a run\n");
		return;
	}
	run->id = ++last_id;

	j.run = run;
	if (!pending_only)
		check_names(run);
	if (dsbench_registry_visit(join, &j) || dsbench_run_add_floors(run))
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    "memory ran out before the first try");
	else if (!list_empty(&run->cells))
		measure(run);

	if (list_empty(&run->cells) && !run->problem[0])
		explain_absent(run);
	if (list_empty(&run->cells) && !run->problem[0]) {
		if (pending_only) {
			last_id--;
			dsbench_run_free(run);
			return;
		}
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    "no container module is loaded or installed: run make modules_install, or insmod dsbench_<container>.ko");
	}
	dsbench_run_finish(run);
	dsbench_results_publish(run);
}

static void serve_all(void)
{
	dsbench_autoload(&requested_params);
	run_containers(&requested_params, false);
	dsbench_autoload_release();
}

static void serve_pending(void)
{
	struct dsbench_params p;

	schedule_timeout_idle(msecs_to_jiffies(SETTLE_MS));
	dsbench_params_get(&p);
	run_containers(&p, true);
}

static bool has_request(void)
{
	return READ_ONCE(state) & (BIT(REQUEST_ALL) | BIT(REQUEST_PENDING));
}

/*
 * BUSY is set before a request is taken and cleared after it was served, so a
 * reader never sees nothing to do in between.
 */
static int runner(void *unused)
{
	for (;;) {
		wait_event_idle(requested,
				has_request() || kthread_should_stop());
		if (kthread_should_stop())
			return 0;

		set_bit(BUSY, &state);
		if (test_and_clear_bit(REQUEST_ALL, &state)) {
			serve_all();
			module_put(THIS_MODULE);
		} else if (test_and_clear_bit(REQUEST_PENDING, &state)) {
			WRITE_ONCE(interrupt, false);
			serve_pending();
		}
		clear_bit(BUSY, &state);
		wake_up_all(&idle);
	}
}

/**
 * dsbench_runner_request() - run all that the parameters select, as they are now
 *
 * The core holds a reference to itself until that is over: modprobe must not
 * meet a core that is on its way out.
 *
 * Context: may sleep.
 *
 * Return: 0, or -EBUSY where something is running already.
 */
int dsbench_runner_request(void)
{
	__module_get(THIS_MODULE);
	if (cmpxchg(&state, 0UL, BIT(CLAIMED))) {
		module_put(THIS_MODULE);
		return -EBUSY;
	}

	dsbench_params_get(&requested_params);
	WRITE_ONCE(interrupt, false);	/* from here on it may be stopped */
	set_bit(REQUEST_ALL, &state);
	clear_bit(CLAIMED, &state);
	wake_up(&requested);
	return 0;
}

/**
 * dsbench_runner_kick() - a container has registered and is pending
 *
 * Context: any.
 */
void dsbench_runner_kick(void)
{
	set_bit(REQUEST_PENDING, &state);
	wake_up(&requested);
}

/**
 * dsbench_runner_interrupt() - end the run in progress after its current slice
 *
 * Context: any.
 */
void dsbench_runner_interrupt(void)
{
	WRITE_ONCE(interrupt, true);
}

/**
 * dsbench_runner_wait() - wait until nothing runs and nothing is requested
 * @nonblock: do not wait
 *
 * Context: may sleep.
 *
 * Return: 0; -EAGAIN where @nonblock and something runs; -ERESTARTSYS on a
 * signal.
 */
int dsbench_runner_wait(bool nonblock)
{
	if (nonblock)
		return READ_ONCE(state) ? -EAGAIN : 0;
	return wait_event_interruptible(idle, !READ_ONCE(state));
}

/**
 * dsbench_runner_show() - what is going on, in one line
 * @m: where to
 *
 * "idle", "loading", or "running" with the tries done and all of them.
 *
 * Context: may sleep.
 */
void dsbench_runner_show(struct seq_file *m)
{
	u64 total = READ_ONCE(tries_total);

	if (!READ_ONCE(state))
		seq_puts(m, "idle\n");
	else if (!total)
		seq_puts(m, "loading\n");
	else
		seq_printf(m, "running %llu %llu\n", READ_ONCE(tries_done),
			   total);
}

/**
 * dsbench_runner_start() - start the thread
 *
 * Context: may sleep.
 *
 * Return: 0 or a negative error code.
 */
int dsbench_runner_start(void)
{
	thread = kthread_run(runner, NULL, "dsbench");
	return PTR_ERR_OR_ZERO(thread);
}

/**
 * dsbench_runner_stop() - end the thread
 *
 * No container is registered any more, for each holds a reference to the
 * core's module, so nothing can be running.
 *
 * Context: may sleep.
 */
void dsbench_runner_stop(void)
{
	kthread_stop(thread);
}
