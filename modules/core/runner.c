// SPDX-License-Identifier: GPL-2.0
/*
 * The runner: one thread loads containers, runs them, unloads them, and sleeps
 * until the next request. Readers of the results wait until it is idle.
 */

#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "autoload.h"
#include "clock.h"
#include "neighbour.h"
#include "opnames.h"
#include "param_table.h"
#include "plan.h"
#include "registry.h"
#include "results.h"
#include "rounds.h"
#include "run.h"
#include "run_memory.h"
#include "runner.h"
#include "slice.h"
#include "summary.h"

/* Containers that are loaded within this time of each other run together. */
#define SETTLE_MS	50

/* Requests to the thread, and whether it is busy. */
enum {
	CLAIMED,		/* a request is being made */
	REQUEST_ALL,		/* load and run what the parameters select */
	REQUEST_PENDING,	/* run containers that have just registered */
	BUSY,
};

static unsigned long state;
static DECLARE_WAIT_QUEUE_HEAD(requested);
static DECLARE_WAIT_QUEUE_HEAD(idle);
static struct task_struct *thread;

/*
 * The run of the next REQUEST_ALL, and the run in progress; NULL if there is
 * none. Both can be interrupted.
 */
static struct dsbench_run *requested_run;
static struct dsbench_run *current_run;
static DEFINE_SPINLOCK(runs_lock);

/* A stop came while containers were pending; under the lock. */
static bool pending_stopped;

static u32 last_id;

static struct dsbench_run *alloc_run(void)
{
	struct dsbench_params p;
	struct dsbench_run *run;

	dsbench_params_get(&p);
	run = dsbench_run_alloc(&p);
	if (!run)
		pr_err("no memory for a run\n");
	return run;
}

/* Set the run that can be interrupted. The previous one may then be freed. */
static void set_current(struct dsbench_run *run)
{
	spin_lock(&runs_lock);
	current_run = run;
	spin_unlock(&runs_lock);
}

/*
 * Make the requested run the current one under one lock, so that a stop is
 * never lost.
 */
static struct dsbench_run *take_requested(void)
{
	struct dsbench_run *run;

	spin_lock(&runs_lock);
	run = requested_run;
	requested_run = NULL;
	current_run = run;
	spin_unlock(&runs_lock);
	return run;
}

/*
 * Bind the thread by its own affinity. A CPU that goes offline breaks the
 * binding.
 */
static void bind(struct dsbench_run *run)
{
	int cpu = run->params.cpu;

	if (cpu < 0)
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

/* A container that was named must be there. */
static void check_names(struct dsbench_run *run)
{
	const struct dsbench_unloaded *u;

	if (dsbench_select_all(&run->params))
		return;

	list_for_each_entry(u, &run->unloaded, node)
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    "containers=%s: dsbench_%s is not loaded, and cannot be: %s",
				    run->params.containers, u->container,
				    u->reason);
}

/* All that there are were wanted: a few may be missing, but not in silence. */
static void warn_unloaded(const struct dsbench_run *run)
{
	const struct dsbench_unloaded *u;

	if (!dsbench_select_all(&run->params) || list_empty(&run->cells))
		return;

	list_for_each_entry(u, &run->unloaded, node)
		pr_warn("run %u goes without %s: %s\n", run->id, u->container,
			u->reason);
}

/* Why there is nothing to run. */
static void explain_nothing(struct dsbench_run *run)
{
	const struct dsbench_unloaded *u;

	u = list_first_entry_or_null(&run->unloaded, struct dsbench_unloaded,
				     node);
	dsbench_run_problem(run, DSBENCH_RUN_FAILED,
			    "no container module is loaded, and none can be (%s): run make modules_install, or insmod dsbench_<container>.ko",
			    u ? u->reason : "modprobe found none");
}

/* The end of a run on another frequency than its start is worth a warning. */
static void check_core_rate(struct dsbench_run *run)
{
	run->core_rate_end = dsbench_clock_core_rate();
	if (dsbench_run_rate_moved(run))
		pr_warn(DSBENCH_CORE_RATE_MOVED "\n", run->id,
			run->core_rate_begin, run->core_rate_end);
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
	if (run->params.cpu >= 0 && !cpu_online(run->params.cpu)) {
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    "cpu=%d is offline: choose one of %*pbl, or -1 for the last of them",
				    run->params.cpu,
				    cpumask_pr_args(cpu_online_mask));
		return;
	}
	bind(run);
	dsbench_slice_overhead();
	run->core_rate_begin = dsbench_clock_core_rate();
	dsbench_neighbour_begin(run->params.patience);
	if (!dsbench_run_prepare(run) && dsbench_rounds(run))
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    "memory ran out before the first try");
	check_core_rate(run);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	run->ms = ktime_ms_delta(ktime_get(), start);
}

/* Explain a run without cells if every selected operation is absent. */
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

static void run_containers(struct dsbench_run *run, bool pending_only)
{
	struct joining j = { .run = run, .pending_only = pending_only };

	run->id = ++last_id;

	if (!pending_only)
		check_names(run);
	if (dsbench_registry_visit(join, &j) || dsbench_run_add_floors(run))
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    "memory ran out before the first try");
	else if (!list_empty(&run->cells))
		measure(run);
	warn_unloaded(run);

	if (list_empty(&run->cells) && !run->problem[0])
		explain_absent(run);
	if (list_empty(&run->cells) && !run->problem[0]) {
		if (pending_only) {
			last_id--;
			set_current(NULL);
			dsbench_run_free(run);
			return;
		}
		explain_nothing(run);
	}
	dsbench_run_finish(run);
	set_current(NULL);
	dsbench_results_publish(run);
}

static void serve_all(void)
{
	struct dsbench_run *run = take_requested();

	if (dsbench_autoload(run))
		dsbench_run_problem(run, DSBENCH_RUN_FAILED,
				    "memory ran out before the first try");
	run_containers(run, false);
	dsbench_autoload_release();
}

/* The run of the pending containers becomes the current one: a stop is never lost. */
static void take_pending(struct dsbench_run *run)
{
	spin_lock(&runs_lock);
	clear_bit(REQUEST_PENDING, &state);
	current_run = run;
	if (pending_stopped && run)
		dsbench_run_interrupt(run);
	pending_stopped = false;
	spin_unlock(&runs_lock);
}

static void serve_pending(void)
{
	struct dsbench_run *run = alloc_run();

	take_pending(run);
	schedule_timeout_idle(msecs_to_jiffies(SETTLE_MS));
	if (!run)
		return;

	dsbench_params_get(&run->params);
	run_containers(run, true);
}

static bool has_request(void)
{
	return READ_ONCE(state) & (BIT(REQUEST_ALL) | BIT(REQUEST_PENDING));
}

/*
 * BUSY is set before a request is taken and cleared after it was served, so a
 * reader never sees an idle state in between.
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
		} else if (test_bit(REQUEST_PENDING, &state)) {
			serve_pending();
		}
		clear_bit(BUSY, &state);
		wake_up_all(&idle);
	}
}

/**
 * dsbench_runner_request() - request a run of all that the parameters select
 *
 * The core holds a reference to itself until the run has ended: modprobe must
 * not find a core that is being removed.
 *
 * Context: may sleep.
 *
 * Return: 0, -EBUSY if a run is in progress, or -ENOMEM.
 */
int dsbench_runner_request(void)
{
	struct dsbench_run *run;

	__module_get(THIS_MODULE);
	if (cmpxchg(&state, 0UL, BIT(CLAIMED))) {
		module_put(THIS_MODULE);
		return -EBUSY;
	}

	run = alloc_run();
	if (!run) {
		clear_bit(CLAIMED, &state);
		module_put(THIS_MODULE);
		return -ENOMEM;
	}

	spin_lock(&runs_lock);
	requested_run = run;
	spin_unlock(&runs_lock);
	set_bit(REQUEST_ALL, &state);
	clear_bit(CLAIMED, &state);
	wake_up(&requested);
	return 0;
}

/* A subject has registered and is pending. */
static void kick(void)
{
	set_bit(REQUEST_PENDING, &state);
	wake_up(&requested);
}

/**
 * dsbench_runner_interrupt() - end the run in progress after its current slice,
 *	and those that are requested
 *
 * Context: any but interrupts.
 */
void dsbench_runner_interrupt(void)
{
	spin_lock(&runs_lock);
	if (requested_run)
		dsbench_run_interrupt(requested_run);
	if (current_run)
		dsbench_run_interrupt(current_run);
	if (test_bit(REQUEST_PENDING, &state))
		pending_stopped = true;
	spin_unlock(&runs_lock);
}

/**
 * dsbench_runner_wait() - wait until no run is in progress or requested
 * @nonblock: do not wait
 *
 * Context: may sleep.
 *
 * Return: 0; -EAGAIN if @nonblock and a run is in progress; -ERESTARTSYS on a
 * signal.
 */
int dsbench_runner_wait(bool nonblock)
{
	if (nonblock)
		return READ_ONCE(state) ? -EAGAIN : 0;
	return wait_event_interruptible(idle, !READ_ONCE(state));
}

/**
 * dsbench_runner_show() - print the state of the runner in one line
 * @m: the output
 *
 * "idle", "loading", or "running" with the finished tries and all tries.
 *
 * Context: may sleep.
 */
void dsbench_runner_show(struct seq_file *m)
{
	u64 done, total;

	dsbench_rounds_progress(&done, &total);
	if (!READ_ONCE(state))
		seq_puts(m, "idle\n");
	else if (!total)
		seq_puts(m, "loading\n");
	else
		seq_printf(m, "running %llu %llu\n", done, total);
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
	if (IS_ERR(thread))
		return PTR_ERR(thread);

	dsbench_registry_on_pending(kick);
	return 0;
}

/**
 * dsbench_runner_stop() - stop the thread
 *
 * No subject is registered any more, since each holds a reference to the core's
 * module, so no run is in progress.
 *
 * Context: may sleep.
 */
void dsbench_runner_stop(void)
{
	kthread_stop(thread);
}
