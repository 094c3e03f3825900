/* SPDX-License-Identifier: GPL-2.0 */
/* The rounds of a run: one try of each cell a round, in random order. */
#ifndef _DSBENCH_CORE_ROUNDS_H
#define _DSBENCH_CORE_ROUNDS_H

#include <linux/types.h>

#include "run.h"

int dsbench_rounds(struct dsbench_run *run);
void dsbench_rounds_progress(u64 *done, u64 *total);

#endif /* _DSBENCH_CORE_ROUNDS_H */
