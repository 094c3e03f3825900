/* SPDX-License-Identifier: GPL-2.0 */
/* The table of the core's module parameters. */
#ifndef _DSBENCH_CORE_PARAM_TABLE_H
#define _DSBENCH_CORE_PARAM_TABLE_H

#include <linux/types.h>

#include "params.h"

void dsbench_params_get(struct dsbench_params *p);
bool dsbench_autorun(void);

#endif /* _DSBENCH_CORE_PARAM_TABLE_H */
