// SPDX-License-Identifier: GPL-2.0
/* The memory that a run may take. */

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "export.h"
#include "memory.h"

/**
 * dsbench_memory_available() - memory that a run may take
 *
 * Context: any.
 *
 * Return: bytes; three quarters of the free and reclaimable memory.
 */
u64 dsbench_memory_available(void)
{
	s64 pages = si_mem_available();

	return pages > 0 ? ((u64)pages << PAGE_SHIFT) / 4 * 3 : 0;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_memory_available);

/**
 * dsbench_memory_reclaim() - make memory free that can be reclaimed
 * @bytes: memory that an atomic allocation failed to get
 *
 * Operations allocate without reclaim, since they must not sleep. With the page
 * cache full, little is free, though much may be had. So take that much with
 * reclaim, and free it. The OOM killer is not invoked.
 *
 * Context: may sleep.
 *
 * Return: 0, or -ENOMEM if less than @bytes could be had.
 */
int dsbench_memory_reclaim(u64 bytes)
{
	u64 pages = DIV_ROUND_UP_ULL(bytes, PAGE_SIZE);
	struct page *page, *next;
	LIST_HEAD(taken);

	if (bytes > dsbench_memory_available())
		return -ENOMEM;

	for (; pages; pages--) {
		page = alloc_page(GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
		if (!page)
			break;
		list_add(&page->lru, &taken);
		cond_resched();
	}
	list_for_each_entry_safe(page, next, &taken, lru)
		__free_page(page);
	return pages ? -ENOMEM : 0;
}
EXPORT_SYMBOL_FOR_DSBENCH_KUNIT(dsbench_memory_reclaim);
