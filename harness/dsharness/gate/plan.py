# SPDX-License-Identifier: GPL-2.0
"""The plan of the gate: kernel, baseline and threshold, from the options of the command line, checked."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from .. import options

THRESHOLD_PERCENT = 0.5
TIMEOUT_SECONDS = "300"


@dataclass(frozen=True)
class GatePlan:
    """What to count and what to compare with, checked. `timeout` is in seconds."""

    kernel: str | None
    baseline: str | None
    threshold: float
    """A share of the baseline's count."""
    update: bool
    timeout: str
    explain: bool = False
    """Name the functions that changed most in cells that regressed."""


def checked_plan(args: argparse.Namespace) -> GatePlan:
    """Return the options as a plan. UsageError names the option, its value and what is allowed."""
    return GatePlan(
        kernel=args.kernel,
        baseline=args.baseline,
        threshold=options.percentage("threshold", args.threshold),
        update=args.update,
        timeout=args.timeout,
        explain=args.explain,
    )
