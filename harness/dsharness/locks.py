# SPDX-License-Identifier: GPL-2.0
"""Locks on folders that clones share in the cache. The kernel releases a lock when its holder ends, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from . import ui


@contextlib.contextmanager
def held(lock: Path, what: str) -> Iterator[None]:
    """Hold `lock` exclusively. If another dsbench holds it, say so, with `what` it does there, and wait."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with ui.step(f"waiting for another dsbench: {what}"):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
