# SPDX-License-Identifier: GPL-2.0
"""Fails when code costs more instructions than its baseline says: the check to run before a change goes in.

Counts of an emulated stock kernel (qemu --accel icount) repeat, whatever else the machine does. A baseline holds for one
kernel as built by one compiler; where a cell's count does not repeat exactly, it knows by how much.
"""

# The command line only: it must load without numpy, which is installed only after the options were checked.

from __future__ import annotations

import argparse

from .. import command, packages
from ..errors import CRASHED, OTHER_BASELINE, REGRESSED, TIMED_OUT, UsageError

THRESHOLD_PERCENT = 0.5
MAX_PERCENT = 100.0
TIMEOUT_SECONDS = "300"

EPILOG = f"""\
exit status:
  0 nothing regressed    1 it cannot be done    2 wrong usage    130 interrupted
  {REGRESSED} a cell costs more than the threshold allows, or is gone
  {OTHER_BASELINE} the baseline is of another kernel or compiler
  {CRASHED} the guest crashed    {TIMED_OUT} it did not come to the end in time
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`dsbench gate`."""
    parser = subparsers.add_parser(
        "gate",
        help="fail when code costs more instructions than its baseline",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kernel", metavar="VERSION", help="stock kernel, 6.1, 6.12, newest or a full release (6.12)")
    parser.add_argument(
        "--baseline", metavar="NAME|FILE", help="results/reference/gate-NAME.json, or a file (the kernel's and compiler's)"
    )
    parser.add_argument(
        "--threshold", default=str(THRESHOLD_PERCENT), metavar="PERCENT", help=f"what is allowed ({THRESHOLD_PERCENT})"
    )
    parser.add_argument("--update", action="store_true", help="write the baseline anew instead of comparing with it")
    parser.add_argument("--timeout", default=TIMEOUT_SECONDS, metavar="SECONDS", help=f"end the guest then ({TIMEOUT_SECONDS})")
    command.declare(parser, run)


def run(args: argparse.Namespace) -> int:
    """Compare with the baseline, or write it."""
    threshold = share("threshold", args.threshold)
    packages.ensure("plot")
    from . import drive  # it needs numpy, which is there only now

    if args.update:
        return drive.update(args.kernel, args.baseline, args.timeout)
    return drive.check(args.kernel, args.baseline, threshold, args.timeout)


def share(option: str, text: str) -> float:
    """A percentage as a share of 1. UsageError names the option and what is allowed."""
    try:
        percent = float(text)
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= MAX_PERCENT:
        raise UsageError(f"--{option} is {text!r}: allowed are percentages from 0 to {MAX_PERCENT:g}")
    return percent / 100
