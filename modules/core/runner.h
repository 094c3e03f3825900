/* SPDX-License-Identifier: GPL-2.0 */
/* The thread that loads containers, runs them and unloads them again. */
#ifndef _DSBENCH_CORE_RUNNER_H
#define _DSBENCH_CORE_RUNNER_H

#include <linux/types.h>

struct seq_file;

int dsbench_runner_start(void);
void dsbench_runner_stop(void);
int dsbench_runner_request(void);
int dsbench_runner_wait(bool nonblock);
void dsbench_runner_interrupt(void);
void dsbench_runner_show(struct seq_file *m);

#endif /* _DSBENCH_CORE_RUNNER_H */
