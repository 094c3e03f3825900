# SPDX-License-Identifier: GPL-2.0
"""Facts of the machine that the harness runs on, for the `context` of a result file.

The first fields are Google Benchmark's. Unknown facts are empty or 0, never guessed.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import socket
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .. import git, proc
from ..paths import HARNESS, ROOT

# Load per CPU from which other work is likely to disturb.
BUSY_SHARE = 0.75

SYSFS_CPU = Path("/sys/devices/system/cpu")
CPUINFO = Path("/proc/cpuinfo")
DMI = Path("/sys/class/dmi/id")
DEVICES = Path("/sys/devices")

CORE_TYPES = {"cpu_core": "performance", "cpu_atom": "efficiency", "cpu_lowpower": "low-power"}
"""Types of cores, by their PMU's name below DEVICES. Machines whose cores are alike have none of these."""
NOT_AFFECTED = "Not affected"


def facts() -> dict[str, Any]:
    """The machine's share of `context`."""
    governors = _governors()
    revision, dirty = git_revision()
    return {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "host_name": socket.gethostname(),
        "executable": str((HARNESS / "dsbench").relative_to(ROOT)),
        "num_cpus": os.cpu_count() or 1,
        "mhz_per_cpu": _mhz(),
        "cpu_scaling_enabled": any(governor != "performance" for governor in governors),
        "caches": _caches(),
        "load_avg": [round(load, 2) for load in os.getloadavg()],
        "library_build_type": "release",
        "cpu_model": _cpuinfo("model name") or platform.machine(),
        "governor": ",".join(governors),
        "hypervisor": _hypervisor(),
        "host_kernel": platform.release(),
        "git_revision": revision,
        "git_dirty": dirty,
    }


def warnings(known: Mapping[str, Any], accel: str | None = None) -> list[str]:
    """Return the facts that make cycles scatter, each with advice; none under icount, whose counts nothing disturbs."""
    return [] if accel == "icount" else [f"{what}: {remedy}" for what, remedy in disturbances(known).items()]


def disturbances(known: Mapping[str, Any]) -> dict[str, str]:
    """Return what makes cycles scatter in these facts, with advice. Missing facts count as harmless."""
    found = {}
    load, cpus = (known.get("load_avg") or [0])[0], known.get("num_cpus") or 1
    if load > BUSY_SHARE * cpus:
        found[f"the machine was busy, load {load:g} on {cpus} CPUs"] = (
            "repeat it when idle, or count instructions (--target qemu --accel icount)"
        )
    if known.get("cpu_scaling_enabled"):
        governor = f"the frequency governor is {known.get('governor')}"
        found[governor] = "set it to performance before you compare cycles"
    if len(known.get("core_types") or []) > 1:
        found[f"cores of several types were used, {' and '.join(known['core_types'])}"] = "choose one of them by --cpu"
    return found


def core_types(cpus: Iterable[int]) -> list[str]:
    """Return the types of these CPUs' cores, [] if all cores of the machine are alike."""
    wanted = set(cpus)
    return sorted(kind for name, kind in CORE_TYPES.items() if wanted & _listed(_read(DEVICES / name / "cpus")))


def mitigations() -> dict[str, str]:
    """Return the state of this machine's mitigations by vulnerability, as affecting() has it."""
    return affecting(f"{file.name}: {_read(file)}" for file in sorted((SYSFS_CPU / "vulnerabilities").glob("*")))


def affecting(lines: Iterable[str]) -> dict[str, str]:
    """Return the state of each vulnerability that affects a CPU. A line is "spectre_v2: Mitigation: Retpolines; ..."."""
    states = (line.partition(": ") for line in lines)
    return {name: state for name, _, state in states if state and state != NOT_AFFECTED}


def _listed(cpus: str) -> set[int]:
    """Return the CPUs of a list in sysfs, "0-3,8"."""
    ranges = (part.partition("-") for part in cpus.split(",") if part)
    return {cpu for first, _, last in ranges for cpu in range(int(first), int(last or first) + 1)}


def git_revision() -> tuple[str, bool]:
    """Return the project's revision with 12 digits, and whether the tree has changes; ("", False) outside of git."""
    described = git.described()
    return described.removesuffix("-dirty"), described.endswith("-dirty")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _cpuinfo(key: str) -> str:
    """Return the first CPU's value of `key` in /proc/cpuinfo."""
    match = re.search(rf"^{re.escape(key)}\s*:\s*(.*)$", _read(CPUINFO), re.MULTILINE)
    return match[1].strip() if match else ""


def _mhz() -> int:
    """Return the highest frequency of the first CPU, or its present one."""
    highest = _read(SYSFS_CPU / "cpu0/cpufreq/cpuinfo_max_freq")
    if highest.isdigit():
        return round(int(highest) / 1000)
    present = _cpuinfo("cpu MHz")
    return round(float(present)) if present else 0


def _governors() -> list[str]:
    """Every frequency governor in use."""
    return sorted({_read(path) for path in SYSFS_CPU.glob("cpu[0-9]*/cpufreq/scaling_governor")} - {""})


def _caches() -> list[dict[str, Any]]:
    """Return the caches of a CPU as lscpu reports them: type, level, size in bytes, number of CPUs that share the cache."""
    argv = ["lscpu", "--json", "--bytes", "--caches=NAME,TYPE,LEVEL,ONE-SIZE,ALL-SIZE"]
    try:
        rows = json.loads(subprocess.run(argv, check=True, capture_output=True, encoding="utf-8", errors="replace", env=proc.english()).stdout)["caches"]
    except (OSError, subprocess.CalledProcessError, ValueError, KeyError):
        return []
    cpus = os.cpu_count() or 1
    sizes = [(row, int(row["one-size"] or 0), int(row["all-size"] or 0)) for row in rows]
    return [
        {"type": row["type"], "level": int(row["level"]), "size": one, "num_sharing": max(1, round(cpus * one / total))}
        for row, one, total in sizes
        if one and total
    ]


def _hypervisor() -> str:
    """Return the hypervisor that this machine runs under, "" on bare metal."""
    if kind := _read(Path("/sys/hypervisor/type")):
        return kind
    if "hypervisor" not in _cpuinfo("flags").split():
        return ""
    maker = " ".join(filter(None, (_read(DMI / "sys_vendor"), _read(DMI / "product_name"))))
    return maker or "unnamed hypervisor"
