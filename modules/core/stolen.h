/* SPDX-License-Identifier: GPL-2.0 */
/* Time that a hypervisor or a host took from a try. */
#ifndef _DSBENCH_CORE_STOLEN_H
#define _DSBENCH_CORE_STOLEN_H

#include <linux/types.h>

/**
 * struct dsbench_stolen - what was known before a try
 * @ticks: dsbench_clock()
 * @cpu_ns: CPU time that the host had given
 * @preemptions: involuntary switches on the host
 * @steal: steal time of this CPU, as the hypervisor reports it
 */
struct dsbench_stolen {
	u64 ticks;
	u64 cpu_ns;
	u64 preemptions;
	u64 steal;
};

const char *dsbench_stolen_source(void);
void dsbench_stolen_begin(struct dsbench_stolen *before);
bool dsbench_stolen_end(const struct dsbench_stolen *before);
bool dsbench_stolen_exceeds(u64 wall_ns, u64 cpu_ns);

#endif /* _DSBENCH_CORE_STOLEN_H */
