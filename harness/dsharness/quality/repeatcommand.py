# SPDX-License-Identifier: GPL-2.0
"""Sweep twice in a row and compare the medians: the noise that a comparison on this machine must exceed."""

from __future__ import annotations

import argparse

from .. import command
from ..compare import plan as compare
from ..sweep import plan as sweep


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench repeat`."""
    parser = subparsers.add_parser("repeat", help="sweep twice, and compare the medians", description=__doc__)
    sweep.add_options(parser)
    compare.add_filter(parser)
    command.declare(parser, "quality.repeat:run", needs=sweep.needs, check=sweep.checked_plan)
