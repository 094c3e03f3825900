# SPDX-License-Identifier: GPL-2.0
"""The plan of a curve: sizes, tries of each, and the memory that a guest needs."""

from __future__ import annotations

import argparse
import dataclasses
import math
from pathlib import Path

from .. import options
from ..errors import UsageError
from ..sweep import plan as sweep
from ..sweep.plan import Plan

LATEST = "curve-latest.json"
MOST_PER_DECADE = 24
ROUND_STEPS = {1: (1.0,), 3: (1.0, 2.0, 5.0)}
"""Round sizes within a decade; other numbers of sizes are powers of ten, rounded to two digits."""

FEWEST_TRIES, MOST_TRIES = 3, 100
ELEMENTS = 500_000
"""Number of elements that all tries of a cell visit, within the bounds above."""
FEWEST_TRIES_ICOUNT, MOST_TRIES_ICOUNT = 2, 10
ELEMENTS_ICOUNT = 20_000
"""The same if instructions are counted, since counts repeat and each instruction is emulated."""


@dataclasses.dataclass(frozen=True)
class CurvePlan:
    """A sweep of many sizes, checked. The tries of the plan apply to every size; None: the tries follow n."""

    plan: Plan
    output: Path | None
    resume: bool | None
    """True: resume, or fail; False: start anew; None: resume if possible."""

    def tries(self, n: int, icount: bool) -> int:
        """Return the number of tries of the cells of size n."""
        if self.plan.tries:
            return self.plan.tries
        if icount:
            return max(FEWEST_TRIES_ICOUNT, min(MOST_TRIES_ICOUNT, ELEMENTS_ICOUNT // n))
        return max(FEWEST_TRIES, min(MOST_TRIES, ELEMENTS // n))


def checked_plan(args: argparse.Namespace) -> CurvePlan:
    """Return the options as a plan. UsageError names the option, its value and what is allowed."""
    first = options.whole("from", args.first, 1, sweep.MAX_N)
    last = options.whole("to", args.last, 1, sweep.MAX_N)
    if last < first:
        raise UsageError(f"--to is {last}: allowed are whole numbers from --from, {first}, to {sweep.MAX_N}")
    per_decade = options.whole("per-decade", args.per_decade, 1, MOST_PER_DECADE)
    args.sizes = [str(n) for n in sizes(first, last, per_decade)]
    plan = sweep.checked_plan(args)
    _check_memory(plan)
    return CurvePlan(plan, args.output, args.resume)


def sizes(first: int, last: int, per_decade: int) -> list[int]:
    """Return `per_decade` sizes for each decade from `first` to `last`, including these two."""
    steps = ROUND_STEPS.get(per_decade) or tuple(round(10 ** (k / per_decade), 1) for k in range(per_decade))
    found = {round(step * 10**decade) for decade in range(len(str(last))) for step in steps}
    return sorted({first, last, *(n for n in found if first <= n <= last)})


def guest_memory_mib(n: int) -> int:
    """Return the memory of a guest for n elements, in MiB: elements, containers, lookups, and a reserve."""
    return max(512, 256 + math.ceil(n * 320 / (1 << 20)))


def _check_memory(plan: Plan) -> None:
    """UsageError if this machine lacks the memory for the guest of the largest size."""
    if plan.target == "host":
        return  # The module refuses sizes that do not fit.
    need, free = guest_memory_mib(plan.sizes[-1]), _free_mib()
    if free is not None and need > free:
        raise UsageError(f"--to is {plan.sizes[-1]}: its guest needs {need} MiB of memory, {free} MiB are free: lower it")


def _free_mib() -> int | None:
    """Return the available memory in MiB; None if it is unknown."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) >> 10 for line in lines if line.startswith("MemAvailable:")), None)
