# SPDX-License-Identifier: GPL-2.0
"""Locks on what clones share in the cache; the kernel drops them when their holder ends, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from . import ui


@contextlib.contextmanager
def held(lock: Path, what: str) -> Iterator[None]:
    """Hold `lock` exclusively; when another dsbench has it, say so (`what` is being done there) and wait."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with ui.step(f"waiting for another dsbench: {what}"):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
