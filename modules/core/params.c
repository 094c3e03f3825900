// SPDX-License-Identifier: GPL-2.0
/*
 * The parameters: what they may be, what they are, and a sentence in the log
 * for all else. Those that the owner may write take effect at the next run.
 */

#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "core.h"

/* Operations that ops= selects: the floors' come behind them. */
#define OPS_SELECTABLE	DSBENCH_EMPTY
#define OPS_ALL		(BIT(OPS_SELECTABLE) - 1)

#define TRIES_MAX	1000000U
#define WARMUP_MAX	60000U
#define PATIENCE_MAX	1000U
#define WRITES_MAX	1000000U

/* Elements that a find try may pass when lookups= leaves it to us. */
#define FIND_STEPS	DSBENCH_N_MAX

static u32 n = 500;
static u32 tries = 100;
static u32 warmup = 500;
static u32 patience = 3;
static u64 seed = 1;
static u32 lookups;
static u32 misses;
static int cpu = -1;
static bool sequential;
static bool inline_alloc;
static bool erase_as_inserted;
static bool floors = true;
static unsigned long ops = OPS_ALL;
static char containers[DSBENCH_SELECT_LEN] = "all";
static u32 threads[DSBENCH_THREADS_MAX];
static u32 nr_threads;
static u32 writes = 1000;
static bool autorun = true;

/* Length of a value as the user wrote it, without the newline that echo adds. */
static int shown(const char *val)
{
	return strcspn(val, "\n");
}

/* Names a container's parameter as the command line does: dsbench_list.n. */
static const char *owner(const struct kernel_param *kp)
{
	return kp->mod == THIS_MODULE ? "" : module_name(kp->mod);
}

static const char *dot(const struct kernel_param *kp)
{
	return kp->mod == THIS_MODULE ? "" : ".";
}

static int set_u32(const char *val, const struct kernel_param *kp, u32 min,
		   u32 max, const char *unit)
{
	u32 value;

	if (kstrtou32(val, 0, &value) || value < min || value > max) {
		pr_err("%s%s%s=%.*s: must be a whole number from %u to %u%s\n",
		       owner(kp), dot(kp), kp->name, shown(val), val, min, max,
		       unit);
		return -EINVAL;
	}
	*(u32 *)kp->arg = value;
	return 0;
}

/* The same for a choice between names; the index of the one chosen. */
static int choose(const char *val, const struct kernel_param *kp,
		  const char * const *names)
{
	int chosen = __sysfs_match_string(names, 2, val);

	if (chosen < 0)
		pr_err("%s=%.*s: must be %s or %s\n", kp->name, shown(val), val,
		       names[0], names[1]);
	return chosen;
}

/**
 * dsbench_memory_available() - how much a run may take
 *
 * Context: any.
 *
 * Return: bytes; three quarters of what is free or easily made free.
 */
u64 dsbench_memory_available(void)
{
	s64 pages = si_mem_available();

	return pages > 0 ? ((u64)pages << PAGE_SHIFT) / 4 * 3 : 0;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_memory_available);

/* The most elements whose sets take no more than that; 0 for none. */
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
	u32 old = *(u32 *)kp->arg;
	int err;

	err = set_u32(val, kp, 1, DSBENCH_N_MAX, " elements");
	if (err)
		return err;

	if (dsbench_set_bytes(*(u32 *)kp->arg) > available) {
		pr_err("%s%s%s=%.*s: needs %llu MiB of memory, %llu MiB may be used: at most %u elements\n",
		       owner(kp), dot(kp), kp->name, shown(val), val,
		       dsbench_set_bytes(*(u32 *)kp->arg) >> 20,
		       available >> 20, n_within(available));
		*(u32 *)kp->arg = old;
		return -ENOMEM;
	}
	return 0;
}

const struct kernel_param_ops dsbench_n_param_ops = {
	.set = n_set,
	.get = param_get_uint,
};
EXPORT_SYMBOL_GPL(dsbench_n_param_ops);

static int tries_set(const char *val, const struct kernel_param *kp)
{
	return set_u32(val, kp, 1, TRIES_MAX, "");
}

const struct kernel_param_ops dsbench_tries_param_ops = {
	.set = tries_set,
	.get = param_get_uint,
};
EXPORT_SYMBOL_GPL(dsbench_tries_param_ops);

static int warmup_set(const char *val, const struct kernel_param *kp)
{
	return set_u32(val, kp, 0, WARMUP_MAX, " ms");
}

static const struct kernel_param_ops warmup_ops = {
	.set = warmup_set,
	.get = param_get_uint,
};

static int patience_set(const char *val, const struct kernel_param *kp)
{
	return set_u32(val, kp, 0, PATIENCE_MAX, " ms");
}

static const struct kernel_param_ops patience_ops = {
	.set = patience_set,
	.get = param_get_uint,
};

static int seed_set(const char *val, const struct kernel_param *kp)
{
	u64 value;

	if (kstrtou64(val, 0, &value)) {
		pr_err("seed=%.*s: must be a whole number from 0 to %llu\n",
		       shown(val), val, U64_MAX);
		return -EINVAL;
	}
	seed = value;
	return 0;
}

static const struct kernel_param_ops seed_ops = {
	.set = seed_set,
	.get = param_get_ullong,
};

static int lookups_set(const char *val, const struct kernel_param *kp)
{
	return set_u32(val, kp, 0, DSBENCH_N_MAX,
		       " (0: n, fewer where each passes many elements)");
}

static const struct kernel_param_ops lookups_ops = {
	.set = lookups_set,
	.get = param_get_uint,
};

static int misses_set(const char *val, const struct kernel_param *kp)
{
	return set_u32(val, kp, 0, 100, " percent");
}

static const struct kernel_param_ops misses_ops = {
	.set = misses_set,
	.get = param_get_uint,
};

static int cpu_set(const char *val, const struct kernel_param *kp)
{
	int value;

	if (kstrtoint(val, 0, &value) || value < -1 ||
	    (value >= 0 && (value >= nr_cpu_ids || !cpu_online(value)))) {
		pr_err("cpu=%.*s: must be the number of a CPU that is online (%*pbl), or -1 for the last of them\n",
		       shown(val), val, cpumask_pr_args(cpu_online_mask));
		return -EINVAL;
	}
	cpu = value;
	return 0;
}

static const struct kernel_param_ops cpu_ops = {
	.set = cpu_set,
	.get = param_get_int,
};

static const char * const order_names[] = { "shuffled", "sequential" };

static int order_set(const char *val, const struct kernel_param *kp)
{
	int chosen = choose(val, kp, order_names);

	if (chosen < 0)
		return chosen;
	sequential = chosen;
	return 0;
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
	int chosen = choose(val, kp, alloc_names);

	if (chosen < 0)
		return chosen;
	inline_alloc = chosen;
	return 0;
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
	int chosen = choose(val, kp, erase_order_names);

	if (chosen < 0)
		return chosen;
	erase_as_inserted = chosen;
	return 0;
}

static int erase_order_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", erase_order_names[erase_as_inserted]);
}

static const struct kernel_param_ops erase_order_ops = {
	.set = erase_order_set,
	.get = erase_order_get,
};

/* A bit for each name in a list with commas between; 0 where one is unknown. */
static unsigned long parse_ops(const char *val)
{
	unsigned long mask = 0;
	const char *name = val;

	if (sysfs_streq(val, "all"))
		return OPS_ALL;

	for (;;) {
		size_t length = strcspn(name, ",\n");
		int op;

		for (op = 0; op < OPS_SELECTABLE; op++) {
			if (strlen(dsbench_op_names[op]) == length &&
			    !strncmp(dsbench_op_names[op], name, length))
				break;
		}
		if (op == OPS_SELECTABLE)
			return 0;
		mask |= BIT(op);
		if (name[length] != ',')
			return mask;
		name += length + 1;
	}
}

static int ops_set(const char *val, const struct kernel_param *kp)
{
	unsigned long mask = parse_ops(val);

	if (!mask) {
		pr_err("ops=%.*s: must be all, or fill, find, for_each, erase, tx, rx and path with commas between\n",
		       shown(val), val);
		return -EINVAL;
	}
	ops = mask;
	return 0;
}

static int ops_get(char *buffer, const struct kernel_param *kp)
{
	int length = 0;
	int op;

	if (ops == OPS_ALL)
		return sysfs_emit(buffer, "all\n");

	for_each_set_bit(op, &ops, OPS_SELECTABLE)
		length += sysfs_emit_at(buffer, length, "%s%s",
					length ? "," : "",
					dsbench_op_names[op]);
	return length + sysfs_emit_at(buffer, length, "\n");
}

static const struct kernel_param_ops ops_ops = {
	.set = ops_set,
	.get = ops_get,
};

/* Which names there are is known only once modules are asked for. */
static int containers_set(const char *val, const struct kernel_param *kp)
{
	size_t length = strcspn(val, "\n");
	size_t i, start = 0;

	for (i = 0; i <= length; i++) {
		if (i < length && (islower(val[i]) || isdigit(val[i]) ||
				   val[i] == '_'))
			continue;
		if ((i < length && val[i] != ',') || i == start ||
		    i - start >= DSBENCH_NAME_LEN)
			goto err;
		start = i + 1;
	}
	if (length >= sizeof(containers))
		goto err;

	memcpy(containers, val, length);
	containers[length] = '\0';
	return 0;

err:
	pr_err("containers=%.*s: must be all, or names of containers with commas between, %zu characters at the most\n",
	       shown(val), val, sizeof(containers) - 1);
	return -EINVAL;
}

static int containers_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", containers);
}

static const struct kernel_param_ops containers_ops = {
	.set = containers_set,
	.get = containers_get,
};

/* Numbers with commas between, each one once; how many, or -1. */
static int parse_threads(const char *val, u32 numbers[DSBENCH_THREADS_MAX])
{
	int count = 0;
	int i;

	for (;;) {
		char word[8] = {};
		size_t length = strcspn(val, ",\n");

		if (count == DSBENCH_THREADS_MAX || length >= sizeof(word))
			return -1;
		memcpy(word, val, length);
		if (kstrtou32(word, 0, &numbers[count]) || !numbers[count] ||
		    numbers[count] > num_online_cpus())
			return -1;
		for (i = 0; i < count; i++) {
			if (numbers[i] == numbers[count])
				return -1;
		}
		count++;
		if (val[length] != ',')
			return count;
		val += length + 1;
	}
}

static int threads_set(const char *val, const struct kernel_param *kp)
{
	u32 numbers[DSBENCH_THREADS_MAX];
	int count = sysfs_streq(val, "0") ? 0 : parse_threads(val, numbers);

	if (count < 0) {
		pr_err("threads=%.*s: must be 0, or up to %d different numbers of readers from 1 to %u, the CPUs that are online, with commas between\n",
		       shown(val), val, DSBENCH_THREADS_MAX, num_online_cpus());
		return -EINVAL;
	}
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
	return set_u32(val, kp, 0, WRITES_MAX, " a second (0: no writer)");
}

static const struct kernel_param_ops writes_ops = {
	.set = writes_set,
	.get = param_get_uint,
};

module_param_cb(n, &dsbench_n_param_ops, &n, 0644);
MODULE_PARM_DESC(n, "elements (default 500)");
module_param_cb(tries, &dsbench_tries_param_ops, &tries, 0644);
MODULE_PARM_DESC(tries, "samples of each container and operation (default 100)");
module_param_cb(warmup, &warmup_ops, &warmup, 0644);
MODULE_PARM_DESC(warmup, "ms of tries that do not count, one round at least (default 500)");
module_param_cb(patience, &patience_ops, &patience, 0644);
MODULE_PARM_DESC(patience, "ms that a try may wait, on average, until nobody else runs on its core (default 3; 0: never)");
module_param_cb(seed, &seed_ops, &seed, 0644);
MODULE_PARM_DESC(seed, "of the keys, their order and the order of the tries (default 1)");
module_param_cb(order, &order_ops, NULL, 0644);
MODULE_PARM_DESC(order, "order of the keys: shuffled (default) or sequential");
module_param_cb(alloc, &alloc_ops, NULL, 0644);
MODULE_PARM_DESC(alloc, "elements exist before (prealloc, default) or are allocated and freed under the clock (inline)");
module_param_cb(erase_order, &erase_order_ops, NULL, 0644);
MODULE_PARM_DESC(erase_order, "order in which elements are erased: by key (default) or by insertion");
module_param_cb(lookups, &lookups_ops, &lookups, 0644);
MODULE_PARM_DESC(lookups, "keys a find try looks up at the most (default 0: n, fewer where each passes many elements)");
module_param_cb(misses, &misses_ops, &misses, 0644);
MODULE_PARM_DESC(misses, "percent of the lookups whose key is absent (default 0)");
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
 * dsbench_params_get() - copy the parameters as they are now
 * @p: where to
 *
 * Context: may sleep.
 */
void dsbench_params_get(struct dsbench_params *p)
{
	kernel_param_lock(THIS_MODULE);
	*p = (struct dsbench_params) {
		.n = n,
		.tries = tries,
		.warmup = warmup,
		.patience = patience,
		.seed = seed,
		.lookups = lookups,
		.misses = misses,
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
 * dsbench_threads_cpus() - CPUs that the readers and the writer need
 * @p: the parameters
 *
 * Context: any.
 *
 * Return: 0 where no container is shared.
 */
u32 dsbench_threads_cpus(const struct dsbench_params *p)
{
	u32 most = 0;
	u32 i;

	for (i = 0; i < p->nr_threads; i++)
		most = max(most, p->threads[i]);
	return most ? most + !!p->writes : 0;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_threads_cpus);

/**
 * dsbench_autorun() - do containers run as they register?
 *
 * Context: any.
 *
 * Return: what the parameter says.
 */
bool dsbench_autorun(void)
{
	return READ_ONCE(autorun);
}

/**
 * dsbench_select_all() - is no container named?
 * @p: the parameters
 *
 * Context: any.
 *
 * Return: true where every container is to run.
 */
bool dsbench_select_all(const struct dsbench_params *p)
{
	return !strcmp(p->containers, "all");
}

/**
 * dsbench_selected() - is a container to run?
 * @p: the parameters
 * @name: the container's
 *
 * Context: any.
 *
 * Return: true where it is.
 */
bool dsbench_selected(const struct dsbench_params *p, const char *name)
{
	const char *at = p->containers;
	size_t length = strlen(name);

	if (dsbench_select_all(p))
		return true;

	for (;;) {
		size_t word = strcspn(at, ",");

		if (word == length && !strncmp(at, name, length))
			return true;
		if (!at[word])
			return false;
		at += word + 1;
	}
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_selected);

/**
 * dsbench_lookups() - how many keys one find try looks up
 * @p: the parameters
 * @size: elements in the container
 * @steps: elements that one find passes, 1 at least
 *
 * Context: any.
 *
 * Return: 1 to @size.
 */
u32 dsbench_lookups(const struct dsbench_params *p, u32 size, u32 steps)
{
	if (p->lookups)
		return min(p->lookups, size);
	return clamp(FIND_STEPS / steps, 1U, size);
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_lookups);
