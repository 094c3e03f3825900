/* SPDX-License-Identifier: GPL-2.0 */
/* The memory that a run may take. */
#ifndef _DSBENCH_CORE_MEMORY_H
#define _DSBENCH_CORE_MEMORY_H

#include <linux/gfp.h>
#include <linux/types.h>

/*
 * For what a run needs before its first try. With the page cache full, one attempt
 * to reclaim may fail though much can be had: retry, but let no process be killed.
 */
#define DSBENCH_RUN_GFP	(GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

u64 dsbench_memory_available(void);
int dsbench_memory_reclaim(u64 bytes);

#endif /* _DSBENCH_CORE_MEMORY_H */
