/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel and the machine are, for the header of a report. */
#ifndef _DSBENCH_CORE_ENVIRON_H
#define _DSBENCH_CORE_ENVIRON_H

struct seq_file;

void dsbench_environ_show(struct seq_file *m);

#endif /* _DSBENCH_CORE_ENVIRON_H */
