/* SPDX-License-Identifier: GPL-2.0 */
/* Sequential stopping: whether a cell needs more tries. */
#ifndef _DSBENCH_CORE_PRECISION_H
#define _DSBENCH_CORE_PRECISION_H

#include <linux/types.h>

#include "run.h"

/* Tries of a cell before its precision decides; user space needs ten blocks. */
#define DSBENCH_PRECISION_TRIES	10U

bool dsbench_cell_is_precise(struct dsbench_cell *cell, u32 precision);

#endif /* _DSBENCH_CORE_PRECISION_H */
