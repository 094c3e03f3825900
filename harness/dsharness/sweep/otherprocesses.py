# SPDX-License-Identifier: GPL-2.0
"""Other load during a measurement: other processes, time stolen by the hypervisor, the load average."""

from __future__ import annotations

import os
import re
import resource
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
BUSY_SHARE = 0.25
"""Share of one CPU from which others count as busy: a guest keeps one CPU to itself, but the next CPU shares its caches."""
LOOK_SECONDS = 0.3
NAMED = 3
"""Maximum number of other processes to list."""

_TICKS = os.sysconf("SC_CLK_TCK")


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
        wall = max(total / cpus, 1.0)
        others = max(0.0, busy - stolen - (_own() - self._own)) / wall
        return Account(others, stolen / wall, os.getloadavg()[0], self._names(wall))

    def _names(self, wall: float) -> tuple[str, ...]:
        """Return the processes that still exist; short-lived ones, such as compilers, are not listed."""
        spent: Counter[str] = Counter()
        for number, (name, ticks) in _processes().items():
            before = self._processes.get(number, (name, 0))
            spent[name] += ticks - before[1] if before[0] == name else ticks
        return tuple(f"{name} {ticks / wall:.2f}" for name, ticks in spent.most_common(NAMED) if ticks / wall >= 0.05)


def idlest_cpu() -> int:
    """Return the least busy CPU that this process may run on."""
    before = _idle()
    time.sleep(LOOK_SECONDS)
    idle = {cpu: ticks - before.get(cpu, ticks) for cpu, ticks in _idle().items()}
    return max(os.sched_getaffinity(0), key=lambda cpu: (idle.get(cpu, 0), cpu))


def _idle() -> dict[int, int]:
    """Return the ticks that each CPU has been idle since the boot."""
    rows = (line.split() for line in (PROC / "stat").read_text(encoding="ascii").splitlines())
    return {int(row[0][3:]): int(row[4]) + int(row[5]) for row in rows if re.fullmatch(r"cpu\d+", row[0])}


def _times() -> tuple[float, float, float]:
    """Return the ticks of all CPUs since the boot: total, busy, stolen."""
    values = [int(word) for word in (PROC / "stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]]
    idle = values[3] + values[4]
    return float(sum(values)), float(sum(values) - idle), float(values[7])


def _own() -> float:
    """Return the ticks of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used) * _TICKS


def _processes() -> dict[int, tuple[str, int]]:
    """Return name and ticks by process id, for processes outside this process's session and tree."""
    found = {}
    for folder in PROC.glob("[0-9]*"):
        try:
            text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        name, _, rest = text.partition("(")[2].rpartition(")")
        fields = rest.split()
        if int(folder.name) != os.getpid() and int(fields[1]) != os.getpid():
            found[int(folder.name)] = (name, int(fields[11]) + int(fields[12]))
    return found
