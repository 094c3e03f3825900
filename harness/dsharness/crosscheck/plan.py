# SPDX-License-Identifier: GPL-2.0
"""The plan of a cross-check: where and at which n, from the options of the command line, checked."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from .. import options, targets
from ..kernel import option
from ..kernel.own import Spec

TARGETS = ("qemu", "uml")
ACCELS = ("icount", "tcg", "kvm")
DEFAULT_N = "4000"
SMALLEST_N, LARGEST_N = 500, 100_000
"""Below, the fixed cost of a loop shows; above, the kernel's tests cannot allocate their nodes in one block."""


@dataclass(frozen=True)
class CrosscheckPlan:
    """Where to check and the number of elements, checked."""

    target: str
    kernel: Spec | None
    accel: str | None
    n: int


def checked_plan(args: argparse.Namespace) -> CrosscheckPlan:
    """Return the options as a plan. UsageError names the option, its value and what is allowed."""
    target, accel = options.choice("target", args.target, TARGETS), options.choice("accel", args.accel, ACCELS)
    kernel = option.one(args)
    targets.check(target, kernel, accel)
    return CrosscheckPlan(
        target=target,
        kernel=kernel,
        accel=accel or ("icount" if args.target == "qemu" else None),
        n=options.whole("n", args.n, SMALLEST_N, LARGEST_N),
    )


def needs(plan: CrosscheckPlan) -> tuple[str, ...]:
    """Return the groups of packages that a cross-check needs."""
    return ("plot", *targets.prerequisites(plan.target, plan.kernel))
