// SPDX-License-Identifier: GPL-2.0
/*
 * A try of a shared container: readers, each on a CPU of its own, pass over the
 * container while a writer erases and inserts. The threads live as long as the
 * try. They are bound, and CPUs stay online meanwhile.
 */

#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "readers.h"
#include "set.h"
#include "try.h"
#include "try_shared.h"

static struct task_struct *create_thread(int (*work)(void *data), void *data,
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
 * The writer uses the run's CPU, where the run only waits meanwhile; the
 * readers use the other CPUs in order. Without a writer, the run's CPU comes
 * last.
 */
static int create_threads(struct dsbench_crew *crew)
{
	struct dsbench_cell *cell = crew->cell;
	unsigned int own = raw_smp_processor_id();
	unsigned int cpu = own;
	u32 i;

	if (cell->writes) {
		crew->writer = create_thread(dsbench_write_along, crew, own, "write");
		if (!crew->writer)
			return -ENOMEM;
	}
	for (i = 0; i < cell->threads; i++) {
		struct dsbench_reader *r = crew->readers[i];

		do {
			cpu = cpumask_next(cpu, cpu_online_mask);
			if (cpu >= nr_cpu_ids)
				cpu = cpumask_first(cpu_online_mask);
		} while (cpu == own && (cell->writes || i + 1 < cell->threads));

		r->task = create_thread(dsbench_read_along, r, cpu, "read");
		if (!r->task)
			return -ENOMEM;
	}
	return 0;
}

static void stop_thread(struct task_struct *task)
{
	if (!task)
		return;

	kthread_stop(task);
	put_task_struct(task);
}

static void start_threads(struct dsbench_crew *crew)
{
	u32 threads = crew->cell->threads;
	u32 i;

	for (i = 0; i < threads; i++)
		wake_up_process(crew->readers[i]->task);
	if (crew->writer)
		wake_up_process(crew->writer);
	wait_event_idle(crew->over, !atomic_read(&crew->busy));
}

/* On return no thread is left, even after an error. */
static int run_crew(struct dsbench_crew *crew)
{
	struct dsbench_cell *cell = crew->cell;
	int err = -ENXIO;
	u32 i;

	cpus_read_lock();
	if (cell->threads + !!cell->writes <= num_online_cpus())
		err = create_threads(crew);
	if (!err)
		start_threads(crew);
	for (i = 0; i < cell->threads; i++)
		stop_thread(crew->readers[i]->task);
	stop_thread(crew->writer);
	cpus_read_unlock();
	return err ?: crew->err;
}

static void free_crew(struct dsbench_crew *crew)
{
	u32 i;

	for (i = 0; i < crew->cell->threads; i++)
		kfree(crew->readers[i]);
	dsbench_churn_free(crew->churn);
	kfree(crew);
}

static struct dsbench_crew *make_crew(struct dsbench_cell *cell)
{
	struct dsbench_crew *crew = kzalloc(struct_size(crew, readers, cell->threads),
				    GFP_KERNEL);
	u32 i;

	if (!crew)
		return NULL;

	crew->cell = cell;
	init_waitqueue_head(&crew->over);
	atomic_set(&crew->absent, cell->threads + !!cell->writes);
	atomic_set(&crew->busy, cell->threads + !!cell->writes);
	atomic_set(&crew->measuring, cell->threads);
	crew->churn = dsbench_churn_alloc(cell->set, dsbench_shared_of(cell));
	if (!crew->churn)
		goto err;

	for (i = 0; i < cell->threads; i++) {
		struct dsbench_reader *r = kzalloc(sizeof(*r), GFP_KERNEL);

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

static void expect(struct dsbench_crew *crew)
{
	const struct dsbench_cell *cell = crew->cell;
	u32 n = cell->n;

	crew->hits = n;
	crew->sum = (u64)n * (n - 1) / 2;
	if (cell->op == DSBENCH_FIND)
		dsbench_set_expect_find(cell->set, cell->elements, &crew->hits,
					&crew->sum);
}

/* Let the threads work on the full container, and verify it afterwards. */
static int share(struct dsbench_crew *crew)
{
	struct dsbench_cell *cell = crew->cell;
	int err, end_err;
	u32 i;

	expect(crew);
	if (dsbench_shared_of(cell)->begin)
		dsbench_shared_of(cell)->begin(cell->set);
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

static int try_once(struct dsbench_crew *crew)
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

/* Cost of one reader for the number of elements that a try is divided by. */
static s64 cost(const struct dsbench_reader *r, u32 elements, bool *disturbed)
{
	const struct dsbench_tally *t = &r->clean;

	if (t->elements < r->all.elements / 2 || !t->elements) {
		t = &r->all;
		*disturbed = true;
	}
	if (t->ticks <= 0)
		return t->ticks;
	return mul_u64_u64_div_u64(t->ticks, elements, t->elements);
}

static void keep_sample(const struct dsbench_crew *crew)
{
	struct dsbench_cell *cell = crew->cell;
	struct dsbench_sharing *s = &cell->sharing[cell->done];
	bool disturbed = false;
	s64 ticks = 0;
	u32 i;

	*s = (struct dsbench_sharing) { .writes = crew->writes };
	for (i = 0; i < cell->threads; i++) {
		const struct dsbench_reader *r = crew->readers[i];

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
 * @cell: cell of the sample; its container is in the run and has shared
 *	operations
 * @keep: keep the sample; otherwise the try is a warm-up
 *
 * Context: may sleep; bound to the run's CPU.
 *
 * Return: 0; -EINTR if the container leaves or the run must end; -ENOMEM;
 * -ENXIO if too few CPUs are online; -EUCLEAN if a reader gave a wrong answer,
 * or the container is damaged afterwards.
 */
int dsbench_try_shared(struct dsbench_cell *cell, bool keep)
{
	struct dsbench_crew *crew = make_crew(cell);
	int err;

	if (!crew)
		return -ENOMEM;

	err = try_once(crew);
	if (!err && keep)
		keep_sample(crew);
	free_crew(crew);
	return err;
}
