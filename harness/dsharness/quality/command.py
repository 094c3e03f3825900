# SPDX-License-Identifier: GPL-2.0
"""Measure how reliable the figures of this machine are, each beside its target.

Two sweeps in a row, in instructions and in cycles; A/B of a revision with itself; a planted slowdown of about 2 %.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from .. import command, options, targets

GOALS = ("instructions", "cycles", "ab", "planted")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench quality`."""
    parser = subparsers.add_parser("quality", help="measure how reliable this machine's figures are", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="GOAL", default=list(GOALS), help=f"of {', '.join(GOALS)} (all)")
    command.declare(parser, "quality.drive:run", needs=needs, check=checked_names)


def checked_names(args: argparse.Namespace) -> tuple[str, ...]:
    """Return the goals to measure. UsageError names an unknown goal."""
    return options.names("only", args.only, GOALS)


def needs(goals: Sequence[str]) -> tuple[str, ...]:
    """Return the groups of packages that these goals need."""
    places = {"cycles": "uml", "ab": "uml"}
    return ("plot", *(group for goal in goals for group in targets.prerequisites(places.get(goal, "qemu"), network=True)))
