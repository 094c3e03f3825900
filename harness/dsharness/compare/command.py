# SPDX-License-Identifier: GPL-2.0
"""Compare result files with the first: what became faster, what slower, what did not change, and what nobody can say."""

# The command line only: it must load without numpy, which is installed only after the options were checked.

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path

from .. import command, packages, paths, ui
from ..errors import UsageError
from . import likeness

PICTURE = "compare"

RULE = """\
A ratio is B / A of the medians. faster and slower: its 95 % bootstrap interval lies wholly beyond the threshold, and p
(Mann-Whitney's U, corrected by Holm for all cells) is below alpha. no change: the interval lies wholly within the threshold.
inconclusive: all else, with the reason; and cycles of a machine that was busy, or whose floors changed, too. Cycles are
taken in ten stretches of each cell's tries: neighbours share what else the machine does; tries that are marked as disturbed
are left out, unless they are more than half. Counts of instructions that repeat exactly are compared as they are."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`dsbench compare`."""
    parser = subparsers.add_parser("compare", help="did it change? result files against the first", description=__doc__, epilog=RULE)
    parser.add_argument("file", nargs="+", type=Path, metavar="FILE", help="result files of sweeps, two or more")
    add_rule(parser)
    parser.add_argument(
        "--across", action="append", metavar="KIND", default=[],
        help=f"compare though they differ in: {', '.join(likeness.KINDS)} (commas between)",
    )  # fmt: skip
    parser.add_argument("--trust-busy", action="store_true", help="verdicts on cycles of a machine that was busy, too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the comparison as a file (results/compare-<time>.json)")
    parser.add_argument("--output", type=Path, default=paths.PLOTS, metavar="DIR", help="where the pictures go (plots/)")
    command.declare(parser, run)


def add_rule(parser: argparse.ArgumentParser) -> None:
    """The options that make a verdict.Rule. They are texts here: fraction() has the better sentences."""
    parser.add_argument(
        "--threshold", metavar="T", help="what counts as a change, 5%% or 0.05 (10%% for cycles, 0.1%% for instructions)"
    )
    parser.add_argument("--alpha", metavar="P", help="the chance of any false alarm in all cells (0.05)")


def fraction(option: str, text: str | None, positive: bool = False) -> float | None:
    """A share such as "5%" or "0.05", from 0 (or just above, where it has to be `positive`) to 1. UsageError says what is allowed."""
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]*\.?[0-9]+(?:[eE]-?[0-9]+)?)\s*(%?)", text.strip())
    value = float(match[1]) / (100 if match[2] else 1) if match else math.nan
    if not 0 <= value <= 1 or (positive and not value):
        least = "above 0 and up" if positive else "from 0"
        raise UsageError(f"--{option} is {text!r}: allowed are shares {least} to 1, such as 0.05 or 5%")
    return value


def run(args: argparse.Namespace) -> int:
    """Compare each file with the first; what is found never fails it, only what cannot be compared."""
    threshold, alpha = fraction("threshold", args.threshold), fraction("alpha", args.alpha, positive=True)
    across = {kind for text in args.across for kind in re.split(r"[\s,]+", text) if kind}
    if unknown := sorted(across - likeness.KINDS.keys()):
        raise UsageError(f"--across is {unknown[0]!r}: allowed are {', '.join(likeness.KINDS)}")
    if len(args.file) < 2:
        raise UsageError(f"compare has one file, {args.file[0]}: name two or more")
    if args.json and args.json.suffix != ".json":
        raise UsageError(f"--json is {str(args.json)!r}: allowed are names that end in .json")
    packages.ensure("plot")
    # They need numpy, which is there only now.
    from ..results import results
    from . import comparison, picture, table

    first, *others = [comparison.Sweep(path, results.read(path)) for path in args.file]
    found = [comparison.compare(first, other, threshold, alpha, across, args.trust_busy) for other in others]
    for one in found:
        table.show(one)
    path = args.json or results.new_path("compare", None)
    paths.make_folder(path.parent, "results")
    results.write_document(comparison.document(found), path)
    ui.say(f"comparison: {paths.short(path)}")
    for number, one in enumerate(found, start=1):
        name = PICTURE if len(found) == 1 else f"{PICTURE}-{number}"
        for drawn in picture.draw(one, args.output, name):
            ui.say(f"picture: {paths.short(drawn)}")
    return 0
