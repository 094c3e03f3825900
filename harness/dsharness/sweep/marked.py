# SPDX-License-Identifier: GPL-2.0
"""Cuts up the output of a script inside a target, as it arrives, along the lines that begin with a mark."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import HarnessError


class MarkedSections:
    """Feed it standard output in pieces of any size; it calls back at every mark."""

    def __init__(self, mark: str, on_mark: Callable[[list[str], list[str]], None]) -> None:
        """`on_mark` takes the words after `mark`, and the lines since the mark before; it may raise HarnessError."""
        self._start = f"{mark} "
        self._on_mark = on_mark
        self._rest = b""
        self._lines: list[str] = []
        self.failure: HarnessError | None = None

    def feed(self, chunk: bytes) -> None:
        """Take some output. Never raises, whatever thread calls: what went wrong first is kept in `failure`."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for raw in lines:
            if self.failure:
                return
            try:
                self._line(raw.decode(errors="replace").rstrip("\r"))
            except HarnessError as error:
                self.failure = error

    def _line(self, line: str) -> None:
        if not line.startswith(self._start):
            self._lines.append(line)
            return
        since, self._lines = self._lines, []
        self._on_mark(line.removeprefix(self._start).split(), since)
