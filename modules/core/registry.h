/* SPDX-License-Identifier: GPL-2.0 */
/* The subjects that are registered: containers and network devices. */
#ifndef _DSBENCH_CORE_REGISTRY_H
#define _DSBENCH_CORE_REGISTRY_H

#include <dsbench/bench.h>

typedef int (*dsbench_visit_fn)(struct dsbench_subject *subject, void *arg);

int dsbench_registry_visit(dsbench_visit_fn visit, void *arg);
bool dsbench_registry_has(const char *name);
void dsbench_registry_borrowing(bool on);
void dsbench_registry_on_pending(void (*hook)(void));
void dsbench_container_leave_run(struct dsbench_subject *container);

#endif /* _DSBENCH_CORE_REGISTRY_H */
