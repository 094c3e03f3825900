/* SPDX-License-Identifier: GPL-2.0 */
/* CPUID, and what it says of a hypervisor. It traps in guests: keep it away from the clock. */
#ifndef _DSBENCH_CORE_CPUID_H
#define _DSBENCH_CORE_CPUID_H

#include <linux/bits.h>
#include <linux/string.h>
#include <linux/types.h>

#define DSBENCH_CPUID_FEATURES		1
#define DSBENCH_CPUID_HYPERVISOR	0x40000000
#define DSBENCH_CPUID_HYPERVISOR_BIT	BIT(31)	/* ecx of the features */

/* The signature of a hypervisor, with its terminating 0. */
#define DSBENCH_HYPERVISOR_LEN		13

#ifdef __x86_64__
/**
 * dsbench_cpuid() - execute CPUID
 * @leaf: leaf; subleaf 0
 * @regs: set to eax, ebx, ecx, edx
 *
 * Context: any.
 */
static inline void dsbench_cpuid(u32 leaf, u32 regs[4])
{
	asm volatile("cpuid"
		     : "=a" (regs[0]), "=b" (regs[1]), "=c" (regs[2]),
		       "=d" (regs[3])
		     : "a" (leaf), "c" (0));
}

/**
 * dsbench_hypervisor() - get the signature of the hypervisor
 * @name: set to it; empty on bare metal
 *
 * Context: any.
 *
 * Return: true if there is a hypervisor.
 */
static inline bool dsbench_hypervisor(char name[DSBENCH_HYPERVISOR_LEN])
{
	u32 regs[4];

	memset(name, 0, DSBENCH_HYPERVISOR_LEN);
	dsbench_cpuid(DSBENCH_CPUID_FEATURES, regs);
	if (!(regs[2] & DSBENCH_CPUID_HYPERVISOR_BIT))
		return false;

	dsbench_cpuid(DSBENCH_CPUID_HYPERVISOR, regs);
	memcpy(name, &regs[1], DSBENCH_HYPERVISOR_LEN - 1);
	return true;
}
#endif

#endif /* _DSBENCH_CORE_CPUID_H */
