/* SPDX-License-Identifier: GPL-2.0 */
/* One try of a container that readers and a writer share. */
#ifndef _DSBENCH_CORE_TRY_SHARED_H
#define _DSBENCH_CORE_TRY_SHARED_H

#include "run.h"

int dsbench_try_shared(struct dsbench_cell *cell, bool keep);

#endif /* _DSBENCH_CORE_TRY_SHARED_H */
