/* SPDX-License-Identifier: GPL-2.0 */
/* The memory of a run: samples and sets. */
#ifndef _DSBENCH_CORE_RUN_MEMORY_H
#define _DSBENCH_CORE_RUN_MEMORY_H

#include "run.h"

int dsbench_run_prepare(struct dsbench_run *run);
void dsbench_run_free_sets(struct dsbench_run *run);

#endif /* _DSBENCH_CORE_RUN_MEMORY_H */
