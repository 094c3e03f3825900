# SPDX-License-Identifier: GPL-2.0
"""Other load during a measurement: other processes, time stolen by the hypervisor, the load average."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from dataclasses import dataclass

import psutil

BUSY_SHARE = 0.25
"""Share of one CPU from which others count as busy: a guest keeps one CPU to itself, but the next CPU shares its caches."""
LOOK_SECONDS = 0.3
NAMED = 3
"""Maximum number of other processes to list."""


@dataclass(frozen=True)
class Account:
    """CPU time since the start, in CPUs: 1.0 is one CPU all the time."""

    others: float
    stolen: float
    load: float
    """Load average of the last minute, including the measurement."""
    names: tuple[str, ...]
    """The other processes that used most time, with their shares."""

    @property
    def busy(self) -> bool:
        """Whether cycles counted meanwhile are likely to scatter."""
        return self.others + self.stolen > BUSY_SHARE

    def __str__(self) -> str:
        by = f" ({', '.join(self.names)})" if self.names else ""
        stolen = f", the hypervisor took {self.stolen:.2f}" if self.stolen >= 0.005 else ""
        return f"other processes took {self.others:.2f} of {os.cpu_count()} CPUs{by}{stolen}, load {self.load:.1f}"


class Watch:
    """A watch that begins with its creation. Our own children count once they have ended and were waited for."""

    def __init__(self) -> None:
        self._at = _times()
        self._own = _own()
        self._processes = _processes()

    def account(self) -> Account:
        """Return the account up to now."""
        total, busy, stolen = (now - then for now, then in zip(_times(), self._at))
        cpus = os.cpu_count() or 1
        wall = max(total / cpus, 0.01)
        others = max(0.0, busy - stolen - (_own() - self._own)) / wall
        return Account(others, stolen / wall, os.getloadavg()[0], self._names(wall))

    def _names(self, wall: float) -> tuple[str, ...]:
        """Return the processes that still exist; short-lived ones, such as compilers, are not listed."""
        spent: dict[str, float] = defaultdict(float)
        for number, (name, seconds) in _processes().items():
            before = self._processes.get(number, ("", 0.0))[1]
            spent[name] += max(0.0, seconds - before)
        return tuple(f"{name} {seconds / wall:.2f}" for name, seconds in sorted(spent.items(), key=lambda row: -row[1])[:NAMED] if seconds / wall >= 0.05)


def idlest_cpu() -> int:
    """Return the least busy CPU that this process may run on."""
    before = _idle()
    time.sleep(LOOK_SECONDS)
    idle = {cpu: seconds - before.get(cpu, seconds) for cpu, seconds in _idle().items()}
    return max(os.sched_getaffinity(0), key=lambda cpu: (idle.get(cpu, 0), cpu))


def _idle() -> dict[int, float]:
    """Return the seconds that each CPU has been idle since the boot."""
    return {cpu: times.idle + times.iowait for cpu, times in enumerate(psutil.cpu_times(percpu=True))}


def _times() -> tuple[float, float, float]:
    """Return the seconds of all CPUs since the boot: total, busy, stolen."""
    times = psutil.cpu_times()
    busy = times.user + times.nice + times.system + times.irq + times.softirq + times.steal
    return busy + times.idle + times.iowait, busy, times.steal


def _own() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    return float(sum(psutil.Process().cpu_times()[:4]))


def _processes() -> dict[int, tuple[str, float]]:
    """Return name and CPU seconds by process id, for processes other than this one and its children."""
    own = os.getpid()
    found = {}
    for process in psutil.process_iter(["pid", "ppid", "name", "cpu_times"]):
        facts = process.info
        if own not in (facts["pid"], facts["ppid"]) and facts["cpu_times"]:
            found[facts["pid"]] = (facts["name"], facts["cpu_times"].user + facts["cpu_times"].system)
    return found
