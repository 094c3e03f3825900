# SPDX-License-Identifier: GPL-2.0
"""The plan of the gate: kernel, baseline and threshold, from the options of the command line, checked."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass

from .. import options, targets
from ..errors import BISECT_ENDS, HarnessError, UsageError
from ..explain import cells
from ..explain.cells import Wanted
from ..kernel import option
from ..kernel.own import OwnKernel, Spec
from ..sweep import plan as sweep

THRESHOLD_PERCENT = 0.5
TIMEOUT_SECONDS = "300"
TARGET = "qemu"


@dataclass(frozen=True)
class GatePlan:
    """What to count and what to compare with, checked. `timeout` is in seconds."""

    kernel: Spec | None
    baseline: str | None
    threshold: float
    """A share of the baseline's count."""
    update: bool
    timeout: str
    cells: re.Pattern[str] | None = None
    """The cells to judge, by their names; None: all. All are counted."""
    only: tuple[Wanted, ...] = ()
    """The cells to count and to judge; empty: all."""
    explain: bool = False
    """Name the functions that changed most in cells that regressed."""


    @property
    def bisects(self) -> bool:
        """Whether the exit status is for `git bisect run`, as it is for a kernel of the user's."""
        return isinstance(self.kernel, OwnKernel)


def checked_plan(args: argparse.Namespace) -> GatePlan:
    """Return the options as a plan. UsageError names the option, its value and what is allowed.

    With --kernel-dir the status of any mistake is one that ends `git bisect run`, for which 1 to 127 judge the commit.
    """
    try:
        return _checked(args)
    except HarnessError as error:
        if any(isinstance(text, option.Folder) for text in args.kernel or ()):
            raise HarnessError(str(error), BISECT_ENDS) from error
        raise


def _checked(args: argparse.Namespace) -> GatePlan:
    kernel = option.one(args)
    targets.check(TARGET, kernel)
    options.whole("timeout", args.timeout, 1, sweep.MAX_SECONDS)
    if args.update and args.filter is not None:
        raise UsageError(f"--filter {args.filter!r} has no use with --update: a baseline has all cells")
    if args.filter is not None and args.cell:
        raise UsageError(f"--filter {args.filter!r} has no use with --cell, which names the cells")
    if isinstance(kernel, OwnKernel) and not _is_file(args.baseline):
        raise UsageError(f"--baseline is {args.baseline!r}: --kernel-dir needs a file of its own, such as good.json")
    return GatePlan(
        kernel=kernel,
        baseline=args.baseline,
        threshold=options.percentage("threshold", args.threshold),
        update=args.update,
        timeout=args.timeout,
        cells=options.pattern("filter", args.filter),
        explain=args.explain,
        only=tuple(cells.find(args.cell or (), sweep.known_containers())),
    )


def _is_file(named: str | None) -> bool:
    """Return true if the name of a baseline is that of a file, not one below results/reference."""
    return bool(named) and ("/" in str(named) or str(named).endswith(".json"))


def needs(plan: GatePlan) -> tuple[str, ...]:
    """Return the groups of packages that the gate needs."""
    return ("plot", *targets.prerequisites(TARGET, plan.kernel, network=True))
