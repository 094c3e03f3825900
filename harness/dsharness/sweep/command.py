# SPDX-License-Identifier: GPL-2.0
"""Time every container and operation at several sizes, and the tunnels' datapath beside them, into a result file.

The sweep runs in one guest; the cycles of uml are taken in several guests, one after another.
"""

from __future__ import annotations

import argparse

from .. import command
from . import plan


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench sweep`."""
    parser = subparsers.add_parser("sweep", help="time all containers at several sizes", description=__doc__)
    plan.add_options(parser)
    plan.add_output(parser)
    command.declare(parser, "sweep.drive:run", needs=("plot",), check=plan.checked_plan)
