# SPDX-License-Identifier: GPL-2.0
"""The plan of a comparison: files and the rule of a verdict, from the options of the command line, checked."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from .. import options
from ..errors import UsageError
from . import likeness


FAIL_ON = ("slower", "faster", "inconclusive")
"""Verdicts that --fail-on turns into an exit status."""


@dataclass(frozen=True)
class ComparisonPlan:
    """What to compare, checked. `threshold` and `alpha` None: the unit's."""

    files: tuple[Path, ...]
    threshold: float | None
    alpha: float | None
    across: frozenset[str]
    trust_busy: bool
    cells: re.Pattern[str] | None
    """Cells to compare, by their names; None: all."""
    fail_on: frozenset[str]
    """Verdicts that fail the command."""
    json: Path | None
    pictures: Path
    explain: bool = False
    """Name the functions that changed most in slower cells."""


def add_rule(parser: argparse.ArgumentParser) -> None:
    """Add the options of a verdict's rule."""
    parser.add_argument(
        "--threshold", metavar="T", help="what counts as a change, 5%% or 0.05 (10%% for cycles, 0.1%% for instructions)"
    )
    parser.add_argument("--alpha", metavar="P", help="the chance of any false alarm in all cells (0.05)")
    add_filter(parser)
    parser.add_argument(
        "--fail-on", action="append", metavar="VERDICT",
        help=f"exit with status 3 if a cell has this verdict: {', '.join(FAIL_ON)} (commas between)",
    )  # fmt: skip


def add_filter(parser: argparse.ArgumentParser) -> None:
    """Add the option that selects cells."""
    parser.add_argument(
        "--filter", metavar="REGEX", help="compare the cells alone whose names match, ^rbtree/ or /find/; Holm's correction is for these"
    )


def fail_on(args: argparse.Namespace) -> frozenset[str]:
    """Return the verdicts of --fail-on, checked."""
    return frozenset(options.names("fail-on", args.fail_on, FAIL_ON)) if args.fail_on is not None else frozenset()


def checked_plan(args: argparse.Namespace) -> ComparisonPlan:
    """Return the options as a plan. UsageError names the option, its value and what is allowed."""
    across = frozenset(options.words(args.across))
    for kind in sorted(across):
        options.choice("across", kind, tuple(likeness.KINDS))
    if len(args.file) < 2:
        raise UsageError(f"compare has one file, {args.file[0]}: name two or more")
    return ComparisonPlan(
        files=tuple(map(options.result_file, args.file)),
        threshold=options.share("threshold", args.threshold),
        alpha=options.share("alpha", args.alpha, positive=True),
        across=across,
        trust_busy=args.trust_busy,
        cells=options.pattern("filter", args.filter),
        fail_on=fail_on(args),
        json=options.json_file("json", args.json),
        pictures=args.output,
        explain=args.explain,
    )
