/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one API between the core (dsbench.ko) and what it measures.
 *
 * A container is a table of operations. Each operation is a whole loop in the
 * container's own file, so that the compiler inlines the container's code as
 * it would for a real user; the core calls it once a slice, never once an
 * element.
 */
#ifndef _DSBENCH_BENCH_H
#define _DSBENCH_BENCH_H

#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/types.h>

/* Longest container name, with its terminator. */
#define DSBENCH_NAME_LEN	16

/*
 * Every element takes this much memory whatever container it sits in: one
 * cache line, and those that exist before the clock starts come from the same
 * slabs. A container with a bigger link would otherwise pay for its size class,
 * not for its work.
 */
#define DSBENCH_ELEM_SIZE	64

/* The largest n; the arrays that describe a run are indexed by u32. */
#define DSBENCH_N_MAX		(16U * 1024 * 1024)

/**
 * enum dsbench_op - what is timed
 * @DSBENCH_FILL: insert n elements into an empty container
 * @DSBENCH_FIND: look up keys
 * @DSBENCH_FOR_EACH: visit every element and increment its value
 * @DSBENCH_ERASE: remove every element, one by one
 * @DSBENCH_TX: send packets, as far as the underlay's transmit
 * @DSBENCH_RX: receive packets, from the underlay to a socket
 * @DSBENCH_PATH: send packets and receive them at the far end
 * @DSBENCH_EMPTY: a loop with nothing in it
 * @DSBENCH_WALK: increment the value of every node of an array, in its order
 * @DSBENCH_RANDOM: read the values of an array in random order, the loads
 *	independent of each other
 * @DSBENCH_CHASE: follow a pointer from node to node
 * @DSBENCH_NR_OPS: how many there are
 *
 * The first four are a container's, the next three a network device's, the
 * last four the core's own floors.
 */
enum dsbench_op {
	DSBENCH_FILL,
	DSBENCH_FIND,
	DSBENCH_FOR_EACH,
	DSBENCH_ERASE,
	DSBENCH_TX,
	DSBENCH_RX,
	DSBENCH_PATH,
	DSBENCH_EMPTY,
	DSBENCH_WALK,
	DSBENCH_RANDOM,
	DSBENCH_CHASE,
	DSBENCH_NR_OPS,
};

/*
 * The most keys that come and go while others read: from n on, and below those
 * that lookups miss.
 */
#define DSBENCH_CHURN_MAX	64U

/* The operations that containers have. */
#define DSBENCH_CONTAINER_OPS						\
	(BIT(DSBENCH_FILL) | BIT(DSBENCH_FIND) | BIT(DSBENCH_FOR_EACH) | \
	 BIT(DSBENCH_ERASE))

/**
 * struct dsbench_elem - what every container stores
 * @key: unique in its set, from 0 to n - 1; from n on in an element that comes
 *	and goes while others read
 * @value: starts as @key; for_each adds one
 *
 * A container embeds it as the first member of its own element, its link
 * behind it, both within DSBENCH_ELEM_SIZE bytes.
 */
struct dsbench_elem {
	u64 key;
	u64 value;
};

struct dsbench_floor;
struct dsbench_subject;

/**
 * struct dsbench_set - the elements and keys that one try works on
 * @subject: what is tried
 * @op: what is tried with it
 * @n: how many elements a full container holds; bytes of payload of a packet
 * @inline_alloc: fill allocates each element and erase frees it; otherwise
 *	the elements exist before the clock starts
 * @sequential: keys and elements ascend; otherwise they are shuffled
 * @rnd: what shuffles them
 * @pool: elements, as they were allocated, of which a try takes @n; NULL where
 *	@inline_alloc
 * @elems: the i-th element to insert; NULL where @inline_alloc
 * @keys: the i-th key to insert
 * @lookup: the i-th key to look up; n and above are absent from the container
 * @lookups: how many entries @lookup has
 * @erase: the i-th key to erase; @n entries
 * @by_key: the element that holds each key, as verify found it; while erase is
 *	timed, the i-th element to erase
 * @priv: the container's own state, made by create, undone by destroy
 * @hits: find adds the number of keys found
 * @sum: find and verify add the values of the elements they met
 * @seen: verify counts the elements it met
 * @floor: what the core's floors work on; NULL in the sets of others
 * @at: where a shared for_each paused; NULL at the beginning and at the end
 * @release: frees what the owner of the set hung on it; NULL for nothing
 */
struct dsbench_set {
	const struct dsbench_subject *subject;
	enum dsbench_op op;
	u32 n;
	bool inline_alloc;
	bool sequential;
	struct rnd_state rnd;
	struct dsbench_elem **pool;
	struct dsbench_elem **elems;
	u32 *keys;
	u32 *lookup;
	u32 lookups;
	u32 *erase;
	struct dsbench_elem **by_key;
	void *priv;
	u32 hits;
	u64 sum;
	u32 seen;
	struct dsbench_floor *floor;
	struct dsbench_elem *at;
	void (*release)(struct dsbench_set *set);
};

/**
 * typedef dsbench_op_fn - one timed loop
 * @set: what to work on
 * @first: index of the first insertion, lookup or erasure of this slice
 * @last: index behind the last one; for_each takes the whole set and ignores
 *	both
 *
 * Context: atomic. Preemption is off and interrupts may be: an operation must
 * not sleep and allocates with DSBENCH_GFP only; unless the subject's sleeps is
 * set, which leaves both on.
 *
 * Return: 0, or a negative error code, with the container still in a state
 * that verify can walk and destroy can undo.
 */
typedef int (*dsbench_op_fn)(struct dsbench_set *set, u32 first, u32 last);

/**
 * struct dsbench_shared_ops - a container that some read and one changes
 * @readers: the function that the readers are protected by, as printed
 * @writer: the one of the writer
 * @rcu: an erased element may be in the hands of readers until a grace period
 *	has passed; otherwise of none once erase has returned
 * @begin: get the container, which is full, ready for readers; NULL where that
 *	is nothing
 * @find: as in struct dsbench_ops, with the protection taken for each lookup
 * @for_each: go on behind set->at, the beginning where that is NULL; add up
 *	count and values of the elements whose key is below set->n in set->hits
 *	and set->sum, and pass the others by. Once @last - @first of them were
 *	met, pause: let set->at be the last of them, else NULL at the end. The
 *	protection is taken for one such part of the walk
 * @insert: put in one element whose key is n or above
 * @erase: take such an element out
 *
 * Each reader has a set of its own with the same container in set->priv, and
 * may write to set->hits, set->sum and set->at only. Elements with keys below n
 * are not changed, moved or removed while there are readers: so a walk may
 * pause at one of them, as that of a user who holds a reference to it.
 *
 * Context: @find and @for_each as every dsbench_op_fn, with interrupts on, on
 * many CPUs at a time; @insert and @erase one at a time, and they may sleep.
 *
 * Return: 0 or a negative error code.
 */
struct dsbench_shared_ops {
	const char *readers;
	const char *writer;
	bool rcu;
	void (*begin)(struct dsbench_set *set);
	dsbench_op_fn find;
	dsbench_op_fn for_each;
	int (*insert)(struct dsbench_set *set, struct dsbench_elem *e);
	int (*erase)(struct dsbench_set *set, struct dsbench_elem *e);
};

/**
 * struct dsbench_ops - what a container, or a network device, can do
 * @create: make an empty container in set->priv; 0 or a negative error code.
 *	May sleep
 * @destroy: free what create and the operations allocated, elements excepted,
 *	whatever the container still holds. May sleep
 * @verify: walk the whole container, call dsbench_see() for each element and
 *	check the container's own invariants; 0, -EUCLEAN where it is damaged.
 *	May sleep
 * @settle: wait for the work that an operation left to another thread; called
 *	after each slice, when the clock stands still. May sleep. NULL where no
 *	operation does that
 * @op: the timed loops; NULL where the container has no such operation
 * @shared: the loops for many readers and a writer; NULL where the container
 *	does not offer that
 * @find_steps: elements that one find passes in a container of @n; where they
 *	are many, a default run bounds its lookups and cuts them into shorter
 *	slices. NULL where they do not grow, or with the logarithm of @n only
 * @bytes: memory, in bytes, that the container itself takes for @n elements
 *	at the most, elements excepted; NULL for none
 * @bare: works without the core's elements and keys: its sets have none, and
 *	verify alone decides whether a try was right
 * @sleeps: operations may sleep and need interrupts
 * @size: the n of number @index, 0 behind the last; NULL where the core's
 *	parameter decides
 * @batch: what a try is divided by, where it is not n; NULL where it is
 */
struct dsbench_ops {
	int (*create)(struct dsbench_set *set);
	void (*destroy)(struct dsbench_set *set);
	int (*verify)(struct dsbench_set *set);
	void (*settle)(struct dsbench_set *set);
	dsbench_op_fn op[DSBENCH_NR_OPS];
	const struct dsbench_shared_ops *shared;
	u32 (*find_steps)(u32 n);
	u64 (*bytes)(u32 n);
	bool bare;
	bool sleeps;
	u32 (*size)(u32 index);
	u32 (*batch)(u32 n);
};

/**
 * struct dsbench_subject - what is measured: a registered container or device
 * @name: unique, DSBENCH_NAME_LEN - 1 characters at the most, without spaces
 * @ops: what it can do
 * @n: its own number of elements; 0 takes the core's
 * @tries: its own number of tries; 0 takes the core's
 *
 * The rest belongs to the core.
 */
struct dsbench_subject {
	const char *name;
	const struct dsbench_ops *ops;
	u32 n;
	u32 tries;

	/* private: under the registry's lock */
	struct list_head node;
	bool pending;
	bool borrowed;
	bool running;
	bool leaving;
};

int dsbench_register(struct dsbench_subject *subject);
void dsbench_unregister(struct dsbench_subject *subject);

extern const struct kernel_param_ops dsbench_n_param_ops;
extern const struct kernel_param_ops dsbench_tries_param_ops;

/* What an operation allocates with: it never sleeps and may fail in silence. */
#define DSBENCH_GFP	(GFP_NOWAIT | __GFP_NOWARN)

/**
 * dsbench_elem_get() - the element of the i-th insertion
 * @set: the set being filled
 * @i: index of the insertion
 * @inline_alloc: set->inline_alloc as a compile-time constant, so that the
 *	loop around carries no test for it
 *
 * Context: any.
 *
 * Return: the element with its key and value set, or NULL when memory is short.
 */
static __always_inline struct dsbench_elem *
dsbench_elem_get(struct dsbench_set *set, u32 i, bool inline_alloc)
{
	struct dsbench_elem *e;

	if (!inline_alloc)
		return set->elems[i];

	e = kmalloc(DSBENCH_ELEM_SIZE, DSBENCH_GFP);
	if (likely(e)) {
		e->key = set->keys[i];
		e->value = e->key;
	}
	return e;
}

/**
 * dsbench_elem_put() - give back an element that was erased
 * @e: the element, no longer linked anywhere
 * @inline_alloc: as for dsbench_elem_get()
 *
 * Context: any.
 */
static __always_inline void
dsbench_elem_put(struct dsbench_elem *e, bool inline_alloc)
{
	if (inline_alloc)
		kfree(e);
}

/**
 * dsbench_by_alloc() - define an operation from its loop, for both ways of
 *	allocation
 * @op: its name; op_as() is the loop, always inlined, with inline_alloc as its
 *	fourth parameter
 */
#define dsbench_by_alloc(op)						\
static int op(struct dsbench_set *set, u32 first, u32 last)		\
{									\
	return set->inline_alloc ? op##_as(set, first, last, true) :	\
				   op##_as(set, first, last, false);	\
}

/**
 * dsbench_see() - tell the core that verify met an element
 * @set: the set being verified
 * @e: the element
 *
 * A key that does not belong to the set, or that comes a second time, ends
 * the walk: so a damaged, circular container cannot hold the kernel.
 *
 * Context: may sleep.
 *
 * Return: 0, or -EUCLEAN for a foreign or repeated key.
 */
static inline int dsbench_see(struct dsbench_set *set, struct dsbench_elem *e)
{
	if (e->key >= set->n || set->by_key[e->key])
		return -EUCLEAN;

	set->by_key[e->key] = e;
	set->sum += e->value;
	if (!(++set->seen % 4096))
		cond_resched();
	return 0;
}

/**
 * dsbench_container_module() - all that a container's module needs besides its
 *	operations: registration, parameters, init, exit, alias, licence
 * @container: its name; its operations are in container_ops
 *
 * The core finds the module by the alias, so it knows no container by name.
 */
#define dsbench_container_module(container)				\
static struct dsbench_subject container##_container = {		\
	.name = #container,						\
	.ops = &container##_ops,					\
};									\
module_param_cb(n, &dsbench_n_param_ops, &container##_container.n, 0644); \
MODULE_PARM_DESC(n, "elements (default: the core's n)");		\
module_param_cb(tries, &dsbench_tries_param_ops, &container##_container.tries, \
		0644);							\
MODULE_PARM_DESC(tries, "tries (default: the core's tries)");		\
static int __init dsbench_##container##_init(void)			\
{									\
	return dsbench_register(&container##_container);		\
}									\
static void __exit dsbench_##container##_exit(void)			\
{									\
	dsbench_unregister(&container##_container);			\
}									\
module_init(dsbench_##container##_init);				\
module_exit(dsbench_##container##_exit);				\
MODULE_ALIAS("dsbench-container");					\
MODULE_LICENSE("GPL")

#endif /* _DSBENCH_BENCH_H */
