# SPDX-License-Identifier: GPL-2.0
"""The checks of a cross-check: which figures are compared, how far they may differ, and whether they do."""

from __future__ import annotations

import enum
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import HarnessError
from . import disassembly
from .disassembly import Instruction
from .kerneltests import INTERVAL, QUERIES, RBTREE, RHASHTABLE, Found

IN_ORDER_BOUND = 2.0
"""Percent of the kernel test's figure, our increment included."""
SAME_WORK_BOUND = 5.0
"""Percent of theirs."""
RUNNER_BOUND = 1.0
"""Instructions per element over the bare loop."""
CLOCK_BOUND = 1000.0
"""Parts in a million."""

INSTRUCTIONS = "instructions"


class Verdict(enum.Enum):
    """Outcome of a check. Cycles scatter, and other work has no bound: such figures are only shown."""

    HOLDS = "holds"
    BROKEN = "broken"
    SHOWN = "shown"
    ABSENT = "not checked"


class Measure(enum.Enum):
    """How a difference is calculated, and its unit."""

    PERCENT = "%"
    PPM = "ppm"
    COUNT = "instr."

    def of(self, theirs: float, ours: float) -> float:
        """Return the difference of our figure from theirs."""
        scale = {Measure.PERCENT: 100 / theirs, Measure.PPM: 1e6 / theirs, Measure.COUNT: 1.0}
        return (ours - theirs) * scale[self]


@dataclass(frozen=True)
class Check:
    """One row: two figures, and how much they may differ. Without figures, the note says why."""

    name: str
    theirs: float | None
    ours: float | None
    measure: Measure | None
    """None: the work differs, so there is no difference to calculate."""
    bound: float | None
    """None: there is no bound for this work, or none in this unit."""
    note: str

    @property
    def difference(self) -> float | None:
        """Difference of our figure from theirs, in the unit of `measure`."""
        if self.theirs is None or self.ours is None or not self.measure:
            return None
        return self.measure.of(self.theirs, self.ours)

    @property
    def verdict(self) -> Verdict:
        """Whether the bound holds."""
        if self.theirs is None:
            return Verdict.ABSENT
        if self.bound is None or self.difference is None:
            return Verdict.SHOWN
        return Verdict.HOLDS if abs(self.difference) <= self.bound else Verdict.BROKEN

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return {
            "name": self.name,
            "theirs": self.theirs,
            "ours": self.ours,
            "difference": self.difference,
            "difference_unit": self.measure and self.measure.value,
            "bound": self.bound,
            "verdict": self.verdict.value,
            "note": self.note,
        }


@dataclass(frozen=True)
class Facts:
    """All measurements, and the modules that were measured."""

    n: int
    unit: str
    khz: float
    """Ticks per millisecond, as the core reports them."""
    logs: Mapping[str, Mapping[str, Found] | HarnessError]
    """Output of each of the kernel's tests, or why there is none."""
    ours: Mapping[str, Sequence[float]]
    """Cell without its n ("rbtree/fill") -> ticks per element, one figure for each seed."""
    clock: Sequence[tuple[int, int]]
    """Moments: ns of ktime, ticks."""
    ko_dir: Path
    tests: Mapping[str, Path]

    def theirs(self, test: str, thing: str) -> Found:
        """Return the figure of a test of the kernel. HarnessError if there is none."""
        said = self.logs[test]
        if isinstance(said, HarnessError):
            raise said
        return said[thing]

    def cell(self, name: str) -> float:
        """Return the median of our figures over the seeds. HarnessError if there is no such cell."""
        if name not in self.ours:
            raise HarnessError(f"there is no {name} in this build")
        return statistics.median(self.ours[name])

    def bound(self, value: float) -> float | None:
        """Return a bound of instruction counts, which repeat; None for cycles."""
        return value if self.unit == INSTRUCTIONS else None


Figures = tuple[float, float, str]
"""Theirs, ours, and the note."""


def all_of(facts: Facts) -> list[Check]:
    """Return all checks, in the order of the table."""
    percent, count = Measure.PERCENT, Measure.COUNT
    return [
        _check("rbtree, in order", facts, _in_order, percent, facts.bound(IN_ORDER_BOUND)),
        _check("rbtree, insert + delete", facts, _insert_and_delete, percent, facts.bound(SAME_WORK_BOUND)),
        _check("interval tree, insert + delete", facts, _intervals, None, None),
        _check("interval tree, search", facts, _search, None, None),
        _check("rhashtable, whole test", facts, _rhashtable, percent, None),
        _check("clock against ktime, kHz", facts, _clock, Measure.PPM, CLOCK_BOUND),
        _check("clock, one half second and the next, kHz", facts, _steadiness, Measure.PPM, CLOCK_BOUND),
        _check("runner, empty loop", facts, _runner("floor/empty", "dsbench.ko", "floor_empty"), count, facts.bound(RUNNER_BOUND)),
        _check("runner, list for_each", facts, _runner("list/for_each", "dsbench_list.ko", "list_visit_all"), count, facts.bound(RUNNER_BOUND)),
    ]  # fmt: skip


def _check(
    name: str, facts: Facts, figures: Callable[[Facts], Figures], measure: Measure | None, bound: float | None
) -> Check:
    try:
        theirs, ours, note = figures(facts)
    except HarnessError as error:
        return Check(name, None, None, measure, bound, str(error))
    return Check(name, theirs, ours, measure, bound, note)


def _in_order(facts: Facts) -> Figures:
    ours = facts.cell("rbtree/for_each")
    theirs = facts.theirs(RBTREE, "in order").ticks / facts.n
    walk = disassembly.function(facts.ko_dir / "dsbench_rbtree.ko", "rbtree_for_each")
    increment = _increment(_round(walk, "rb_next"))
    if facts.unit != INSTRUCTIONS:
        return theirs, ours, f"ours has {increment.text!r} more in each round"
    return theirs + 1, ours, f"theirs is {theirs:.2f}, and 1 for our increment, {increment.text!r}"


def _insert_and_delete(facts: Facts) -> Figures:
    sums = [fill + erase for fill, erase in zip(facts.ours.get("rbtree/fill", ()), facts.ours.get("rbtree/erase", ()))]
    if not sums:
        raise HarnessError("there is no rbtree in this build")
    theirs = facts.theirs(RBTREE, "insert+delete").ticks / facts.n
    spread = f"ours is {min(sums):.2f} to {max(sums):.2f} over the seeds, which make other trees"
    try:
        loops = _loops(facts)
    except HarnessError as error:  # The figures explain, they do not decide.
        loops = str(error)
    return theirs, statistics.median(sums), f"{spread}; {loops}"


def _loops(facts: Facts) -> str:
    """Return the instructions of the loops themselves, to distinguish their difference from one of the trees."""
    fill = disassembly.function(facts.ko_dir / "dsbench_rbtree.ko", "rbtree_fill")
    erase = disassembly.function(facts.ko_dir / "dsbench_rbtree.ko", "rbtree_erase")
    test = disassembly.function(facts.tests[RBTREE], "init_module")
    # Ours has a loop for each way of allocation: the shorter one has the elements already. Theirs begins with this test.
    insertions, deletions = test.calls("rb_insert_color"), test.calls("rb_erase")
    if not insertions or not deletions or insertions[0].address > deletions[0].address:
        raise HarnessError("their insertion is a function of its own in this build")
    ours = min(len(_insertion(fill, call)) for call in fill.calls("rb_insert_color"))
    theirs = len(_insertion(test, insertions[0]))
    ours += min(len(erase.round_of(call) or ()) for call in erase.calls("rb_erase"))
    theirs += len(test.round_of(deletions[0]) or ())
    return (
        f"an insertion past one node and its deletion are {ours} instructions of our loops, {theirs} of theirs,"
        " without rb_insert_color and rb_erase"
    )


def _insertion(function: disassembly.Function, call: Instruction) -> list[Instruction]:
    """Return one round of the loop around a call of rb_insert_color, with one step of the descent before it."""
    steps = [
        one for one in function.instructions
        if one.address < call.address and one.mnemonic.startswith("cmp") and "(" in one.text
        and (step := function.round_of(one)) and not any(other.calls for other in step)
    ]  # fmt: skip
    if not steps:
        raise HarnessError(f"{function.name} has no descent in this build: its instructions cannot be counted")
    return function.round_through(call, steps[-1])


def _round(function: disassembly.Function, callee: str) -> list[Instruction]:
    """Return one round of the loop around the only call of `callee`."""
    calls = function.calls(callee)
    found = function.round_of(calls[0]) if len(calls) == 1 else None
    if not found:
        raise HarnessError(f"{function.name} has no loop around one call of {callee} in this build")
    return found


def _increment(found: Sequence[Instruction]) -> Instruction:
    """Return the single instruction that adds to a value in memory. HarnessError if the compiler generated several."""
    writes = [one for one in found if one.writes_memory]
    if len(writes) != 1 or not writes[0].mnemonic.startswith(("add", "inc")):
        raise HarnessError(f"our increment is not one instruction in this build but {[one.text for one in writes]}")
    return writes[0]


def _intervals(facts: Facts) -> Figures:
    ours = facts.cell("rbtree/fill") + facts.cell("rbtree/erase")
    theirs = facts.theirs(INTERVAL, "insert+delete").ticks / facts.n
    return theirs, ours, "theirs keeps the end of each subtree, too; ours is the plain rbtree"


def _search(facts: Facts) -> Figures:
    found = facts.theirs(INTERVAL, "search")
    note = f"theirs for each of the {found.results / QUERIES:.0f} intervals that one query finds; ours is one find in the rbtree"
    return found.ticks / max(found.results, 1), facts.cell("rbtree/find"), note


def _rhashtable(facts: Facts) -> Figures:
    ns = facts.theirs(RHASHTABLE, "all").ticks
    parts = {"fill": 1, "find": 2, "for_each": 2, "erase": 1}
    ours = sum(times * facts.cell(f"rhashtable/{op}") for op, times in parts.items())
    note = (
        "each: an insertion, two lookups, two walks and a deletion; theirs gives way between them, and its parameters are a"
        " variable, so that the compiler cannot inline hash and comparison as it does for ours"
    )
    return ns * facts.khz / 1e6 / facts.n, ours, note


def _clock(facts: Facts) -> Figures:
    return _rate(facts.clock[0], facts.clock[-1]), facts.khz, "theirs is a second of ktime, ours what the core says"


def _steadiness(facts: Facts) -> Figures:
    first, middle, last = facts.clock
    return _rate(first, middle), _rate(middle, last), "both of the same clock: does its rate drift?"


def _rate(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Ticks a millisecond of ktime."""
    return (after[1] - before[1]) * 1e6 / (after[0] - before[0])


def _runner(cell: str, module: str, function: str) -> Callable[[Facts], Figures]:
    """Return the measured cost of a loop beside the number of instructions of one of its rounds."""

    def figures(facts: Facts) -> Figures:
        if facts.unit != INSTRUCTIONS:
            raise HarnessError("a loop's instructions have no number of cycles to be set beside")
        measured = facts.cell(cell)
        found = disassembly.function(facts.ko_dir / module, function).shortest_round()
        note = f"theirs is what one round of {function}() has: {', '.join(one.mnemonic for one in found)}"
        return float(len(found)), measured, note

    return figures
