/* SPDX-License-Identifier: GPL-2.0 */
/* /proc/dsbench. */
#ifndef _DSBENCH_CORE_PROCFS_H
#define _DSBENCH_CORE_PROCFS_H

int dsbench_procfs_init(void);
void dsbench_procfs_exit(void);

#endif /* _DSBENCH_CORE_PROCFS_H */
