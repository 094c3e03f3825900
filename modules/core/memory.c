// SPDX-License-Identifier: GPL-2.0
/* The memory that a run may take. */

#include <linux/mm.h>

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
