// SPDX-License-Identifier: GPL-2.0
/*
 * The table of the core's module parameters. Root may write them; a run copies
 * them when it starts.
 */

#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <dsbench/bench.h>

#include "memory.h"
#include "opnames.h"
#include "param_table.h"
#include "parse.h"
#include "set.h"

#define TRIES_MAX	1000000U
#define PRECISION_MAX	1000U
#define WARMUP_MAX	60000U
#define PATIENCE_MAX	1000U
#define WRITES_MAX	1000000U

static u32 n = 500;
static u32 tries = 100;
static u32 precision;
static u32 warmup = 500;
static u32 patience = 3;
static u64 seed = 1;
static u32 lookups;
static u32 misses;
static u32 slice;
static int cpu = -1;
static bool sequential;
static bool inline_alloc;
static bool erase_as_inserted;
static bool floors = true;
static unsigned long ops = DSBENCH_OPS_ALL;
static char containers[DSBENCH_SELECT_LEN] = "all";
static u32 threads[DSBENCH_THREADS_MAX];
static u32 nr_threads;
static u32 writes = 1000;
static bool autorun = true;

/* Return the largest n whose sets fit into @bytes; 0 if none does. */
static u32 n_within(u64 bytes)
{
	u32 low = 0, high = DSBENCH_N_MAX;

	while (low < high) {
		u32 middle = high - (high - low) / 2;

		if (dsbench_set_bytes(middle) <= bytes)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static int n_set(const char *val, const struct kernel_param *kp)
{
	u64 available = dsbench_memory_available();
	struct kernel_param checked = *kp;
	u32 value;
	int err;

	/* A run may read the parameter meanwhile, so check first, then store. */
	checked.arg = &value;
	err = dsbench_parse_u32(val, &checked, 1, DSBENCH_N_MAX, " elements");
	if (err)
		return err;

	if (dsbench_set_bytes(value) > available) {
		pr_err("%s%s%s=%.*s: needs %llu MiB of memory, %llu MiB may be used: at most %u elements\n",
		       dsbench_param_owner(kp), dsbench_param_dot(kp), kp->name,
		       dsbench_param_shown(val), val,
		       dsbench_set_bytes(value) >> 20, available >> 20,
		       n_within(available));
		return -ENOMEM;
	}
	WRITE_ONCE(*(u32 *)kp->arg, value);
	return 0;
}

const struct kernel_param_ops dsbench_n_param_ops = {
	.set = n_set,
	.get = param_get_uint,
};
EXPORT_SYMBOL_GPL(dsbench_n_param_ops);

static int tries_set(const char *val, const struct kernel_param *kp)
{
	return dsbench_parse_u32(val, kp, 1, TRIES_MAX, "");
}

const struct kernel_param_ops dsbench_tries_param_ops = {
	.set = tries_set,
	.get = param_get_uint,
};
EXPORT_SYMBOL_GPL(dsbench_tries_param_ops);

static int precision_set(const char *val, const struct kernel_param *kp)
{
	return dsbench_parse_u32(val, kp, 0, PRECISION_MAX,
				 " thousandths of the median (0: all tries)");
}

static const struct kernel_param_ops precision_ops = {
	.set = precision_set,
	.get = param_get_uint,
};

static int warmup_set(const char *val, const struct kernel_param *kp)
{
	return dsbench_parse_u32(val, kp, 0, WARMUP_MAX, " ms");
}

static const struct kernel_param_ops warmup_ops = {
	.set = warmup_set,
	.get = param_get_uint,
};

static int patience_set(const char *val, const struct kernel_param *kp)
{
	return dsbench_parse_u32(val, kp, 0, PATIENCE_MAX, " ms");
}

static const struct kernel_param_ops patience_ops = {
	.set = patience_set,
	.get = param_get_uint,
};

static const struct kernel_param_ops seed_ops = {
	.set = dsbench_parse_u64,
	.get = param_get_ullong,
};

static int lookups_set(const char *val, const struct kernel_param *kp)
{
	return dsbench_parse_u32(val, kp, 0, DSBENCH_N_MAX,
		       " (0: n, fewer where each passes many elements)");
}

static const struct kernel_param_ops lookups_ops = {
	.set = lookups_set,
	.get = param_get_uint,
};

static int misses_set(const char *val, const struct kernel_param *kp)
{
	return dsbench_parse_u32(val, kp, 0, 100, " percent");
}

static const struct kernel_param_ops misses_ops = {
	.set = misses_set,
	.get = param_get_uint,
};

static int slice_set(const char *val, const struct kernel_param *kp)
{
	return dsbench_parse_u32(val, kp, 0, DSBENCH_N_MAX,
				 " elements (0: the core chooses)");
}

static const struct kernel_param_ops slice_ops = {
	.set = slice_set,
	.get = param_get_uint,
};

static const struct kernel_param_ops cpu_ops = {
	.set = dsbench_parse_cpu,
	.get = param_get_int,
};

static const char * const order_names[] = { "shuffled", "sequential" };

static int order_set(const char *val, const struct kernel_param *kp)
{
	return dsbench_parse_choice(val, kp, order_names);
}

static int order_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", order_names[sequential]);
}

static const struct kernel_param_ops order_ops = {
	.set = order_set,
	.get = order_get,
};

static const char * const alloc_names[] = { "prealloc", "inline" };

static int alloc_set(const char *val, const struct kernel_param *kp)
{
	return dsbench_parse_choice(val, kp, alloc_names);
}

static int alloc_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", alloc_names[inline_alloc]);
}

static const struct kernel_param_ops alloc_ops = {
	.set = alloc_set,
	.get = alloc_get,
};

static const char * const erase_order_names[] = { "key", "insertion" };

static int erase_order_set(const char *val, const struct kernel_param *kp)
{
	return dsbench_parse_choice(val, kp, erase_order_names);
}

static int erase_order_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", erase_order_names[erase_as_inserted]);
}

static const struct kernel_param_ops erase_order_ops = {
	.set = erase_order_set,
	.get = erase_order_get,
};

static int ops_set(const char *val, const struct kernel_param *kp)
{
	return dsbench_parse_ops(val, kp, &ops);
}

static int ops_get(char *buffer, const struct kernel_param *kp)
{
	int length = 0;
	int op;

	if (ops == DSBENCH_OPS_ALL)
		return sysfs_emit(buffer, "all\n");

	for_each_set_bit(op, &ops, DSBENCH_OPS_SELECTABLE)
		length += sysfs_emit_at(buffer, length, "%s%s",
					length ? "," : "",
					dsbench_op_names[op]);
	return length + sysfs_emit_at(buffer, length, "\n");
}

static const struct kernel_param_ops ops_ops = {
	.set = ops_set,
	.get = ops_get,
};

static int containers_set(const char *val, const struct kernel_param *kp)
{
	return dsbench_parse_names(val, kp, containers, sizeof(containers));
}

static int containers_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", containers);
}

static const struct kernel_param_ops containers_ops = {
	.set = containers_set,
	.get = containers_get,
};

static int threads_set(const char *val, const struct kernel_param *kp)
{
	u32 numbers[DSBENCH_THREADS_MAX];
	int count = dsbench_parse_threads(val, kp, numbers, ARRAY_SIZE(numbers));

	if (count < 0)
		return count;

	memcpy(threads, numbers, count * sizeof(*numbers));
	nr_threads = count;
	return 0;
}

static int threads_get(char *buffer, const struct kernel_param *kp)
{
	int length = 0;
	u32 i;

	if (!nr_threads)
		return sysfs_emit(buffer, "0\n");

	for (i = 0; i < nr_threads; i++)
		length += sysfs_emit_at(buffer, length, "%s%u", i ? "," : "",
					threads[i]);
	return length + sysfs_emit_at(buffer, length, "\n");
}

static const struct kernel_param_ops threads_ops = {
	.set = threads_set,
	.get = threads_get,
};

static int writes_set(const char *val, const struct kernel_param *kp)
{
	return dsbench_parse_u32(val, kp, 0, WRITES_MAX, " a second (0: no writer)");
}

static const struct kernel_param_ops writes_ops = {
	.set = writes_set,
	.get = param_get_uint,
};

module_param_cb(n, &dsbench_n_param_ops, &n, 0644);
MODULE_PARM_DESC(n, "elements (default 500)");
module_param_cb(tries, &dsbench_tries_param_ops, &tries, 0644);
MODULE_PARM_DESC(tries, "samples of each container and operation (default 100)");
module_param_cb(precision, &precision_ops, &precision, 0644);
MODULE_PARM_DESC(precision, "thousandths of the median: a cell gets no more tries once the 95 % interval of its median is within them (default 0: all tries)");
module_param_cb(warmup, &warmup_ops, &warmup, 0644);
MODULE_PARM_DESC(warmup, "ms of tries that do not count, one round at least (default 500)");
module_param_cb(patience, &patience_ops, &patience, 0644);
MODULE_PARM_DESC(patience, "ms that a try may wait, on average, until nobody else runs on its core (default 3; 0: never)");
module_param_cb(seed, &seed_ops, &seed, 0644);
MODULE_PARM_DESC(seed, "of the keys, their order and the order of the tries (default 1)");
module_param_cb(order, &order_ops, &sequential, 0644);
MODULE_PARM_DESC(order, "order of the keys: shuffled (default) or sequential");
module_param_cb(alloc, &alloc_ops, &inline_alloc, 0644);
MODULE_PARM_DESC(alloc, "elements exist before (prealloc, default) or are allocated and freed under the clock (inline)");
module_param_cb(erase_order, &erase_order_ops, &erase_as_inserted, 0644);
MODULE_PARM_DESC(erase_order, "order in which elements are erased: by key (default) or by insertion");
module_param_cb(lookups, &lookups_ops, &lookups, 0644);
MODULE_PARM_DESC(lookups, "keys a find try looks up at the most (default 0: n, fewer where each passes many elements)");
module_param_cb(misses, &misses_ops, &misses, 0644);
MODULE_PARM_DESC(misses, "percent of the lookups whose key is absent (default 0)");
module_param_cb(slice, &slice_ops, &slice, 0644);
MODULE_PARM_DESC(slice, "elements that fill, find and erase handle between two readings of the clock at the most (default 0: the core chooses)");
module_param_cb(cpu, &cpu_ops, &cpu, 0644);
MODULE_PARM_DESC(cpu, "CPU to run on (default -1: the last one online)");
module_param_cb(ops, &ops_ops, NULL, 0644);
MODULE_PARM_DESC(ops, "all (default), or fill, find, for_each, erase, tx, rx, path with commas between");
module_param_cb(containers, &containers_ops, NULL, 0644);
MODULE_PARM_DESC(containers, "all (default), or names with commas between");
module_param(floors, bool, 0644);
MODULE_PARM_DESC(floors, "time what the machine can do at best beside the containers (default Y)");
module_param_cb(threads, &threads_ops, NULL, 0644);
MODULE_PARM_DESC(threads, "numbers of readers that find and for_each are shared among, too, with commas between (default 0: none)");
module_param_cb(writes, &writes_ops, &writes, 0644);
MODULE_PARM_DESC(writes, "erasures and insertions a second of a writer beside the readers (default 1000; 0: no writer)");
module_param(autorun, bool, 0644);
MODULE_PARM_DESC(autorun, "run at load, and each container as it registers (default Y)");

/**
 * dsbench_params_get() - copy the current parameters
 * @p: set to them
 *
 * Context: may sleep.
 */
void dsbench_params_get(struct dsbench_params *p)
{
	kernel_param_lock(THIS_MODULE);
	*p = (struct dsbench_params) {
		.n = n,
		.tries = tries,
		.precision = precision,
		.warmup = warmup,
		.patience = patience,
		.seed = seed,
		.lookups = lookups,
		.misses = misses,
		.slice = slice,
		.cpu = cpu,
		.sequential = sequential,
		.inline_alloc = inline_alloc,
		.erase_as_inserted = erase_as_inserted,
		.floors = floors,
		.ops = ops,
		.nr_threads = nr_threads,
		.writes = writes,
	};
	memcpy(p->threads, threads, sizeof(p->threads));
	strscpy(p->containers, containers, sizeof(p->containers));
	kernel_param_unlock(THIS_MODULE);
}

/**
 * dsbench_autorun() - whether containers run when they register
 *
 * Context: any.
 *
 * Return: the value of autorun=.
 */
bool dsbench_autorun(void)
{
	return READ_ONCE(autorun);
}
