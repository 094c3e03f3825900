# SPDX-License-Identifier: GPL-2.0
"""The profile of a cell: its functions, and the sums of one try."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..errors import HarnessError
from ..results.samples import Cell
from .cells import Wanted
from .symbols import Symbols
from .windows import Block, Window


@dataclass
class Share:
    """What a function did in a try: instructions, calls of it, loads, stores."""

    instructions: int = 0
    calls: int = 0
    loads: int = 0
    stores: int = 0


@dataclass
class Profile:
    """One try of a cell by function. All figures are of the whole try; `elements` divides them."""

    cell: Wanted
    elements: int
    reported: int
    """Instructions that the core reports, without the clock's own cost."""
    overhead: int
    """The clock's own cost in each slice, in instructions."""
    slices: int
    instructions: int = 0
    loads: int = 0
    stores: int = 0
    taken: int = 0
    lines: int = 0
    """Distinct cache lines of data; the sum over slices if there are several."""
    misses: tuple[int, ...] = ()
    functions: dict[str, Share] = field(default_factory=dict)
    """Name for people -> its share, dearest first."""
    blocks: Counter[Block] = field(default_factory=Counter)
    """Block -> how often it ran."""
    windows: list[Window] = field(default_factory=list)

    @property
    def clock(self) -> int:
        """Instructions of the clock's own in the try: the difference to the reported count."""
        return self.overhead * self.slices

    def each(self, count: float) -> float:
        """Return a figure of the try per element."""
        return count / self.elements


def make(wanted: Wanted, cell: Cell, tries: Sequence[Sequence[Window]], overhead: int, symbols: Symbols) -> Profile:
    """Return the profile of the cell's median try. `tries` are its windows by try.

    HarnessError if the operation takes no longer than the clock, or no try agrees with its count.
    """
    median = statistics.median_low(cell.counts)
    if median <= 0:
        raise HarnessError(
            f"{wanted.name} cannot be explained: all of it takes no longer than the clock's own {overhead} instructions, use more elements"
        )
    known = [number for number, windows in enumerate(tries) if windows]
    if not known:
        waits = ", whose clock also counts the wait for packets that the device hands to other threads" if wanted.is_packet else ""
        raise HarnessError(f"{wanted.name} cannot be explained: no window of the profile has the {median} instructions of its try{waits}")
    chosen = min(known, key=lambda number: abs(cell.counts[number] - median))
    profile = Profile(wanted, cell.elements, cell.counts[chosen], overhead, len(tries[chosen]), windows=list(tries[chosen]))
    for window in profile.windows:
        _add(profile, window, symbols)
    profile.functions = dict(sorted(profile.functions.items(), key=lambda entry: -entry[1].instructions))
    if profile.instructions - profile.clock != profile.reported:
        raise HarnessError(
            f"the profile of {wanted.name} has {profile.instructions} instructions, {profile.clock} of them the clock's, the core reports"
            f" {profile.reported}: please report this as a bug"
        )
    return profile


def _add(profile: Profile, window: Window, symbols: Symbols) -> None:
    profile.loads += window.loads
    profile.stores += window.stores
    profile.taken += window.taken
    profile.lines += window.lines
    profile.misses = added(profile.misses, window.misses)
    for tally in window.tallies:
        function = symbols.at(tally.block.address)
        share = profile.functions.setdefault(function.shown, Share())
        profile.blocks[tally.block] += tally.runs
        profile.instructions += tally.runs * tally.block.instructions
        share.instructions += tally.runs * tally.block.instructions
        share.calls += tally.runs if function.address == tally.block.address else 0
        share.loads += tally.loads
        share.stores += tally.stores


def added(some: Sequence[int], more: Sequence[int]) -> tuple[int, ...]:
    """Return the sums of two rows of figures, of which the first may be empty."""
    return tuple(one + other for one, other in zip(some or [0] * len(more), more, strict=True))


def total(shares: Iterable[Share]) -> Share:
    """Return the sum of shares."""
    result = Share()
    for share in shares:
        result.instructions += share.instructions
        result.calls += share.calls
        result.loads += share.loads
        result.stores += share.stores
    return result
