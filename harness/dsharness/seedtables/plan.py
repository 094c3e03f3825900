# SPDX-License-Identifier: GPL-2.0
"""The plans of the seed tables: a sweep for each reading of the report's method."""

from __future__ import annotations

import argparse
import dataclasses

from ..kernel import option, own
from ..sweep import plan as sweep
from ..sweep.plan import Plan
from . import report

PASSED_ON = ("target", "accel", "tries", "seed", "warmup", "timeout")
"""Options that are passed on to a sweep."""


def checked_plans(args: argparse.Namespace) -> list[Plan]:
    """Return a plan for each reading. UsageError names the option, its value and what is allowed."""
    given = [word for name in PASSED_ON if (value := getattr(args, name)) is not None for word in (f"--{name}", value)]
    given += own.options_of(option.one(args))
    given += ["--output", str(args.output)] if args.output else []
    ops = list(report.tables())
    numbers = [str(n) for n in report.sizes()]
    common = [*given, *report.COMMON, "--no-datapath", "--sizes", *numbers, "--op", *ops]
    return [
        dataclasses.replace(sweep.plan_of(*common, "--container", *reading.containers, *reading.options), pictures=args.pictures)
        for reading in report.READINGS
    ]
