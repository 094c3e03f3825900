# SPDX-License-Identifier: GPL-2.0
"""Measure how reliable the figures of this machine are, each beside its target.

Two sweeps in a row, in instructions and in cycles; A/B of a revision with itself; a planted slowdown of about 2 %.
"""

from __future__ import annotations

import argparse

from .. import command
from ..compare import plan as compare
from . import plan


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench quality`."""
    parser = subparsers.add_parser("quality", help="measure how reliable this machine's figures are", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="GOAL", help=f"of {', '.join(plan.GOALS)} (all)")
    compare.add_filter(parser)
    command.declare(parser, "quality.drive:run", needs=plan.needs, check=plan.checked_plan)
