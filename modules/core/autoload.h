/* SPDX-License-Identifier: GPL-2.0 */
/* Containers that are borrowed for a run. */
#ifndef _DSBENCH_CORE_AUTOLOAD_H
#define _DSBENCH_CORE_AUTOLOAD_H

#include "run.h"

int dsbench_autoload(struct dsbench_run *run);
void dsbench_autoload_release(void);

#endif /* _DSBENCH_CORE_AUTOLOAD_H */
