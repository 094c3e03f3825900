# SPDX-License-Identifier: GPL-2.0
"""Single operations: the distinct cache lines that each one touches, which is what it costs when nothing is cached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import HarnessError
from .cells import Wanted
from .windows import Window


@dataclass(frozen=True)
class Spread:
    """Minimum, median, 99th percentile and maximum."""

    least: int
    median: int
    p99: int
    most: int


@dataclass(frozen=True)
class Single:
    """The operations of one try, each on its own. `misses` are per operation and level of the model."""

    cell: Wanted
    operations: int
    lines: Spread
    instructions: Spread
    misses: tuple[float, ...]


def make(wanted: Wanted, windows: Sequence[Window]) -> Single:
    """Return the figures of a try whose windows have one operation each. HarnessError if no windows make the try."""
    if not windows:
        raise HarnessError(f"{wanted.name} cannot be divided: no windows of the profile add up to its try")
    levels = zip(*(window.misses for window in windows))
    return Single(
        wanted, len(windows), spread([one.lines for one in windows]), spread([one.instructions for one in windows]),
        tuple(sum(level) / len(windows) for level in levels),
    )  # fmt: skip


def spread(values: Sequence[int]) -> Spread:
    """Return the spread of values, each of which is one of them."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return Spread(ordered[0], ordered[last // 2], ordered[-(-99 * last // 100)], ordered[-1])
