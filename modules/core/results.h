/* SPDX-License-Identifier: GPL-2.0 */
/* What has been run: the newest cell of each kind. */
#ifndef _DSBENCH_CORE_RESULTS_H
#define _DSBENCH_CORE_RESULTS_H

#include <linux/list.h>

#include "run.h"

void dsbench_results_publish(struct dsbench_run *run);
void dsbench_results_free(void);
void dsbench_results_lock(void);
void dsbench_results_unlock(void);
extern struct list_head dsbench_results;

#endif /* _DSBENCH_CORE_RESULTS_H */
