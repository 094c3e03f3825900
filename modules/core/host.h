/* SPDX-License-Identifier: GPL-2.0 */
/* Calls of User Mode Linux to its host, for what only the host knows. */
#ifndef _DSBENCH_CORE_HOST_H
#define _DSBENCH_CORE_HOST_H

#include <linux/types.h>

#if defined(CONFIG_UML) && defined(__x86_64__)
#define DSBENCH_HAS_HOST	1
#else
#define DSBENCH_HAS_HOST	0
#endif

u64 dsbench_host_cpu_ns(void);
u64 dsbench_host_preemptions(void);

#endif /* _DSBENCH_CORE_HOST_H */
