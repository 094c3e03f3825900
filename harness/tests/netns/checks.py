# SPDX-License-Identifier: GPL-2.0
"""What a case holds to be true, and how it says that something is not."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 5.0
"""Seconds for what has to arrive; what must not arrive is given much less, and is looked for in the counters, too."""


class Failure(Exception):
    """What was found is not what has to be."""


class Skip(Exception):
    """The case cannot be tried here, and why."""


def equal(what: str, found: object, wanted: object) -> None:
    """Failure unless both are the same."""
    if found != wanted:
        raise Failure(f"{what}: {found!r} instead of {wanted!r}")


def true(what: str, holds: object) -> None:
    """Failure, with what should hold, unless it does."""
    if not holds:
        raise Failure(what)


def eventually(what: str, holds: Callable[[], bool]) -> None:
    """Failure unless it comes true within PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise Failure(f"not within {PATIENCE:g} s: {what}")
        time.sleep(0.02)
