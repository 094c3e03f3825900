/* SPDX-License-Identifier: GPL-2.0 */
/* The summary of a run that has ended. */
#ifndef _DSBENCH_CORE_SUMMARY_H
#define _DSBENCH_CORE_SUMMARY_H

#include "run.h"

void dsbench_run_finish(struct dsbench_run *run);

#endif /* _DSBENCH_CORE_SUMMARY_H */
