# SPDX-License-Identifier: GPL-2.0
"""What else a machine did during a measurement: CPU time of other processes, time stolen by the hypervisor, load."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import psutil

from ..results import environment

BUSY_SHARE = 0.25
"""From this share of one CPU on, other processes count as busy: a guest keeps one CPU, and the next one shares its caches."""
LOOK_SECONDS = 0.1
PERFORMANCE = environment.CORE_TYPES["cpu_core"]
NAMED = 3
"""Maximum number of other processes to name."""
NAMED_SHARE = 0.05
"""Share of one CPU from which on a process is named."""


@dataclass(frozen=True)
class Account:
    """CPU time during a measurement, in CPUs: 1.0 is one CPU all the time."""

    others: float
    stolen: float
    load: float
    """The load average of the last minute, the measurement included."""
    names: tuple[str, ...]
    """The busiest other processes, with their share."""

    @property
    def busy(self) -> bool:
        """True if cycles counted at the same time are likely to scatter."""
        return self.others + self.stolen > BUSY_SHARE

    def __str__(self) -> str:
        by = f" ({', '.join(self.names)})" if self.names else ""
        stolen = f", the hypervisor took {self.stolen:.2f}" if self.stolen >= 0.005 else ""
        return f"other processes took {self.others:.2f} of {os.cpu_count()} CPUs{by}{stolen}, load {self.load:.1f}"


class Watch:
    """Observes the machine from its creation on. Children of this process count as its own once they were waited for."""

    def __init__(self) -> None:
        self._times = _times()
        self._own = _own()
        self._processes = _processes()

    def account(self) -> Account:
        """Return the CPU time since the creation."""
        total, busy, stolen = (now - then for now, then in zip(_times(), self._times))
        wall = max(total / (os.cpu_count() or 1), 0.01)
        others = max(0.0, busy - stolen - (_own() - self._own)) / wall
        return Account(others, stolen / wall, os.getloadavg()[0], self._names(wall))

    def _names(self, wall: float) -> tuple[str, ...]:
        """Return the busiest processes that still exist. Short ones, such as a compiler's, stay unnamed."""
        spent: dict[str, float] = {}
        for number, (name, seconds) in _processes().items():
            before = self._processes.get(number, (name, 0.0))
            spent[name] = spent.get(name, 0.0) + seconds - (before[1] if before[0] == name else 0.0)
        busiest = sorted(spent.items(), key=lambda process: -process[1])[:NAMED]
        return tuple(f"{name} {used / wall:.2f}" for name, used in busiest if used / wall >= NAMED_SHARE)


def idlest_cpu() -> int:
    """Return the least busy CPU that this process may run on, of its performance cores if there are several types."""
    before = _idle()
    time.sleep(LOOK_SECONDS)
    idle = {cpu: seconds - before.get(cpu, seconds) for cpu, seconds in _idle().items()}
    return max(guest_cpus(), key=lambda cpu: (idle.get(cpu, 0.0), cpu))


def guest_cpus() -> set[int]:
    """Return the CPUs that idlest_cpu() chooses from: cores of one type, so that the guests of a sweep are alike."""
    allowed = os.sched_getaffinity(0)
    return {cpu for cpu in allowed if PERFORMANCE in environment.core_types([cpu])} or allowed


def _idle() -> dict[int, float]:
    """Return the seconds that each CPU has been idle since the boot."""
    return {cpu: times.idle + times.iowait for cpu, times in enumerate(psutil.cpu_times(percpu=True))}


def _times() -> tuple[float, float, float]:
    """Return the seconds of all CPUs since the boot: all, busy, stolen. Those of a guest are in `user`, too."""
    times = psutil.cpu_times()
    total = sum(times) - times.guest - times.guest_nice
    return total, total - times.idle - times.iowait, times.steal


def _own() -> float:
    """Return the CPU seconds of this process and of its children that were waited for."""
    times = psutil.Process().cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _processes() -> dict[int, tuple[str, float]]:
    """Return name and CPU seconds of all processes but this one and its children, by number."""
    found = {}
    for process in psutil.process_iter(["ppid", "name", "cpu_times"]):
        facts = process.info
        if os.getpid() not in (process.pid, facts["ppid"]) and facts["cpu_times"]:
            found[process.pid] = (facts["name"], facts["cpu_times"].user + facts["cpu_times"].system)
    return found
