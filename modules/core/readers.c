// SPDX-License-Identifier: GPL-2.0
/*
 * A try of a container that is shared: readers on CPUs of their own go over it,
 * all from the same moment on, while a writer erases and inserts beside them.
 *
 * The threads live as long as the try. They are bound, and CPUs stay online
 * meanwhile. Each reader makes whole passes, n lookups or a walk, checks what it
 * found after each, and measures for READ_MS at least; then it goes on, no
 * longer measuring, until the last one has measured: so none has the container
 * to itself. A pass is cut into slices without preemption, as any try is, and
 * between them a reader heeds an interruption.
 */

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "core.h"

/* How long each reader measures, at least. */
#define READ_MS		10

/* A writer that has to wait longer than this does not spin; in us. */
#define SPIN_US		100U
#define SLEEP_US	500U

/**
 * struct tally - slices that were timed
 * @ticks: how long they took, without the clock's own
 * @elements: that were looked up, or met, in them
 */
struct tally {
	s64 ticks;
	u64 elements;
};

/**
 * struct crew - the threads of a try
 * @cell: what they work on
 * @churn: what the writer changes
 * @hits: what each pass of each reader must count
 * @sum: and add up
 * @absent: threads that have not come to the start
 * @measuring: readers that have not yet measured long enough
 * @busy: threads that have not yet finished
 * @over: waits for @busy to become 0
 * @err: what went wrong first
 * @writes: what the writer did
 * @writer: its thread, or NULL
 * @readers: one for each of the cell's threads
 */
struct crew {
	struct dsbench_cell *cell;
	struct dsbench_churn *churn;
	u32 hits;
	u64 sum;
	atomic_t absent;
	atomic_t measuring;
	atomic_t busy;
	wait_queue_head_t over;
	int err;
	u32 writes;
	struct task_struct *writer;
	struct reader *readers[];
};

/**
 * struct reader - one of them, in cache lines of its own
 * @crew: all of them
 * @task: its thread
 * @set: the cell's, with counts and a place of its own
 * @all: all slices that it timed
 * @clean: those of them that no interrupt fell into
 * @window: how long it measured, in ticks
 */
struct reader {
	struct crew *crew;
	struct task_struct *task;
	struct dsbench_set set;
	struct tally all;
	struct tally clean;
	u64 window;
} ____cacheline_aligned;

static const struct dsbench_shared_ops *shared_of(const struct dsbench_cell *cell)
{
	return cell->source->ops->shared;
}

static bool must_end(const struct crew *crew)
{
	return READ_ONCE(crew->err) || dsbench_cell_must_end(crew->cell);
}

static void failed(struct crew *crew, int err)
{
	cmpxchg(&crew->err, 0, err);
}

/* All have been woken before any waits here, so it can't be for ever. */
static void start_together(struct crew *crew)
{
	atomic_dec(&crew->absent);
	while (atomic_read(&crew->absent)) {
		cpu_relax();
		cond_resched();
	}
}

static void finish(struct crew *crew)
{
	if (atomic_dec_and_test(&crew->busy))
		wake_up(&crew->over);
}

static void count(struct reader *r, const struct dsbench_slice *slice,
		  u32 elements)
{
	s64 ticks = slice->ticks - dsbench_clock_info()->overhead;

	r->all.ticks += ticks;
	r->all.elements += elements;
	if (slice->disturbed)
		return;
	r->clean.ticks += ticks;
	r->clean.elements += elements;
}

/* The next slice of a pass; false at the end of it. */
static bool next_slice(const struct reader *r, struct dsbench_slice *slice)
{
	const struct dsbench_cell *cell = r->crew->cell;

	if (cell->op == DSBENCH_FOR_EACH) {
		bool begun = slice->last;

		slice->last = cell->slice;
		return !begun || r->set.at;
	}
	slice->first = slice->last;
	slice->last = min(cell->elements, slice->first + cell->slice);
	return slice->first < slice->last;
}

/* Go over the container once, or until the last one has measured. */
static int pass(struct reader *r, bool measure)
{
	struct crew *crew = r->crew;
	struct dsbench_cell *cell = crew->cell;
	struct dsbench_set *set = &r->set;
	struct dsbench_slice slice = {
		.op = cell->op == DSBENCH_FOR_EACH ? shared_of(cell)->for_each :
						     shared_of(cell)->find,
		.set = set,
	};

	set->hits = 0;
	set->sum = 0;
	set->at = NULL;
	while (next_slice(r, &slice)) {
		u32 hits = set->hits;

		dsbench_time_slice(&slice);
		if (slice.err)
			return slice.err;
		if (set->hits > crew->hits)
			return -EUCLEAN;	/* a walk without an end */
		if (measure)
			count(r, &slice, cell->op == DSBENCH_FOR_EACH ?
			      set->hits - hits : slice.last - slice.first);
		else if (!atomic_read(&crew->measuring))
			return 0;
		if (must_end(crew))
			return -EINTR;
		cond_resched();
	}
	return set->hits == crew->hits && set->sum == crew->sum ? 0 : -EUCLEAN;
}

static int read_all_along(void *data)
{
	struct reader *r = data;
	struct crew *crew = r->crew;
	u64 least = dsbench_clock_info()->khz * READ_MS;
	u64 start;
	int err;

	start_together(crew);
	start = dsbench_clock();
	do {
		err = pass(r, true);
		r->window = dsbench_clock() - start;
	} while (!err && r->window < least);

	atomic_dec(&crew->measuring);
	while (!err && atomic_read(&crew->measuring))
		err = pass(r, false);
	if (err)
		failed(crew, err);
	finish(crew);
	return 0;
}

/* Ticks between two operations of the writer. */
static u64 write_interval(const struct dsbench_cell *cell)
{
	return div_u64(dsbench_clock_info()->khz * MSEC_PER_SEC, cell->writes);
}

static void wait_a_little(u64 ticks)
{
	u64 us = div64_u64(ticks * USEC_PER_MSEC, dsbench_clock_info()->khz);

	if (us > SPIN_US)
		usleep_range(min_t(u64, us, SLEEP_US) / 2, min_t(u64, us, SLEEP_US));
	else
		cpu_relax();
}

/* One that can't keep up with its rate does what it can. */
static int write_all_along(void *data)
{
	struct crew *crew = data;
	struct dsbench_cell *cell = crew->cell;
	u64 next, now;
	int err = 0;

	start_together(crew);
	next = dsbench_clock() + cell->write_wait;
	while (atomic_read(&crew->measuring) && !must_end(crew)) {
		now = dsbench_clock();
		if (now < next) {
			wait_a_little(next - now);
			cond_resched();
			continue;
		}
		err = dsbench_churn_step(crew->churn);
		if (err == -EAGAIN) {
			usleep_range(SPIN_US / 2, SPIN_US);
			continue;
		}
		if (err) {
			failed(crew, err);
			break;
		}
		crew->writes++;
		next += write_interval(cell);
		cond_resched();
	}
	now = dsbench_clock();
	cell->write_wait = next > now ? next - now : 0;
	finish(crew);
	return 0;
}

static struct task_struct *hire(int (*work)(void *data), void *data,
				unsigned int cpu, const char *name)
{
	struct task_struct *task = kthread_create(work, data, "dsbench_%s/%u",
						  name, cpu);

	if (IS_ERR(task))
		return NULL;

	kthread_bind(task, cpu);
	return get_task_struct(task);
}

/*
 * The writer works on the run's own CPU, where the run only waits meanwhile; the
 * readers on the others, in their order. Without a writer that CPU comes last.
 */
static int hire_all(struct crew *crew)
{
	struct dsbench_cell *cell = crew->cell;
	unsigned int own = raw_smp_processor_id();
	unsigned int cpu = own;
	u32 i;

	if (cell->writes) {
		crew->writer = hire(write_all_along, crew, own, "write");
		if (!crew->writer)
			return -ENOMEM;
	}
	for (i = 0; i < cell->threads; i++) {
		struct reader *r = crew->readers[i];

		do {
			cpu = cpumask_next(cpu, cpu_online_mask);
			if (cpu >= nr_cpu_ids)
				cpu = cpumask_first(cpu_online_mask);
		} while (cpu == own && (cell->writes || i + 1 < cell->threads));

		r->task = hire(read_all_along, r, cpu, "read");
		if (!r->task)
			return -ENOMEM;
	}
	return 0;
}

static void let_go(struct task_struct *task)
{
	if (!task)
		return;

	kthread_stop(task);
	put_task_struct(task);
}

static void work(struct crew *crew)
{
	u32 threads = crew->cell->threads;
	u32 i;

	for (i = 0; i < threads; i++)
		wake_up_process(crew->readers[i]->task);
	if (crew->writer)
		wake_up_process(crew->writer);
	wait_event_idle(crew->over, !atomic_read(&crew->busy));
}

/* When this returns, no thread is left, whatever happened. */
static int run_crew(struct crew *crew)
{
	struct dsbench_cell *cell = crew->cell;
	int err = -ENXIO;
	u32 i;

	cpus_read_lock();
	if (cell->threads + !!cell->writes <= num_online_cpus())
		err = hire_all(crew);
	if (!err)
		work(crew);
	for (i = 0; i < cell->threads; i++)
		let_go(crew->readers[i]->task);
	let_go(crew->writer);
	cpus_read_unlock();
	return err ?: crew->err;
}

static void free_crew(struct crew *crew)
{
	u32 i;

	for (i = 0; i < crew->cell->threads; i++)
		kfree(crew->readers[i]);
	dsbench_churn_free(crew->churn);
	kfree(crew);
}

static struct crew *make_crew(struct dsbench_cell *cell)
{
	struct crew *crew = kzalloc(struct_size(crew, readers, cell->threads),
				    GFP_KERNEL);
	u32 i;

	if (!crew)
		return NULL;

	crew->cell = cell;
	init_waitqueue_head(&crew->over);
	atomic_set(&crew->absent, cell->threads + !!cell->writes);
	atomic_set(&crew->busy, cell->threads + !!cell->writes);
	atomic_set(&crew->measuring, cell->threads);
	crew->churn = dsbench_churn_alloc(cell->set, shared_of(cell));
	if (!crew->churn)
		goto err;

	for (i = 0; i < cell->threads; i++) {
		struct reader *r = kzalloc(sizeof(*r), GFP_KERNEL);

		if (!r)
			goto err;
		r->crew = crew;
		crew->readers[i] = r;
	}
	return crew;

err:
	free_crew(crew);
	return NULL;
}

static void expect(struct crew *crew)
{
	const struct dsbench_cell *cell = crew->cell;
	u32 n = cell->n;

	crew->hits = n;
	crew->sum = (u64)n * (n - 1) / 2;
	if (cell->op == DSBENCH_FIND)
		dsbench_set_expect_find(cell->set, cell->elements, &crew->hits,
					&crew->sum);
}

/* The container is full: let the crew work on it, and see what is left of it. */
static int share(struct crew *crew)
{
	struct dsbench_cell *cell = crew->cell;
	int err, end_err;
	u32 i;

	expect(crew);
	if (shared_of(cell)->begin)
		shared_of(cell)->begin(cell->set);
	err = dsbench_churn_begin(crew->churn);
	dsbench_cell_settle(cell);
	for (i = 0; i < cell->threads; i++)
		crew->readers[i]->set = *cell->set;
	if (!err)
		err = run_crew(crew);

	end_err = dsbench_churn_end(crew->churn);
	if (err || end_err)
		return err ?: end_err;
	return dsbench_set_verify(cell->set, cell->source->ops, DSBENCH_FILL,
				  0);
}

static int try_once(struct crew *crew)
{
	struct dsbench_cell *cell = crew->cell;
	int err;

	err = dsbench_cell_begin(cell);
	if (err)
		return err;

	err = dsbench_cell_fill(cell);
	if (!err)
		err = share(crew);
	dsbench_set_empty(cell->set, cell->source->ops);
	return err;
}

/* What one reader took for as many elements as a try is divided by. */
static s64 cost(const struct reader *r, u32 elements, bool *disturbed)
{
	const struct tally *t = &r->clean;

	if (t->elements < r->all.elements / 2 || !t->elements) {
		t = &r->all;
		*disturbed = true;
	}
	if (t->ticks <= 0)
		return t->ticks;
	return mul_u64_u64_div_u64(t->ticks, elements, t->elements);
}

static void keep_sample(const struct crew *crew)
{
	struct dsbench_cell *cell = crew->cell;
	struct dsbench_sharing *s = &cell->sharing[cell->done];
	bool disturbed = false;
	s64 ticks = 0;
	u32 i;

	*s = (struct dsbench_sharing) { .writes = crew->writes };
	for (i = 0; i < cell->threads; i++) {
		const struct reader *r = crew->readers[i];

		ticks += cost(r, cell->elements, &disturbed);
		s->reads += r->all.elements;
		s->elapsed = max(s->elapsed, r->window);
	}
	cell->samples[cell->done] = div_s64(ticks, cell->threads);
	if (disturbed) {
		__set_bit(cell->done, cell->is_disturbed);
		cell->disturbed++;
	}
	cell->done++;
}

/**
 * dsbench_try_shared() - take one sample with readers beside a writer
 * @cell: of what; its container is in the run and has shared operations
 * @keep: whether it counts, or only warms up
 *
 * Context: may sleep; bound to the run's CPU.
 *
 * Return: 0; -EINTR where the container leaves or the run is to end; -ENOMEM;
 * -ENXIO where too few CPUs are online; -EUCLEAN where a reader or the container
 * afterwards gave a wrong answer.
 */
int dsbench_try_shared(struct dsbench_cell *cell, bool keep)
{
	struct crew *crew = make_crew(cell);
	int err;

	if (!crew)
		return -ENOMEM;

	err = try_once(crew);
	if (!err && keep)
		keep_sample(crew);
	free_crew(crew);
	return err;
}
