# SPDX-License-Identifier: GPL-2.0
"""The plan of the gate: kernel, baseline and threshold, from the options of the command line, checked."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass

from .. import options, targets
from ..errors import UsageError
from ..sweep import plan as sweep

THRESHOLD_PERCENT = 0.5
TIMEOUT_SECONDS = "300"
TARGET = "qemu"


@dataclass(frozen=True)
class GatePlan:
    """What to count and what to compare with, checked. `timeout` is in seconds."""

    kernel: str | None
    baseline: str | None
    threshold: float
    """A share of the baseline's count."""
    update: bool
    timeout: str
    cells: re.Pattern[str] | None = None
    """The cells to judge, by their names; None: all. All are counted."""
    explain: bool = False
    """Name the functions that changed most in cells that regressed."""


def checked_plan(args: argparse.Namespace) -> GatePlan:
    """Return the options as a plan. UsageError names the option, its value and what is allowed."""
    targets.check(TARGET, args.kernel)
    options.whole("timeout", args.timeout, 1, sweep.MAX_SECONDS)
    if args.update and args.filter is not None:
        raise UsageError(f"--filter {args.filter!r} has no use with --update: a baseline has all cells")
    return GatePlan(
        kernel=args.kernel,
        baseline=args.baseline,
        threshold=options.percentage("threshold", args.threshold),
        update=args.update,
        timeout=args.timeout,
        cells=options.pattern("filter", args.filter),
        explain=args.explain,
    )


def needs(plan: GatePlan) -> tuple[str, ...]:
    """Return the groups of packages that the gate needs."""
    return ("plot", *targets.prerequisites(TARGET, plan.kernel, network=True))
