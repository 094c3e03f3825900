# SPDX-License-Identifier: GPL-2.0
"""Plant small faults in a copy of the sources, one at a time, and print which test notices each.

A mutant that no test notices is a gap in the tests, unless the catalogue says why nothing can notice it. The catalogue is
harness/mutants/*.toml. Nothing of the working tree changes.
"""

from __future__ import annotations

import argparse

from .. import command
from .catalogue import read_all


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench mutants`."""
    parser = subparsers.add_parser(
        "mutants",
        help="plant faults, and see which test notices each",
        description=__doc__,
        epilog="exit status: 0 all noticed, 3 a fault that no test noticed",
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help="only mutants with this in their name or file (all)")
    command.declare(parser, "mutants.drive:run", needs=("base", "uml", "test"), check=checked_words)


def checked_words(args: argparse.Namespace) -> list[str]:
    """Return the words. HarnessError if no mutant has one of them."""
    read_all(args.words)
    return list(args.words)
