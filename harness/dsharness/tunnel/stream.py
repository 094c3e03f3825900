# SPDX-License-Identifier: GPL-2.0
"""Cuts up what guest/tunnel.sh prints, as it arrives, and knows what each step was for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..errors import HarnessError
from .devices import LINK
from .steps import NO_PART, Step, Take
from .meters import Reading, last_words

MARK = "@tunnel "
TIMED_OUT = 124
"""What timeout(1) returns."""


class Stream:
    """Feed it standard output. It collects facts and what is absent, and calls back for the measurements."""

    def __init__(
        self,
        steps: Sequence[Step],
        on_begin: Callable[[Step], None],
        on_reading: Callable[[Take, Reading], None],
        on_round: Callable[[int], None],
    ) -> None:
        """`on_round` takes the number of a round whose last measurement was made or left out."""
        self._steps = steps
        self._on_begin = on_begin
        self._on_reading = on_reading
        self._on_round = on_round
        self._last = {step.take.round: index for index, step in enumerate(steps) if step.take}
        self._rest = b""
        self._lines: list[str] = []
        self.facts: dict[str, str] = {}
        self.absent: dict[str, str] = {}
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
        if not line.startswith(MARK):
            self._lines.append(line)
            return
        kind, number, *rest = line.removeprefix(MARK).split()
        index = int(number)
        step = self._steps[index]
        if kind == "begin":
            self._lines = []
            self._on_begin(step)
            return
        if kind == "end":
            self._end(step, int(rest[0]))
        if step.take and self._last[step.take.round] == index:
            self._on_round(step.take.round)

    def _end(self, step: Step, status: int) -> None:
        if status and step.how != "try":
            self._failed(step, status)
        elif step.take:
            try:
                reading = step.take.tool.parse("\n".join(self._lines))
            except HarnessError as error:
                raise HarnessError(f"{_where(step.take)}: {error}") from error
            self._on_reading(step.take, reading)
        elif step.fact and not status:
            self.facts[step.fact] = next((line.strip() for line in self._lines if line.strip()), "")

    def _failed(self, step: Step, status: int) -> None:
        output = "\n".join(self._lines)
        said = step.take.tool.complaint(output) if step.take else last_words(output)
        reason = said or f"status {status}"
        if status == TIMED_OUT:
            reason = f"no answer in time{f', {said}' if said else ''}"
        if step.take:
            raise HarnessError(f"{_where(step.take)} failed: {reason}")
        if step.part == NO_PART:
            raise HarnessError(f"the link cannot be measured, {' '.join(step.argv[:8])} failed: {reason}")
        self.absent.setdefault(step.part, reason)


def _where(take: Take) -> str:
    device = "the bare link" if take.device == LINK else take.device
    return f"round {take.round + 1}, {device}, {take.tool.name}"
