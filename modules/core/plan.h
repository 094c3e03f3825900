/* SPDX-License-Identifier: GPL-2.0 */
/* The plan of a run: its cells, from the parameters and the registered subjects. */
#ifndef _DSBENCH_CORE_PLAN_H
#define _DSBENCH_CORE_PLAN_H

#include <dsbench/bench.h>

#include "run.h"

/*
 * The most elements in a slice: the whole try at the usual sizes, a part of it
 * where it would keep others waiting for too long.
 */
#define DSBENCH_SLICE	4096U

int dsbench_run_add(struct dsbench_run *run, struct dsbench_subject *subject);
int dsbench_run_add_floors(struct dsbench_run *run);
void dsbench_run_drop(struct dsbench_run *run,
		      struct dsbench_subject *container);

#endif /* _DSBENCH_CORE_PLAN_H */
