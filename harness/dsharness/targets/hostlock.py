# SPDX-License-Identifier: GPL-2.0
"""A lock on the running kernel: two harnesses that load modules into it would disturb each other, and remove each other's modules."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from ..errors import HarnessError

LOCK = Path("/run/dsbench.lock")
"""In a folder in which only root makes files. Its content is the process that holds the lock."""

_held: list[int] = []


def claim() -> None:
    """Keep other harnesses out of the running kernel until this process ends. HarnessError names the one that is there."""
    if _held:
        return
    try:
        lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise HarnessError(f"target host: the lock {LOCK} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 100).decode(errors="replace").strip() or "unknown"
        os.close(lock)
        raise HarnessError(
            f"target host: another dsbench, process {holder}, uses the running kernel: wait until it has ended, or end it"
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    _held.append(lock)
