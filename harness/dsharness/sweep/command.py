# SPDX-License-Identifier: GPL-2.0
"""Time every container and operation at several sizes and the tunnels' datapath in one sweep, and write a result file.

With several kernels (--kernel or --kernel-dir more than once, or --kernel-git), sweep each of them, compare neighbours, and draw the cost
over kernel versions."""

from __future__ import annotations

import argparse

from .. import command
from . import plan


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench sweep`."""
    parser = subparsers.add_parser("sweep", help="time all containers at several sizes", description=__doc__)
    plan.add_options(parser)
    plan.add_output(parser)
    plan.add_series(parser)
    parser.add_argument("--draw", action="store_true", help="draw the pictures into plots/, too, as dsbench plot does")
    parser.add_argument("--explain", action="store_true", help="icount only: add instructions by function, loads, stores and lines to the results")
    command.declare(parser, "history.drive:run", needs=plan.needs, check=plan.checked_series)
