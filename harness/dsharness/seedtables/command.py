# SPDX-License-Identifier: GPL-2.0
"""Measure the tables of the Virginia Tech report by its method, as far as it is described, and print its tables and ours."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import command, paths
from ..sweep import plan as sweep
from . import plan


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench seed-tables`."""
    parser = subparsers.add_parser("seed-tables", help="measure the report's tables by its method", description=__doc__)
    sweep.add_place_options(parser)
    parser.add_argument("--tries", metavar="T", help="tries of each cell (100; 20 under icount)")
    parser.add_argument("--seed", metavar="S", help="seed of every permutation (1)")
    parser.add_argument("--warmup", metavar="MS", help="uncounted tries first, ms of guest time (500; 5 under icount)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="result file (results/seed-tables-<target>-<time>.json)")
    parser.add_argument("--pictures", type=Path, default=paths.PLOTS, metavar="DIR", help="where the pictures go (plots/)")
    command.declare(parser, "seedtables.drive:run", needs=lambda plans: sweep.needs(plans[0]), check=plan.checked_plans)
