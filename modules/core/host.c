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
#define HOST_RT_SIGPROCMASK	14
#define HOST_GETRUSAGE		98
#define HOST_CLOCK_GETTIME	228

#define HOST_SIG_BLOCK		0
#define HOST_SIG_SETMASK	2
#define HOST_RUSAGE_THREAD	1
#define HOST_THREAD_CPUTIME	3

/* struct rusage: 18 longs, the last of which counts involuntary switches. */
#define HOST_RUSAGE_LONGS	18

/*
 * Signals that stand for interrupts: SIGALRM is the timer, SIGIO the devices.
 * SIGSEGV must stay open, since page faults of the kernel arrive by it.
 */
#define HOST_SIGNALS	(1ULL << (14 - 1) | 1ULL << (28 - 1) | 1ULL << (29 - 1))

static long host_call(long number, long a, long b, long c, long d)
{
	register long fourth asm("r10") = d;
	long result;

	asm volatile("syscall"
		     : "=a" (result)
		     : "0" (number), "D" (a), "S" (b), "d" (c), "r" (fourth)
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

	host_call(HOST_CLOCK_GETTIME, HOST_THREAD_CPUTIME, (long)time, 0, 0);
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

	host_call(HOST_GETRUSAGE, HOST_RUSAGE_THREAD, (long)usage, 0, 0);
	return usage[HOST_RUSAGE_LONGS - 1];
}

/**
 * dsbench_host_block_signals() - keep the host's signals out
 *
 * UML disables interrupts by a flag only: the signal that stands for one still
 * arrives, and its handler takes time before it sees the flag.
 *
 * Context: interrupts disabled. The kernel must not sleep before
 * dsbench_host_restore_signals(), since it would not be woken.
 *
 * Return: the mask to restore; 0 without a host.
 */
u64 dsbench_host_block_signals(void)
{
	u64 block = HOST_SIGNALS;
	u64 old = 0;

	host_call(HOST_RT_SIGPROCMASK, HOST_SIG_BLOCK, (long)&block,
		  (long)&old, sizeof(block));
	return old;
}

/**
 * dsbench_host_restore_signals() - let the host's signals in again
 * @mask: as returned by dsbench_host_block_signals()
 *
 * Context: interrupts disabled.
 */
void dsbench_host_restore_signals(u64 mask)
{
	host_call(HOST_RT_SIGPROCMASK, HOST_SIG_SETMASK, (long)&mask, 0,
		  sizeof(mask));
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

u64 dsbench_host_block_signals(void)
{
	return 0;
}

void dsbench_host_restore_signals(u64 mask)
{
}
#endif
