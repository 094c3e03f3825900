// SPDX-License-Identifier: GPL-2.0
/*
 * A container whose cost is a parameter, for the tests: what the reports say must
 * be what was planted. Its fill does no work but 2 * turns + 3 instructions per
 * element, whatever the compiler. Further parameters plant costs that alternate
 * or grow from try to try, and an operation that sleeps.
 */

#include <linux/delay.h>

#include <dsbench/bench.h>

static unsigned int turns = 10;
module_param(turns, uint, 0644);
MODULE_PARM_DESC(turns, "turns of the loop per element, two instructions each");

static unsigned int second;
module_param(second, uint, 0644);
MODULE_PARM_DESC(second, "turns of every second try (default 0: as the first)");

static unsigned int growth;
module_param(growth, uint, 0644);
MODULE_PARM_DESC(growth, "further turns of each try beyond the one before (default 0)");

static unsigned int sleep_ms;
module_param(sleep_ms, uint, 0644);
MODULE_PARM_DESC(sleep_ms, "ms that a slice sleeps (default 0)");

/* The parameters of the run, and its tries so far. */
static struct {
	u32 turns;
	u32 second;
	u32 growth;
	u32 sleep_ms;
	u32 tries;
} plan;

static struct dsbench_ops oracle_ops;

static void oracle_begin_run(void)
{
	plan.turns = max(turns, 1U);
	plan.second = second;
	plan.growth = growth;
	plan.sleep_ms = sleep_ms;
	plan.tries = 0;
	oracle_ops.sleeps = sleep_ms;
}

static int oracle_create(struct dsbench_set *set)
{
	u32 *cost;

	if (set->inline_alloc)
		return -EINVAL;

	cost = kmalloc(sizeof(*cost), GFP_KERNEL);
	if (!cost)
		return -ENOMEM;

	*cost = plan.turns + plan.growth * plan.tries;
	if (plan.second && plan.tries % 2)
		*cost = plan.second;
	plan.tries++;
	set->priv = cost;
	return 0;
}

static void oracle_destroy(struct dsbench_set *set)
{
	kfree(set->priv);
}

static int oracle_verify(struct dsbench_set *set)
{
	int err = 0;
	u32 i;

	for (i = 0; !err && i < set->n; i++)
		err = dsbench_see(set, set->elems[i]);
	return err;
}

static int oracle_fill(struct dsbench_set *set, u32 first, u32 last)
{
	u32 left = last - first;
	u32 cost = *(u32 *)set->priv;
	u32 turn;

	asm volatile("1:\n\t"
		     "movl %2, %1\n"
		     "2:\n\t"
		     "subl $1, %1\n\tjnz 2b\n\t"
		     "subl $1, %0\n\tjnz 1b"
		     : "+r" (left), "=&r" (turn) : "r" (cost) : "cc");
	if (unlikely(plan.sleep_ms))
		msleep(plan.sleep_ms);
	return 0;
}

static struct dsbench_ops oracle_ops = {
	.begin_run = oracle_begin_run,
	.create = oracle_create,
	.destroy = oracle_destroy,
	.verify = oracle_verify,
	.op = { [DSBENCH_FILL] = oracle_fill },
};

dsbench_container_module(oracle);
MODULE_DESCRIPTION("dsbench: a container whose cost is a parameter");
