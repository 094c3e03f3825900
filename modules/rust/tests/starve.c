// SPDX-License-Identifier: GPL-2.0
/*
 * Stock kernels have no fault injection. They have kprobes, with which an
 * allocator is made to return NULL, as fail_function does it.
 */

#include <linux/kprobes.h>
#include <linux/ptrace.h>
#include <linux/sched.h>

#include "starve.h"

/*
 * What the containers call, in C and through the kernel crate. One may call
 * another, so an allocation may be counted twice; each is failed in its turn.
 * NULL is what all of them return if memory is short.
 */
static const char * const allocators[] = {
	"__kmalloc_noprof",
	"__kmalloc_cache_noprof",
	"__kmalloc_node_noprof",
	"__kmalloc_node_track_caller_noprof",
	"__kvmalloc_node_noprof",
	"krealloc_node_align_noprof",
	"kvrealloc_node_align_noprof",
	"kmem_cache_alloc_noprof",
	"kmem_cache_alloc_lru_noprof",
	"kmem_cache_prefill_sheaf",
};

static struct kprobe probes[ARRAY_SIZE(allocators)];
static bool registered[ARRAY_SIZE(allocators)];

/* The thread that starves; which of its allocations, and how many it made. */
static struct task_struct *starving;
static u32 wanted;
static u32 seen;

static noinline void *starve_null(void)
{
	return NULL;
}

NOKPROBE_SYMBOL(starve_null);

/* Continue in starve_null(), which returns to the caller of the allocator. */
static int starve_allocation(struct kprobe *p, struct pt_regs *regs)
{
	if (READ_ONCE(starving) != current || ++seen != wanted)
		return 0;
	instruction_pointer_set(regs, (unsigned long)starve_null);
	return 1;
}

NOKPROBE_SYMBOL(starve_allocation);

/**
 * starve_init() - prepare the failure of allocations
 *
 * A kernel may lack some of the allocators, or have inlined them.
 *
 * Context: may sleep.
 *
 * Return: 0, or -EOPNOTSUPP if no allocator can be made to fail.
 */
int starve_init(void)
{
	u32 count = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(allocators); i++) {
		probes[i].symbol_name = allocators[i];
		probes[i].pre_handler = starve_allocation;
		registered[i] = !register_kprobe(&probes[i]);
		count += registered[i];
		if (!registered[i])
			pr_info("%s cannot be made to fail\n", allocators[i]);
	}
	return count ? 0 : -EOPNOTSUPP;
}

/**
 * starve_exit() - undo starve_init()
 *
 * Context: may sleep.
 */
void starve_exit(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(allocators); i++) {
		if (registered[i])
			unregister_kprobe(&probes[i]);
	}
}

/**
 * starve_begin() - fail one of the next allocations of this thread
 * @nth: which one, from 1 on
 *
 * Context: any but interrupts.
 */
void starve_begin(u32 nth)
{
	wanted = nth;
	seen = 0;
	WRITE_ONCE(starving, current);
}

/**
 * starve_end() - let all allocations succeed again
 *
 * Context: any but interrupts.
 *
 * Return: number of allocations since starve_begin(); if it is below @nth, none
 * failed.
 */
u32 starve_end(void)
{
	WRITE_ONCE(starving, NULL);
	return seen;
}
