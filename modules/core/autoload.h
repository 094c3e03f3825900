/* SPDX-License-Identifier: GPL-2.0 */
/* Containers that are borrowed for a run. */
#ifndef _DSBENCH_CORE_AUTOLOAD_H
#define _DSBENCH_CORE_AUTOLOAD_H

#include "params.h"

void dsbench_autoload(const struct dsbench_params *p);
void dsbench_autoload_release(void);

#endif /* _DSBENCH_CORE_AUTOLOAD_H */
