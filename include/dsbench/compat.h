/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that differs between the kernels that dsbench supports (6.1 to 7.3), and
 * between their architectures where it is no matter of timing.
 */
#ifndef _DSBENCH_COMPAT_H
#define _DSBENCH_COMPAT_H

#include <linux/hardirq.h>
#include <linux/kernel_stat.h>
#include <linux/version.h>

/*
 * The interrupts that x86 takes without a descriptor (local timer, IPIs, NMI)
 * are counted apart from the others. 7.3 counts them in an array.
 */
#if defined(CONFIG_X86) && LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0)
static inline unsigned long dsbench_arch_irq_count(unsigned int cpu)
{
	const irq_cpustat_t *stat = per_cpu_ptr(&irq_stat, cpu);
	unsigned long sum = 0;
	unsigned int i;

	for (i = 0; i < IRQ_COUNT_MAX; i++)
		sum += stat->counts[i];
	return sum;
}
#elif defined(CONFIG_X86)
static inline unsigned long dsbench_arch_irq_count(unsigned int cpu)
{
	const irq_cpustat_t *stat = per_cpu_ptr(&irq_stat, cpu);
	unsigned long sum = stat->__nmi_count;

#ifdef CONFIG_X86_LOCAL_APIC
	sum += stat->apic_timer_irqs;
#endif
#ifdef CONFIG_SMP
	sum += stat->irq_resched_count + stat->irq_call_count;
#endif
	return sum + stat->apic_irq_work_irqs + stat->x86_platform_ipis;
}
#else
static inline unsigned long dsbench_arch_irq_count(unsigned int cpu)
{
	return 0;
}
#endif

/**
 * dsbench_irq_count() - interrupts that a CPU has taken since boot
 * @cpu: the CPU, online
 *
 * Context: any; a snapshot unless it is this CPU with interrupts off.
 *
 * Return: the count; only differences mean something.
 */
static inline unsigned long dsbench_irq_count(unsigned int cpu)
{
	return kstat_cpu_irqs_sum(cpu) + dsbench_arch_irq_count(cpu);
}

#endif /* _DSBENCH_COMPAT_H */
