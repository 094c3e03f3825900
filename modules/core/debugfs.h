/* SPDX-License-Identifier: GPL-2.0 */
/* debugfs dsbench/. */
#ifndef _DSBENCH_CORE_DEBUGFS_H
#define _DSBENCH_CORE_DEBUGFS_H

void dsbench_debugfs_init(void);
void dsbench_debugfs_exit(void);

#endif /* _DSBENCH_CORE_DEBUGFS_H */
