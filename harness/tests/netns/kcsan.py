# SPDX-License-Identifier: GPL-2.0
"""KCSAN, which watches accesses of all CPUs to memory: it is turned on for the cases, and its reports are read from the kernel's log.

A report is about a race of the tunnel if one of the two functions is in its module. The kernel has races of its own, which fail no case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

CONTROL = Path("/sys/kernel/debug/kcsan")
PARAMETERS = Path("/sys/module/kcsan/parameters")
SKIP, WATCH_US = 500, 1000
"""One access of about SKIP is watched, for WATCH_US: on an emulated CPU a packet takes that long, 50 times KCSAN's default in interrupts."""
_TITLE = re.compile(r"BUG: KCSAN: (.+)")
_END = re.compile(r"={40,}$")
_FRAME = re.compile(r"^ *(\S+)\+0x\w+/0x\w+(?: \[(\w+)\])?$")


def turn_on() -> None:
    """Let KCSAN watch from now on, if the kernel has it."""
    if not CONTROL.exists():
        return
    for name, value in (("skip_watch", SKIP), ("udelay_task", WATCH_US), ("udelay_interrupt", WATCH_US)):
        (PARAMETERS / name).write_text(str(value), encoding="ascii")
    CONTROL.write_text("on", encoding="ascii")


def summary() -> str:
    """Return how much KCSAN has watched; "" without it."""
    if not CONTROL.exists():
        return ""
    found = dict(re.findall(r"^(\w+): (\d+)$", CONTROL.read_text(encoding="ascii"), re.MULTILINE))
    return f"kcsan: {found['setup_watchpoints']} watchpoints, {found['data_races']} races"


@dataclass
class Reports:
    """Reads reports from the messages of the kernel, of which each has a line."""

    module: str
    others: dict[str, int] = field(default_factory=dict)
    """The kernel's own races -> how often each was reported."""
    _title: str = ""
    _frames: list[str] = field(default_factory=list)

    def take(self, message: str) -> str | None:
        """Return None for a message that is in no report; else the race if the message ends the report of one of the module, or ""."""
        if begin := _TITLE.match(message):
            self._title, self._frames = begin[1], []
            return ""
        if not self._title:
            return None
        if not _END.match(message):
            if frame := _FRAME.match(message):
                self._frames.append(frame[1] + (f" [{frame[2]}]" if frame[2] else ""))
            return ""
        title, self._title = self._title, ""
        if f"[{self.module}]" in title:
            return f"{title}: {', '.join(self._frames)}"
        through = f", below {self.module}" if any(f"[{self.module}]" in frame for frame in self._frames) else ""
        self.others[title + through] = self.others.get(title + through, 0) + 1
        return ""
