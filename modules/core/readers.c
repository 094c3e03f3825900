// SPDX-License-Identifier: GPL-2.0
/*
 * The threads of a shared try. All start at the same moment: each reader passes
 * over the container, n lookups or a walk per pass, while the writer erases and
 * inserts. A pass is divided into slices with preemption disabled, like any
 * try. A reader checks for an interruption between slices.
 */

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/math64.h>
#include <linux/sched.h>

#include "clock.h"
#include "readers.h"
#include "slice.h"
#include "try.h"

/* Minimum time that each reader measures. */
#define READ_MS		10

/* Above this time the writer sleeps instead of spinning; in us. */
#define SPIN_US		100U
#define SLEEP_US	500U

static bool must_end(const struct dsbench_crew *crew)
{
	return READ_ONCE(crew->err) || dsbench_cell_must_end(crew->cell);
}

static void failed(struct dsbench_crew *crew, int err)
{
	cmpxchg(&crew->err, 0, err);
}

/* Cannot deadlock: every thread is woken before the first one waits. */
static void start_together(struct dsbench_crew *crew)
{
	atomic_dec(&crew->absent);
	while (atomic_read(&crew->absent)) {
		cpu_relax();
		cond_resched();
	}
}

static void finish(struct dsbench_crew *crew)
{
	if (atomic_dec_and_test(&crew->busy))
		wake_up(&crew->over);
}

static void count(struct dsbench_reader *r, const struct dsbench_slice *slice,
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

/* Advance to the next slice of a pass. Return false at its end. */
static bool next_slice(const struct dsbench_reader *r, struct dsbench_slice *slice)
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

/* Pass over the container once, or until the last reader has measured. */
static int pass(struct dsbench_reader *r, bool measure)
{
	struct dsbench_crew *crew = r->crew;
	struct dsbench_cell *cell = crew->cell;
	struct dsbench_set *set = &r->set;
	struct dsbench_slice slice = {
		.op = cell->op == DSBENCH_FOR_EACH ? dsbench_shared_of(cell)->for_each :
						     dsbench_shared_of(cell)->find,
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

/**
 * dsbench_read_along() - thread of a reader
 * @data: struct dsbench_reader
 *
 * The reader makes whole passes, checks the result of each, and measures for at
 * least READ_MS. It then continues without measuring until the last reader has
 * measured, so that no reader has the container to itself.
 *
 * Context: a thread of its own, bound to its CPU.
 *
 * Return: 0; errors are in the crew.
 */
int dsbench_read_along(void *data)
{
	struct dsbench_reader *r = data;
	struct dsbench_crew *crew = r->crew;
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

/**
 * dsbench_write_along() - thread of the writer
 * @data: struct dsbench_crew
 *
 * A writer that cannot keep up with its rate works as fast as it can.
 *
 * Context: a thread of its own, bound to its CPU.
 *
 * Return: 0; errors are in the crew.
 */
int dsbench_write_along(void *data)
{
	struct dsbench_crew *crew = data;
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
