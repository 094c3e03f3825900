# SPDX-License-Identifier: GPL-2.0
"""Signals that end the harness: each becomes an exception, so that all children are ended on the way out."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Signals that end the harness besides SIGINT."""

_waiting: list[int] = []
"""Signals that arrived while delayed() was in effect."""
_delayed = 0


class EndedError(SystemExit):
    """A signal ends the harness with an exit status."""

    def __init__(self, number: int) -> None:
        self.status = 128 + number
        super().__init__(self.status)
        self.name = signal.Signals(number).name


def install() -> None:
    """Handle the signals, even those that the caller ignores: a shell starts background jobs with SIGINT and SIGQUIT ignored."""
    for number in (signal.SIGINT, *ENDING):
        signal.signal(number, _handle)


@contextlib.contextmanager
def delayed() -> Iterator[None]:
    """Delay the signals until the end of the block: the disk and the memory then agree on what is finished."""
    global _delayed
    _delayed += 1
    try:
        yield
    finally:
        _delayed -= 1
        if _waiting and not _delayed:
            _raise(_waiting[0])


def _handle(number: int, _frame: FrameType | None) -> None:
    if _delayed:
        _waiting.append(number)
    else:
        _raise(number)


def _raise(number: int) -> None:
    _waiting.clear()
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise EndedError(number)
