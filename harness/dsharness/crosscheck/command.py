# SPDX-License-Identifier: GPL-2.0
"""Check the suite against independent measurements: the kernel's own tests of its containers, ktime, and loops of known length.

The tests are taken from linux-source and built unchanged; they run in the same guest as the suite.
"""

from __future__ import annotations

import argparse

from .. import command
from ..kernel import option
from . import plan


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench crosscheck`."""
    parser = subparsers.add_parser(
        "crosscheck", help="check against the kernel's own tests, and the clock against ktime", description=__doc__
    )
    parser.add_argument("--target", default="qemu", help="qemu, a stock kernel, or uml (qemu)")
    option.add(parser, "6.12 (default), 6.1 or a full release")
    parser.add_argument("--accel", help="qemu only: icount, where the bounds hold for instructions, tcg or kvm (icount)")
    parser.add_argument("--n", default=plan.DEFAULT_N, metavar="N", help=f"elements ({plan.DEFAULT_N})")
    command.declare(parser, "crosscheck.drive:run", needs=plan.needs, check=plan.checked_plan)
