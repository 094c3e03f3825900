# SPDX-License-Identifier: GPL-2.0
"""Time every container and operation at many sizes, a guest for each, and fit the growth of the cost of one element.

Finished sizes are kept: the same command resumes a curve that was interrupted.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import command
from ..results import datapath
from ..sweep import plan as sweep
from . import plan


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench curve`."""
    parser = subparsers.add_parser("curve", help="time all containers from n = 1 to 10^6, and fit", description=__doc__)
    parser.add_argument("--from", dest="first", default="1", metavar="N", help="the smallest size (1)")
    parser.add_argument("--to", dest="last", default="1000000", metavar="N", help="the largest size (1000000)")
    parser.add_argument("--per-decade", default="3", metavar="K", help="sizes from one power of ten to the next (3)")
    parser.add_argument(
        "--tries",
        metavar="T",
        help=f"tries of each cell ({plan.MOST_TRIES} up to n = {plan.ELEMENTS // plan.MOST_TRIES}, then fewer, down to {plan.FEWEST_TRIES};"
        f" {plan.MOST_TRIES_ICOUNT} to {plan.FEWEST_TRIES_ICOUNT} under icount)",
    )
    sweep.add_container_options(parser)
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", default=None, help="go on with the last curve, or fail")
    again.add_argument("--anew", dest="resume", action="store_false", help="begin anew, whatever was interrupted")
    parser.add_argument("--output", type=Path, metavar="FILE", help="result file (results/curve-<target>-<time>.json)")
    parser.set_defaults(datapath=False, device=None, payloads=datapath.PAYLOADS)
    command.declare(parser, "curve.drive:run", needs=lambda made: sweep.needs(made.plan), check=plan.checked_plan)
