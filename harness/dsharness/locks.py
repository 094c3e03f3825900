# SPDX-License-Identifier: GPL-2.0
"""Locks on folders that clones share in the cache. The kernel releases a lock when its holder ends, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from . import paths, ui
from .errors import HarnessError


@contextlib.contextmanager
def held(lock: Path, what: str) -> Iterator[None]:
    """Hold `lock` exclusively. If another dsbench holds it, say so, with `what` it does there, and wait.

    HarnessError if it belongs to another user.
    """
    with _opened(lock) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with ui.step(f"waiting for another dsbench: {what}"):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _opened(lock: Path) -> IO[str]:
    paths.make_folder(lock.parent, "lock")
    try:
        return lock.open("a", encoding="utf-8")
    except PermissionError as error:
        variable = paths.OUTPUT_VARIABLE if lock.is_relative_to(paths.OUTPUT) else paths.CACHE_VARIABLE
        raise HarnessError(f"{lock} cannot be written: {paths.why_unwritable(lock)} ({variable} names another folder)") from error
