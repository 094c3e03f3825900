# SPDX-License-Identifier: GPL-2.0
"""The plan of dsbench quality: goals and cells, from the options of the command line, checked."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass

from .. import options, targets
from ..errors import UsageError
from . import planted

INSTRUCTIONS, CYCLES, AB, PLANTED = GOALS = ("instructions", "cycles", "ab", "planted")
PLANTED_NAME = f"{planted.CONTAINER}/{planted.OP}/1000"
"""A cell that the planted slowdown changes."""


@dataclass(frozen=True)
class QualityPlan:
    """What to measure, checked."""

    goals: tuple[str, ...]
    cells: re.Pattern[str] | None = None
    """The cells that the goals are about, by their names; None: all. All are timed."""


def checked_plan(args: argparse.Namespace) -> QualityPlan:
    """Return the options as a plan. UsageError names the option, its value and what is allowed."""
    plan = QualityPlan(options.names("only", args.only, GOALS), options.pattern("filter", args.filter))
    if PLANTED in plan.goals and plan.cells and not plan.cells.search(PLANTED_NAME):
        others = " ".join(goal for goal in GOALS if goal != PLANTED)
        raise UsageError(f"--filter {args.filter!r} leaves out {PLANTED_NAME}, which the goal {PLANTED} needs: say --only {others}")
    return plan


def needs(plan: QualityPlan) -> tuple[str, ...]:
    """Return the groups of packages that the goals of the plan need."""
    places = {CYCLES: "uml", AB: "uml"}
    return ("plot", *(group for goal in plan.goals for group in targets.prerequisites(places.get(goal, "qemu"), network=True)))
