# SPDX-License-Identifier: GPL-2.0
"""Print what each tunnel of a result file adds to the bare link, for packets alone and in bursts, as a Markdown table.

A cell has the overhead of a packet over the bare link and, in parentheses, its ratio to the best peer's: the in-tree tunnel that adds
least, without the one that encrypts. Below the table stand the 95 % intervals, where udptun is not the best, and the command that measures it again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import command, options, paths


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench headline`."""
    parser = subparsers.add_parser("headline", help="print what each tunnel adds to the bare link, as Markdown", description=__doc__)
    default = paths.RESULTS / "latest.json"
    parser.add_argument("file", nargs="?", type=Path, default=default, metavar="FILE", help="results/latest.json")
    command.declare(parser, "headline.drive:run", needs=("plot",), writes_output=False, check=checked)


def checked(args: argparse.Namespace) -> argparse.Namespace:
    """Return the options. HarnessError for a file that cannot be read."""
    options.result_file(args.file)
    return args
