# SPDX-License-Identifier: GPL-2.0
"""Splits the output of a script in a target into sections at the lines that begin with a mark, as the output arrives."""

from __future__ import annotations

from collections.abc import Callable

from .. import texts
from ..errors import HarnessError

LONGEST_LINE = 1 << 20
"""Bytes of the longest line that is taken."""


def damaged(words: list[str]) -> HarnessError:
    """Return the error of a marked line that no script of ours prints."""
    return HarnessError(f"the guest's output is damaged: it has a marked line with {texts.quoted(' '.join(words))}")


class MarkedSections:
    """Takes standard output in pieces of any size, and calls back at every mark."""

    def __init__(self, mark: str, on_mark: Callable[[list[str], list[str]], None]) -> None:
        """`on_mark` gets the words after `mark` and the lines since the previous mark. It may raise HarnessError."""
        self._start = f"{mark} "
        self._on_mark = on_mark
        self._rest = b""
        self._lines: list[str] = []
        self.failure: HarnessError | None = None

    def feed(self, chunk: bytes) -> None:
        """Take some output, from any thread. Never raises: `failure` keeps the first error, and later output is ignored."""
        if self.failure:
            return
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            self.failure = HarnessError(f"the guest's output is damaged: it has a line of more than {LONGEST_LINE} bytes")
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
