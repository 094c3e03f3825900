/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The API between the core (dsbench.ko) and the subjects that it measures.
 *
 * A container is a table of operations. Each operation is a whole loop in the
 * container's own file, so that the compiler inlines the container's code as it
 * would for a real user. The core calls it once per slice, never once per
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

/* Maximum length of a container's name, including its terminator. */
#define DSBENCH_NAME_LEN	16

/*
 * Every element takes this much memory in every container: one cache line.
 * Elements that exist before the clock starts come from the same slabs.
 * Otherwise a container with a larger link would pay for its size class, not
 * for its work.
 */
#define DSBENCH_ELEM_SIZE	64

/* The largest n. The arrays that describe a run are indexed by u32. */
#define DSBENCH_N_MAX		(16U * 1024 * 1024)

/**
 * enum dsbench_op - an operation that is timed
 * @DSBENCH_FILL: insert n elements into an empty container
 * @DSBENCH_FIND: look up keys
 * @DSBENCH_FOR_EACH: visit every element and increment its value
 * @DSBENCH_ERASE: remove every element, one by one
 * @DSBENCH_TX: send packets, up to the transmit function of the underlay
 * @DSBENCH_RX: receive packets, from the underlay to a socket
 * @DSBENCH_PATH: send packets and receive them at the far end
 * @DSBENCH_EMPTY: an empty loop
 * @DSBENCH_WALK: increment the value of every node of an array, in its order
 * @DSBENCH_RANDOM: read the values of an array in random order, with
 *	independent loads
 * @DSBENCH_CHASE: follow a pointer from node to node
 * @DSBENCH_NR_OPS: number of operations
 *
 * The first four are operations of containers, the next three of network
 * devices, the last four of the core's own floors.
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
 * Maximum number of keys in the churn: from n on, and below the keys that
 * lookups miss.
 */
#define DSBENCH_CHURN_MAX	64U

/* The operations of containers. */
#define DSBENCH_CONTAINER_OPS						\
	(BIT(DSBENCH_FILL) | BIT(DSBENCH_FIND) | BIT(DSBENCH_FOR_EACH) | \
	 BIT(DSBENCH_ERASE))

/**
 * struct dsbench_elem - the content of an element
 * @key: unique in its set, from 0 to n - 1; from n on in an element of the
 *	churn
 * @value: starts as @key; for_each adds one
 *
 * A container embeds it as the first member of its own element, followed by its
 * link. Both fit into DSBENCH_ELEM_SIZE bytes.
 */
struct dsbench_elem {
	u64 key;
	u64 value;
};

struct dsbench_floor;
struct dsbench_subject;

/**
 * struct dsbench_set - the elements and keys of a try
 * @subject: the subject of the try
 * @op: the operation of the try
 * @n: number of elements in a full container; bytes of payload of a packet
 * @burst: packets that a device gets between two softirqs; 0: as many as its
 *	operation sends by default
 * @inline_alloc: fill allocates each element and erase frees it; otherwise the
 *	elements exist before the clock starts
 * @sequential: keys and elements ascend; otherwise they are shuffled
 * @rnd: source of the shuffles
 * @pool: elements in the order of their allocation, of which a try uses @n;
 *	NULL if @inline_alloc
 * @elems: the i-th element to insert; NULL if @inline_alloc
 * @keys: the i-th key to insert
 * @lookup: the i-th key to look up; keys from n on are absent from the
 *	container
 * @lookups: number of entries of @lookup
 * @erase: the i-th key to erase; @n entries
 * @by_key: the element of each key, as found by verify; during erase, the i-th
 *	element to erase
 * @priv: state of the container, created by create, freed by destroy
 * @hits: find adds the number of keys found
 * @sum: find and verify add the values of the elements that they visit
 * @seen: verify counts the elements that it visits
 * @floor: data of the core's floors; NULL in other sets
 * @at: where a shared for_each paused; NULL at the beginning and at the end
 * @release: frees what the owner attached to the set; NULL for nothing
 */
struct dsbench_set {
	const struct dsbench_subject *subject;
	enum dsbench_op op;
	u32 n;
	u32 burst;
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
 * @set: the set to work on
 * @first: index of the first insertion, lookup or erasure of this slice
 * @last: index behind the last one; for_each visits the whole set and ignores
 *	both
 *
 * Context: atomic. Preemption is off and interrupts may be: an operation must
 * not sleep and allocates with DSBENCH_GFP only, unless the subject's sleeps is
 * set, which leaves both on.
 *
 * Return: 0, or a negative error code, with the container in a state that
 * verify can walk and destroy can undo.
 */
typedef int (*dsbench_op_fn)(struct dsbench_set *set, u32 first, u32 last);

/**
 * struct dsbench_shared_ops - operations of a container with readers and a
 * writer
 * @readers: name of the function that protects the readers
 * @writer: name of the function that protects the writer
 * @rcu: readers may hold an erased element until a grace period has passed;
 *	otherwise no reader holds it once erase has returned
 * @begin: prepare the full container for readers; NULL if there is nothing to
 *	do
 * @find: as in struct dsbench_ops, with the protection taken for each lookup
 * @for_each: continue behind set->at, or at the beginning if that is NULL. Add
 *	count and values of the elements with a key below set->n to set->hits
 *	and set->sum; skip the other elements. After @last - @first elements,
 *	pause with set->at at the last of them; set it to NULL at the end.
 *	The protection is taken for each such part of the walk
 * @insert: insert one element with a key of n or above
 * @erase: erase such an element
 *
 * Each reader has a set of its own with the same container in set->priv, and
 * may write to set->hits, set->sum and set->at only. Elements with keys below n
 * are not changed, moved or removed while there are readers, so a walk may
 * pause at one of them, like a user who holds a reference to the element.
 *
 * Context: @find and @for_each as every dsbench_op_fn, with interrupts on, on
 * several CPUs at a time; @insert and @erase one at a time, and they may sleep.
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
 * struct dsbench_ops - operations of a container or a network device
 * @begin_run: copy the parameters that the operations depend on, so that a write
 *	to a parameter takes effect with the next run; called once per run before
 *	any other operation. May sleep. NULL if the module has no such parameter
 * @create: create an empty container in set->priv; 0 or a negative error code.
 *	May sleep
 * @destroy: free what create and the operations allocated, whatever the
 *	container still holds; the elements, only if @owns_elems. May sleep
 * @verify: walk the whole container, call dsbench_see() for each element and
 *	check the container's own invariants; 0, or -EUCLEAN if it is
 *	damaged. May sleep
 * @settle: wait for work that an operation deferred to another thread; called
 *	after each slice, outside the clock. May sleep. NULL if no operation
 *	defers work
 * @op: the timed loops; NULL for operations that the container lacks
 * @shared: the loops for readers and a writer; NULL if the container does not
 *	support them
 * @find_steps: elements that one lookup passes in a container of @n; if they
 *	are many, a default run limits its lookups and divides them into
 *	shorter slices. NULL if they do not grow, or only with the logarithm
 *	of @n
 * @bytes: maximum memory, in bytes, of the container itself for @n elements,
 *	without the elements; NULL for none
 * @owns_elems: destroy frees the elements that the operations allocated and that
 *	the container still holds; otherwise the core frees them
 * @bare: works without the core's elements and keys: its sets have none, and
 *	verify alone decides whether a try was right
 * @sleeps: operations may sleep and need interrupts
 * @long_fill: n above which the last slice of fill works on the whole container,
 *	for so long that it must let others run: it calls cond_resched(), and
 *	runs with preemption enabled. 0: never
 * @irqs_on: bitmap of the operations whose API needs or enables interrupts: their
 *	slices run with preemption disabled, but with interrupts on
 * @size: the n of size @index, 0 behind the last; NULL to use the core's
 *	parameter
 * @burst: burst @index of size @n, 0 behind the last: each has cells of its own
 *	beside those without a burst; NULL for none
 * @batch: divisor of a try with this n and burst if it is not n; NULL if it is
 */
struct dsbench_ops {
	void (*begin_run)(void);
	int (*create)(struct dsbench_set *set);
	void (*destroy)(struct dsbench_set *set);
	int (*verify)(struct dsbench_set *set);
	void (*settle)(struct dsbench_set *set);
	dsbench_op_fn op[DSBENCH_NR_OPS];
	const struct dsbench_shared_ops *shared;
	u32 (*find_steps)(u32 n);
	u64 (*bytes)(u32 n);
	bool owns_elems;
	bool bare;
	bool sleeps;
	u32 long_fill;
	unsigned long irqs_on;
	u32 (*size)(u32 index);
	u32 (*burst)(u32 n, u32 index);
	u32 (*batch)(u32 n, u32 burst);
};

/**
 * struct dsbench_subject - what is measured: a registered container or device
 * @name: unique, at most DSBENCH_NAME_LEN - 1 characters, without spaces
 * @ops: its operations
 * @owner: module of @ops; NULL if they are part of the kernel or of the core
 * @n: its own number of elements; 0 for the core's
 * @tries: its own number of tries; 0 for the core's
 *
 * The rest belongs to the core.
 */
struct dsbench_subject {
	const char *name;
	const struct dsbench_ops *ops;
	struct module *owner;
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

/* GFP flags of operations: never sleep, and may fail without a warning. */
#define DSBENCH_GFP	(GFP_NOWAIT | __GFP_NOWARN)

/**
 * dsbench_elem_get() - get the element of the i-th insertion
 * @set: the set to fill from
 * @i: index of the insertion
 * @inline_alloc: set->inline_alloc as a compile-time constant, so that the loop
 *	around it has no test for it
 *
 * Context: any.
 *
 * Return: the element with its key and value set, or NULL if memory is short.
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
 * dsbench_elem_put() - give back an erased element
 * @e: the element, not linked any more
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
 * dsbench_by_alloc() - define an operation for both ways of allocation
 * @op: name of the operation; op_as() is its loop, always inlined, with
 *	inline_alloc as its fourth parameter
 */
#define dsbench_by_alloc(op)						\
static int op(struct dsbench_set *set, u32 first, u32 last)		\
{									\
	return set->inline_alloc ? op##_as(set, first, last, true) :	\
				   op##_as(set, first, last, false);	\
}

/**
 * dsbench_see() - report an element that verify visits
 * @set: the set to verify
 * @e: the element
 *
 * A foreign or repeated key ends the walk, so a damaged, circular container
 * cannot hold the kernel.
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

/* A second build of a container has a name of its own. */
#ifndef DSBENCH_NAME_SUFFIX
#define DSBENCH_NAME_SUFFIX
#endif

/**
 * dsbench_container_module() - define the module of a container: registration,
 *	parameters, init, exit, alias, licence
 * @container: name of the container; its operations are in container_ops
 *
 * The core finds the module by its alias, so it knows no container by name.
 */
#define dsbench_container_module(container)				\
static struct dsbench_subject container##_container = {		\
	.name = #container DSBENCH_NAME_SUFFIX,				\
	.ops = &container##_ops,					\
	.owner = THIS_MODULE,						\
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
