# SPDX-License-Identifier: GPL-2.0
"""Draw the pictures of a result file, as SVG and PNG."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import command, options, paths


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench plot`."""
    parser = subparsers.add_parser("plot", help="draw the pictures of a result file", description=__doc__)
    default = paths.RESULTS / "latest.json"
    parser.add_argument("file", nargs="?", type=Path, default=default, metavar="FILE", help="results/latest.json")
    parser.add_argument("--output", type=Path, default=paths.PLOTS, metavar="DIR", help="where they go (plots/)")
    command.declare(parser, "plot.figures:run", needs=("plot",), writes_output=False, check=checked)


def checked(args: argparse.Namespace) -> argparse.Namespace:
    """Return the options. HarnessError for a file that cannot be read."""
    options.result_file(args.file)
    return args
