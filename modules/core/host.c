// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of User Mode Linux to its host. A UML kernel is a process of the host,
 * so a system call from kernel code reaches the host. Elsewhere there is no host
 * to ask, and the functions do nothing.
 */

#include <linux/kernel.h>
#include <linux/time64.h>

#include "host.h"

#if DSBENCH_HAS_HOST
/* Numbers and layouts of the x86-64 system calls, which never change. */
#define HOST_GETRUSAGE		98
#define HOST_CLOCK_GETTIME	228

#define HOST_RUSAGE_THREAD	1
#define HOST_THREAD_CPUTIME	3

/* struct rusage: 18 longs, the last of which counts involuntary switches. */
#define HOST_RUSAGE_LONGS	18

static long host_call(long number, long a, void *b)
{
	long result;

	asm volatile("syscall"
		     : "=a" (result)
		     : "0" (number), "D" (a), "S" (b)
		     : "rcx", "r11", "memory");
	return result;
}

/**
 * dsbench_host_cpu_ns() - CPU time that the host gave to this kernel
 *
 * Context: any.
 *
 * Return: nanoseconds; 0 without a host.
 */
u64 dsbench_host_cpu_ns(void)
{
	long time[2] = {};

	host_call(HOST_CLOCK_GETTIME, HOST_THREAD_CPUTIME, time);
	return time[0] * NSEC_PER_SEC + time[1];
}

/**
 * dsbench_host_preemptions() - how often the host gave the CPU to others
 *
 * Context: any.
 *
 * Return: involuntary context switches of this kernel's thread; 0 without a
 * host.
 */
u64 dsbench_host_preemptions(void)
{
	long usage[HOST_RUSAGE_LONGS] = {};

	host_call(HOST_GETRUSAGE, HOST_RUSAGE_THREAD, usage);
	return usage[HOST_RUSAGE_LONGS - 1];
}

#else
u64 dsbench_host_cpu_ns(void)
{
	return 0;
}

u64 dsbench_host_preemptions(void)
{
	return 0;
}
#endif
