# SPDX-License-Identifier: GPL-2.0
"""Memory that the kernel holds for its own objects: what a case has made and given back must be free again."""

from __future__ import annotations

from pathlib import Path

from checks import eventually

OBJECTS = 4000
"""Number of objects that a case makes: of the smallest, 64 bytes each, these are 250 KiB."""
LIMIT_KIB = 160
"""Growth that other parts of the kernel may cause meanwhile."""
COUNTED = ("SUnreclaim:", "Percpu:")
KMEMLEAK = Path("/sys/kernel/debug/kmemleak")


def held() -> int:
    """Return the memory in KiB of slabs that cannot be reclaimed and of variables for each CPU."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    return sum(int(words[1]) for words in lines if words[0] in COUNTED)


def check(before: int) -> None:
    """Failure unless the kernel holds about as much as `before`.

    A debug kernel is left to kmemleak: its KASAN keeps what was freed for a while.
    """
    if not KMEMLEAK.exists():
        eventually(f"less than {LIMIT_KIB} KiB more are held than before", lambda: held() - before < LIMIT_KIB)
