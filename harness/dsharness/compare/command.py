# SPDX-License-Identifier: GPL-2.0
"""Compare result files with the first: which cells are faster, slower, unchanged or inconclusive."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import command, paths
from ..explain import option
from . import likeness, plan

RULE = """\
A ratio is B / A of the medians. A cell is slower or faster if its 95 % bootstrap interval lies entirely beyond the threshold, and p
(Mann-Whitney's U, corrected by Holm for all cells) is below alpha. It is unchanged if the interval lies entirely within the threshold.
All other cells are inconclusive, with the reason, and so are cycles of a busy machine, or at an n whose floors changed. Cycles are
tested as ten stretches of each cell's tries, since consecutive tries share the machine's other load. Disturbed tries are left out,
unless they are more than half. Counts of instructions that repeat exactly are compared as they are."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench compare`."""
    parser = subparsers.add_parser("compare", help="compare result files with the first", description=__doc__, epilog=RULE)
    parser.add_argument("file", nargs="+", type=Path, metavar="FILE", help="result files of sweeps, two or more")
    plan.add_rule(parser)
    parser.add_argument(
        "--across", action="append", metavar="KIND", default=[],
        help=f"compare although they differ in: {', '.join(likeness.KINDS)} (commas between)",
    )  # fmt: skip
    parser.add_argument("--trust-busy", action="store_true", help="give verdicts on cycles of a busy machine, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the comparison as a file (results/compare-<time>.json)")
    option.add(parser)
    parser.add_argument("--output", type=Path, default=paths.PLOTS, metavar="DIR", help="where the pictures go (plots/)")
    command.declare(parser, "compare.drive:run", needs=("plot",), check=plan.checked_plan)
