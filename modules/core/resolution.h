/* SPDX-License-Identifier: GPL-2.0 */
/* The clock's cost in a real try, and the least cost that it can resolve. */
#ifndef _DSBENCH_CORE_RESOLUTION_H
#define _DSBENCH_CORE_RESOLUTION_H

#include "run.h"

int dsbench_resolution_begin(struct dsbench_run *run);
void dsbench_resolution_finish(struct dsbench_run *run);
bool dsbench_below_resolution(const struct dsbench_cell *cell);

#endif /* _DSBENCH_CORE_RESOLUTION_H */
