/* SPDX-License-Identifier: GPL-2.0 */
/* The memory that a run may take. */
#ifndef _DSBENCH_CORE_MEMORY_H
#define _DSBENCH_CORE_MEMORY_H

#include <linux/types.h>

u64 dsbench_memory_available(void);
int dsbench_memory_reclaim(u64 bytes);

#endif /* _DSBENCH_CORE_MEMORY_H */
