# SPDX-License-Identifier: GPL-2.0
"""The output of guest/tunnel.sh, matched with its steps."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .. import texts
from ..errors import HarnessError
from ..sweep.marked import MarkedSections, damaged
from .devices import LINK
from .meters import Reading, last_words
from .steps import NO_PART, Step, Take

MARK = "@tunnel"
TIMED_OUT = 124
"""What timeout(1) returns."""
NUMBERS = {"begin": 1, "end": 2, "skip": 1}
"""Each mark, and how many numbers follow it: that of the step, and the status of its command."""

_NUMBER = re.compile(r"[0-9]{1,6}")


class Stream(MarkedSections):
    """Collects facts and absent parts, and calls back for the measurements."""

    def __init__(
        self,
        steps: Sequence[Step],
        on_begin: Callable[[Step], None],
        on_reading: Callable[[Take, Reading], None],
        on_round: Callable[[int], None],
    ) -> None:
        """`on_round` gets the number of a round whose last measurement was made or skipped."""
        super().__init__(MARK, self._mark)
        self._steps = steps
        self._on_begin = on_begin
        self._on_reading = on_reading
        self._on_round = on_round
        self._last = {step.take.round: index for index, step in enumerate(steps) if step.take}
        self.facts: dict[str, str] = {}
        self.absent: dict[str, str] = {}

    def _mark(self, words: list[str], since: list[str]) -> None:
        kind, numbers = words[0] if words else "", words[1:]
        if len(numbers) != NUMBERS.get(kind, -1) or not all(map(_NUMBER.fullmatch, numbers)) or int(numbers[0]) >= len(self._steps):
            raise damaged(words)
        index, *rest = map(int, numbers)
        step = self._steps[index]
        if kind == "begin":
            self._on_begin(step)
            return
        if kind == "end":
            self._end(step, rest[0], since)
        if step.take and self._last[step.take.round] == index:
            self._on_round(step.take.round)

    def _end(self, step: Step, status: int, lines: list[str]) -> None:
        if status and step.how != "try":
            self._failed(step, status, lines)
        elif step.take:
            try:
                reading = step.take.tool.parse("\n".join(lines))
            except HarnessError as error:
                raise HarnessError(f"{_where(step.take)}: {texts.printable(str(error))}") from error
            self._on_reading(step.take, reading)
        elif step.fact and not status:
            self.facts[step.fact] = texts.printable(next((line.strip() for line in lines if line.strip()), ""))

    def _failed(self, step: Step, status: int, lines: list[str]) -> None:
        output = "\n".join(lines)
        said = step.take.tool.complaint(output) if step.take else last_words(output)
        reason = texts.printable(said) or f"status {status}"
        if status == TIMED_OUT:
            reason = f"no answer in time{f', {texts.printable(said)}' if said else ''}"
        if step.take:
            raise HarnessError(f"{_where(step.take)} failed: {reason}")
        if step.part == NO_PART:
            raise HarnessError(f"the link cannot be measured, {' '.join(step.argv[:8])} failed: {reason}")
        self.absent.setdefault(step.part, reason)


def _where(take: Take) -> str:
    device = "the bare link" if take.device == LINK else take.device
    return f"round {take.round + 1}, {device}, {take.tool.name}"
