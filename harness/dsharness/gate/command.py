# SPDX-License-Identifier: GPL-2.0
"""Fail when code costs more instructions than its baseline: the check to run before a change goes in.

Counts of an emulated stock kernel (qemu --accel icount) repeat, however busy the machine is. A baseline is valid for one kernel as
built by one compiler. It records the noise of each cell whose count does not repeat exactly.
"""

from __future__ import annotations

import argparse

from .. import command
from ..errors import BISECT_BAD, BISECT_ENDS, BISECT_SKIPS, CRASHED, OTHER_BASELINE, REGRESSED, TIMED_OUT
from ..explain import option as explain
from ..kernel import option
from . import plan

EPILOG = f"""\
exit status:
  0 nothing regressed    1 it cannot be done    2 wrong usage    130 interrupted
  {REGRESSED} a cell costs more than the threshold allows, or is gone
  {OTHER_BASELINE} the baseline is of another kernel or compiler
  {CRASHED} the guest crashed    {TIMED_OUT} it did not come to the end in time
with --kernel-dir, for git bisect run:
  0 nothing regressed    {BISECT_BAD} a cell regressed, or is gone    {BISECT_SKIPS} the kernel does not build or boot, or its guest fails
  {BISECT_ENDS} anything else, which ends the bisection

example: dsbench gate --update --kernel-dir . --baseline /tmp/good.json --cell maple/erase/1000     at the good commit
         git bisect start BAD GOOD
         git bisect run dsbench gate --kernel-dir . --baseline /tmp/good.json --cell maple/erase/1000 --threshold 1
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench gate`."""
    parser = subparsers.add_parser(
        "gate",
        help="fail when code costs more instructions than its baseline",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    option.add(parser, "stock kernel, 6.1, 6.12, newest or a full release (6.12)")
    parser.add_argument(
        "--baseline", metavar="NAME|FILE", help="results/reference/gate-NAME.json, or a file (the kernel's and compiler's)"
    )
    parser.add_argument(
        "--threshold", default=str(plan.THRESHOLD_PERCENT), metavar="PERCENT", help=f"what is allowed ({plan.THRESHOLD_PERCENT})"
    )
    parser.add_argument("--filter", metavar="REGEX", help="judge the cells alone whose names match, ^rbtree/ or /find/")
    parser.add_argument("--cell", nargs="+", metavar="CELL", help="count these cells alone, maple/erase/1000 or 'maple/*'")
    parser.add_argument("--update", action="store_true", help="write the baseline anew instead of comparing with it")
    explain.add(parser)
    parser.add_argument("--timeout", default=plan.TIMEOUT_SECONDS, metavar="SECONDS", help=f"end the guest then ({plan.TIMEOUT_SECONDS})")
    command.declare(parser, "gate.drive:run", needs=plan.needs, check=plan.checked_plan)
