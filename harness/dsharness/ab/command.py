# SPDX-License-Identifier: GPL-2.0
"""Run the modules of two git revisions alternately in one guest, and compare them: did a change make them slower?

With two kernels (--kernel, --kernel-dir, --kernel-git), compare these with the working tree's modules; their guests boot
alternately, or side by side where instructions are counted.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import command
from ..compare import plan as compare
from ..explain import option
from ..kernel import option as kernel
from ..results import datapath
from ..sweep import plan as sweep
from . import plan

EPILOG = """\
A revision is what git rev-parse knows (HEAD~1, a branch, a hash), or `worktree`: the files as they are now.

example: dsbench ab HEAD~1 worktree --target qemu --accel icount    instructions: any machine, however busy
         dsbench ab --kernel 6.1 --kernel 6.12 --accel icount       the same modules on two stock kernels
         dsbench ab --kernel-git ~/linux HEAD worktree --container maple    did my patch to the kernel make it slower?
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench ab`."""
    parser = subparsers.add_parser(
        "ab",
        help="compare two git revisions, or two kernels",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("revisions", nargs="*", metavar="REVISION", help="two of them: before and after")
    parser.add_argument("--target", help="uml or qemu (uml; qemu for two kernels)")
    kernel.add(parser, "of the guest; two of them, --kernel or --kernel-dir: what is compared")
    kernel.add_git(parser, ("REV1", "REV2"), "compare two revisions of the kernel repository DIR; REV2 may be worktree, its files as they are")
    parser.add_argument("--accel", help="qemu only: auto, kvm, tcg or icount (auto)")
    parser.add_argument("--sizes", nargs="+", default=sweep.DEFAULT_SIZES, metavar="N", help="elements (500 1000 2000 4000)")
    parser.add_argument("--tries", metavar="T", help="tries of each cell, a load (20; 3 under icount)")
    sweep.add_run_options(parser)
    parser.add_argument("--datapath", action="store_true", help="compare the datapath of network devices, too")
    sweep.add_device_options(parser, f"{datapath.BARE}, {plan.OWN_DEVICE}", plan.PAYLOADS, plan.BURSTS)
    parser.add_argument("--rounds", metavar="R", help=f"loads of each side ({plan.DEFAULT_ROUNDS}; {plan.OWN_ROUNDS} for instructions of kernels of yours)")
    compare.add_rule(parser)
    option.add(parser)
    parser.add_argument("--output", type=Path, metavar="FILE", help="result file (results/ab-<target>-<time>.json)")
    parser.add_argument("--timeout", default="1800", metavar="SECONDS", help="end a guest then (1800)")
    command.declare(parser, "ab.drive:compare", needs=lambda made: sweep.needs(made.sweep), check=plan.checked_plan)
