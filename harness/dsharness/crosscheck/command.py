# SPDX-License-Identifier: GPL-2.0
"""Check the suite against what it did not write: the kernel's own tests of its containers, ktime, and loops of known
length. The tests are taken from linux-source and built as they are; they run in the same guest as ours."""

# The command line only: it must load without rich, which is installed only after the options were checked.

from __future__ import annotations

import argparse
import re

from .. import command, packages, paths, ui
from ..errors import UsageError

TARGETS = ("qemu", "uml")
ACCELS = ("icount", "tcg", "kvm")
DEFAULT_N = "4000"
SMALLEST_N, LARGEST_N = 500, 100_000
"""Below, what a loop costs once is seen; above, their tests cannot allocate their nodes in one piece."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`dsbench crosscheck`."""
    parser = subparsers.add_parser(
        "crosscheck", help="set ours beside the kernel's own tests, and the clock beside ktime", description=__doc__
    )
    parser.add_argument("--target", default="qemu", help="qemu, a stock kernel, or uml (qemu)")
    parser.add_argument("--kernel", metavar="VERSION", help="6.12 (default), 6.1 or a full release")
    parser.add_argument("--accel", help="qemu only: icount, where the bounds hold for instructions, tcg or kvm (icount)")
    parser.add_argument("--n", default=DEFAULT_N, metavar="N", help=f"elements ({DEFAULT_N})")
    command.declare(parser, run)


def run(args: argparse.Namespace) -> int:
    """Check, show the table, keep it in results/; the status is 1 when a bound is broken or could not be checked."""
    if args.target not in TARGETS:
        raise UsageError(f"--target is {args.target!r}: allowed are {', '.join(TARGETS)}")
    if args.accel not in (None, *ACCELS):
        raise UsageError(f"--accel is {args.accel!r}: allowed are {', '.join(ACCELS)}")
    if not re.fullmatch(r"[0-9]{1,9}", args.n) or not SMALLEST_N <= int(args.n) <= LARGEST_N:
        raise UsageError(f"--n is {args.n!r}: allowed are whole numbers from {SMALLEST_N} to {LARGEST_N}")
    accel = args.accel or ("icount" if args.target == "qemu" else None)
    packages.ensure("plot")
    from . import drive  # it needs rich, which is there only now

    report = drive.crosscheck(args.target, args.kernel, accel, int(args.n))
    drive.show(report)
    path = drive.keep(report)
    ui.say(f"results: {path.relative_to(paths.ROOT)}")
    return int(report.failed)
