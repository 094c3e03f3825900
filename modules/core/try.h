/* SPDX-License-Identifier: GPL-2.0 */
/* One try: create the container, time one operation on it, verify, undo. */
#ifndef _DSBENCH_CORE_TRY_H
#define _DSBENCH_CORE_TRY_H

#include "run.h"

bool dsbench_cell_must_end(const struct dsbench_cell *cell);
int dsbench_cell_begin(struct dsbench_cell *cell);
int dsbench_cell_fill(struct dsbench_cell *cell);
void dsbench_cell_settle(const struct dsbench_cell *cell);
int dsbench_try(struct dsbench_cell *cell, bool keep);

#endif /* _DSBENCH_CORE_TRY_H */
