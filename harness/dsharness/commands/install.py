# SPDX-License-Identifier: GPL-2.0
"""Install the Debian packages of a group in packages.txt."""

from __future__ import annotations

import argparse

from .. import command, packages


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench install`."""
    parser = subparsers.add_parser("install", help="install the Debian packages of a group", description=__doc__)
    parser.add_argument("group", nargs="+", help=f"any of: {', '.join(packages.groups())}")
    command.declare(parser, run, writes_output=False, check=checked_groups)


def checked_groups(args: argparse.Namespace) -> argparse.Namespace:
    """Return the options. UsageError for an unknown group."""
    packages.missing(args.group)
    return args


def run(args: argparse.Namespace) -> int:
    """Install the packages of the named groups."""
    packages.ensure(*args.group)
    return 0
