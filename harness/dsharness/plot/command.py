# SPDX-License-Identifier: GPL-2.0
"""Draw the pictures of a result file, as SVG and PNG."""

# The command line only: it must load without numpy, which is installed only when it is needed.

from __future__ import annotations

import argparse
from pathlib import Path

from .. import command, packages, paths, ui


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`dsbench plot`."""
    parser = subparsers.add_parser("plot", help="draw the pictures of a result file", description=__doc__)
    default = paths.RESULTS / "latest.json"
    parser.add_argument("file", nargs="?", type=Path, default=default, metavar="FILE", help="results/latest.json")
    parser.add_argument("--output", type=Path, default=paths.PLOTS, metavar="DIR", help="where they go (plots/)")
    command.declare(parser, run)


def run(args: argparse.Namespace) -> int:
    """Draw, and name what was drawn."""
    packages.ensure("plot")
    # They need numpy, which is there only now.
    from ..results import results
    from . import figures

    sweep = results.read(args.file)
    with ui.step(f"drawing {args.file}"):
        drawn = figures.draw(sweep, args.output)
    for path in drawn:
        ui.say(f"picture: {path}")
    return 0
