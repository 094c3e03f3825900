# SPDX-License-Identifier: GPL-2.0
"""How far this suite's own figures can be trusted on this machine, each beside its target.

Two sweeps in a row, in instructions and in cycles; A/B of a revision with itself; and a planted slowdown of about 2 %.
"""

# The command line only: it must load without numpy, which is installed only after the options were checked.

from __future__ import annotations

import argparse

from .. import command, packages
from ..errors import UsageError

GOALS = ("instructions", "cycles", "ab", "planted")


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`dsbench quality`."""
    parser = subparsers.add_parser("quality", help="how far figures of this machine can be trusted", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="GOAL", default=list(GOALS), help=f"of {', '.join(GOALS)} (all)")
    command.declare(parser, run)


def run(args: argparse.Namespace) -> int:
    """Measure, and show what came of it; what is found never fails it."""
    for name in args.only:
        if name not in GOALS:
            raise UsageError(f"--only is {name!r}: allowed are {', '.join(GOALS)}")
    packages.ensure("plot")
    from . import drive  # it needs numpy, which is there only now

    return drive.run(args.only)
