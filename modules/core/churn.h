/* SPDX-License-Identifier: GPL-2.0 */
/* Elements that come and go while others read. */
#ifndef _DSBENCH_CORE_CHURN_H
#define _DSBENCH_CORE_CHURN_H

#include <dsbench/bench.h>

struct dsbench_churn;

struct dsbench_churn *dsbench_churn_alloc(struct dsbench_set *set,
					  const struct dsbench_shared_ops *ops);
void dsbench_churn_free(struct dsbench_churn *c);
int dsbench_churn_begin(struct dsbench_churn *c);
int dsbench_churn_step(struct dsbench_churn *c);
int dsbench_churn_end(struct dsbench_churn *c);

#endif /* _DSBENCH_CORE_CHURN_H */
