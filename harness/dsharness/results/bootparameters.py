# SPDX-License-Identifier: GPL-2.0
"""The boot parameters of a kernel that change what an operation costs: the list of them, and which a command line has.

A result records those of its kernel, and compare refuses results that differ in one. Parameters that move addresses (nokaslr), choose
a console, a root or an init, or only name a clock that the report names anyway are not among them.
"""

from __future__ import annotations

import re

ALLOCATION = (
    "cgroup.memory", "cgroup_disable", "debug_guardpage_minorder", "debug_pagealloc", "hardened_usercopy", "init_on_alloc",
    "init_on_free", "kmemleak", "mem_encrypt", "memory_corruption_check", "nokmem", "numa_balancing", "page_alloc.shuffle",
    "page_owner", "page_poison", "page_table_check", "slab_debug", "slab_max_order", "slab_merge", "slab_min_objects",
    "slab_min_order", "slab_nomerge", "slab_strict_numa", "slub_debug", "slub_max_order", "slub_merge", "slub_min_objects",
    "slub_min_order", "slub_nomerge", "stack_depot_disable", "transparent_hugepage", "vm_debug",
)  # fmt: skip
"""Allocators and memory: debugging, initialisation, sizes of slabs, accounting, huge pages."""

MITIGATIONS = (
    "gather_data_sampling", "indirect_target_selection", "kpti", "l1d_flush", "l1tf", "mds", "mitigations", "mmio_stale_data",
    "no_entry_flush", "nobhb", "nopti", "nospec_store_bypass_disable", "nospectre_bhb", "nospectre_v1", "nospectre_v2", "pti",
    "randomize_kstack_offset", "reg_file_data_sampling", "retbleed", "spec_rstack_overflow", "spec_store_bypass_disable",
    "spectre_bhi", "spectre_v2", "spectre_v2_user", "srbds", "tsa", "tsx", "tsx_async_abort", "vmscape",
)  # fmt: skip
"""Defences against speculation and other attacks."""

PROCESSOR = (
    "clearcpuid", "cpufreq.default_governor", "cpufreq.off", "cpuidle.off", "cpuidle.governor", "ibt", "idle", "maxcpus", "nohlt",
    "nopcid", "noinvpcid", "nosmap", "nosmep", "nosmp", "nosmt", "noxsave", "nr_cpus", "split_lock_detect",
    "amd_pstate", "amd_prefcore", "intel_idle.max_cstate", "intel_pstate", "processor.max_cstate",
)  # fmt: skip
"""What a CPU does: features, frequencies, idle states, the other thread of its core."""

SCHEDULING = (
    "clocksource", "irqaffinity", "isolcpus", "kthread_cpus", "nmi_watchdog", "nohz", "nohz_full", "nosoftlockup", "notsc",
    "nowatchdog", "preempt", "psi", "rcu_nocb_poll", "rcu_nocbs", "rcupdate.rcu_expedited", "rcupdate.rcu_normal", "schedstats",
    "skew_tick", "threadirqs", "workqueue.power_efficient",
)  # fmt: skip
"""Who interrupts a CPU: ticks, preemption, RCU, watchdogs."""

TRACING = (
    "apparmor", "debug_objects", "ftrace", "ftrace_filter", "ftrace_notrace", "kprobe_event", "lock_stat", "lsm", "prove_locking",
    "security", "selinux", "trace_event", "trace_clock",
)  # fmt: skip
"""What kernel code calls besides its work: tracers, lock checkers, security modules on the way of a packet."""

COST_CHANGING = frozenset((*ALLOCATION, *MITIGATIONS, *PROCESSOR, *SCHEDULING, *TRACING))
GROUPS = ("kasan", "kcsan", "kfence", "kmsan", "rcutree")
"""Subsystems all of whose parameters count: kfence.sample_interval and the like, and the parameter of this name."""

_WORD = re.compile(r'(?:[^\s"]|"[^"]*"?)+')


def recorded(command_line: str) -> list[str]:
    """Return the cost-changing parameters of a kernel's command line, as they are written there, in its order."""
    parameters = command_line.partition(" -- ")[0]
    return [word for word in _WORD.findall(parameters) if _counts(word.strip('"').partition("=")[0].replace("-", "_"))]


def _counts(name: str) -> bool:
    return name in COST_CHANGING or name.partition(".")[0] in GROUPS
