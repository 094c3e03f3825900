// SPDX-License-Identifier: GPL-2.0
/*
 * Churn: the elements that are inserted and erased while others read.
 *
 * A few slots, each with a key behind those of the set, have their elements in
 * the container from the first read to the last. In turn, a slot loses its
 * element and gets another one with the same key, so the container keeps its
 * size and its range of keys. Erased elements wait in a queue, oldest first,
 * until no reader can hold them any more.
 */

#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "churn.h"
#include "export.h"

/* Number of elements of the set per slot. */
#define SLOT_EACH	64

/*
 * Number of all elements: those outside may be erased within one grace period.
 */
#define SPARES		512

/**
 * struct spare - an element outside the container
 * @e: the element
 * @grace: grace period of its erasure, for poll_state_synchronize_rcu()
 * @used: it has been inside, so @grace is valid
 */
struct spare {
	struct dsbench_elem *e;
	unsigned long grace;
	bool used;
};

/**
 * struct dsbench_churn - the churn of a container
 * @set: set of the container
 * @ops: shared operations of the container
 * @slots: number of slots
 * @slot: element of each slot; NULL if it is outside
 * @turn: the slot whose turn is next
 * @spares: ring of elements outside the container
 * @oldest: first entry of the ring
 * @queued: number of entries in the ring
 */
struct dsbench_churn {
	struct dsbench_set *set;
	const struct dsbench_shared_ops *ops;
	u32 slots;
	struct dsbench_elem *slot[DSBENCH_CHURN_MAX];
	u32 turn;
	struct spare spares[SPARES];
	u32 oldest;
	u32 queued;
};

static struct spare *newest(struct dsbench_churn *c)
{
	return &c->spares[(c->oldest + c->queued++) % SPARES];
}

static struct dsbench_elem *take_oldest(struct dsbench_churn *c)
{
	struct dsbench_elem *e = c->spares[c->oldest].e;

	c->oldest = (c->oldest + 1) % SPARES;
	c->queued--;
	return e;
}

static bool oldest_is_free(const struct dsbench_churn *c)
{
	const struct spare *s = &c->spares[c->oldest];

	return !c->ops->rcu || !s->used ||
	       poll_state_synchronize_rcu(s->grace);
}

static int insert(struct dsbench_churn *c)
{
	struct dsbench_elem *e;
	int err;

	if (!oldest_is_free(c))
		return -EAGAIN;

	e = take_oldest(c);
	e->key = c->set->n + c->turn;
	e->value = e->key;
	err = c->ops->insert(c->set, e);
	if (err) {
		newest(c)->e = e;	/* never seen by a reader */
		return err;
	}
	c->slot[c->turn] = e;
	c->turn = (c->turn + 1) % c->slots;
	return 0;
}

static int erase(struct dsbench_churn *c, u32 slot)
{
	struct dsbench_elem *e = c->slot[slot];
	int err = c->ops->erase(c->set, e);
	struct spare *s;

	if (err)
		return err;

	c->slot[slot] = NULL;
	s = newest(c);
	*s = (struct spare) { .e = e, .used = true };
	if (c->ops->rcu)
		s->grace = start_poll_synchronize_rcu();
	return 0;
}

/**
 * dsbench_churn_alloc() - allocate the churn of a container
 * @set: set of the container
 * @ops: shared operations of the container
 *
 * Context: may sleep.
 *
 * Return: the churn, or NULL if memory is short.
 */
struct dsbench_churn *dsbench_churn_alloc(struct dsbench_set *set,
					  const struct dsbench_shared_ops *ops)
{
	struct dsbench_churn *c = kzalloc(sizeof(*c), GFP_KERNEL);
	struct dsbench_elem *e;

	if (!c)
		return NULL;

	c->set = set;
	c->ops = ops;
	c->slots = clamp(set->n / SLOT_EACH, 1U, DSBENCH_CHURN_MAX);
	while (c->queued < SPARES) {
		e = kmalloc(DSBENCH_ELEM_SIZE, GFP_KERNEL);
		if (!e) {
			dsbench_churn_free(c);
			return NULL;
		}
		newest(c)->e = e;
	}
	return c;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_churn_alloc);

/**
 * dsbench_churn_begin() - insert an element into each slot
 * @c: the churn; no reader has started
 *
 * Context: may sleep.
 *
 * Return: 0, or the error of the container's insert.
 */
int dsbench_churn_begin(struct dsbench_churn *c)
{
	int err;

	do {
		err = insert(c);
	} while (!err && c->turn);
	return err;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_churn_begin);

/**
 * dsbench_churn_step() - erase one element, or insert its replacement
 * @c: a churn that has begun
 *
 * Context: may sleep; one writer at a time, beside any number of readers.
 *
 * Return: 0; -EAGAIN without a step if readers may still hold every spare; or
 * the error of the container's erase or insert.
 */
int dsbench_churn_step(struct dsbench_churn *c)
{
	return c->slot[c->turn] ? erase(c, c->turn) : insert(c);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_churn_step);

/**
 * dsbench_churn_end() - erase all elements of the churn
 * @c: the churn; no reader is left
 *
 * Context: may sleep.
 *
 * Return: 0, or the first error of the container's erase.
 */
int dsbench_churn_end(struct dsbench_churn *c)
{
	int err = 0;
	u32 i;

	for (i = 0; i < c->slots && !err; i++) {
		if (c->slot[i])
			err = erase(c, i);
	}
	return err;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_churn_end);

/**
 * dsbench_churn_free() - free the churn
 * @c: the churn, or NULL; the container is destroyed and its readers are gone,
 *	so no grace period is needed
 *
 * Context: may sleep.
 */
void dsbench_churn_free(struct dsbench_churn *c)
{
	u32 i;

	if (!c)
		return;

	for (i = 0; i < c->slots; i++)
		kfree(c->slot[i]);
	while (c->queued)
		kfree(take_oldest(c));
	kfree(c);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_churn_free);
