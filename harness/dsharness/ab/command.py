# SPDX-License-Identifier: GPL-2.0
"""Did a change make it slower? Runs the modules of two git revisions in turns in one guest, and compares them.

With --kernel twice it is the same modules, the working tree's, on two kernels: their guests are booted in turns.
"""

# The command line only: it must load without numpy, which is installed only after the options were checked.

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from .. import command, packages
from ..compare import command as compare
from ..errors import UsageError
from ..kernel import trees
from ..results import datapath
from ..sweep import command as sweep
from ..sweep.command import Plan

MIN_ROUNDS, DEFAULT_ROUNDS, MAX_ROUNDS = 6, 16, 1000
"""Fewer loads have no 95 % interval; these many can show a change in one of hundreds of cells."""

OWN_DEVICE = "udptun"
"""What is measured beside the bare link unless others are named: peers are not ours to change."""
PAYLOADS = (str(datapath.USUAL_PAYLOAD),)

EPILOG = """\
A revision is what git rev-parse knows (HEAD~1, a branch, a hash), or `worktree`: the files as they are now.

example: dsbench ab HEAD~1 worktree --target qemu --accel icount    instructions: any machine, however busy
         dsbench ab --kernel 6.1 --kernel 6.12 --accel icount       the same modules on two stock kernels
"""


@dataclass(frozen=True)
class AbPlan:
    """What to compare, checked: two names of revisions, or of kernels."""

    sweep: Plan
    """What each load runs; its kernel is that of two revisions."""
    revisions: tuple[str, str] | None
    kernels: tuple[str, str] | None
    rounds: int
    threshold: float | None
    alpha: float | None
    """None: the unit's."""
    output: Path | None


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`dsbench ab`."""
    parser = subparsers.add_parser(
        "ab",
        help="compare two git revisions, or two kernels",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("revisions", nargs="*", metavar="REVISION", help="two of them: before and after")
    parser.add_argument("--target", help="uml or qemu (uml; qemu for two kernels)")
    parser.add_argument("--kernel", action="append", metavar="VERSION", help="of the guest; twice: what is compared")
    parser.add_argument("--accel", help="qemu only: auto, kvm, tcg or icount (auto)")
    parser.add_argument("--sizes", nargs="+", default=sweep.DEFAULT_SIZES, metavar="N", help="elements (500 1000 2000 4000)")
    parser.add_argument("--tries", metavar="T", help="tries of each cell, a load (20; 3 under icount)")
    sweep.add_run_options(parser)
    parser.add_argument("--datapath", action="store_true", help="compare the datapath of network devices, too")
    sweep.add_device_options(parser, f"{datapath.BARE}, {OWN_DEVICE}", PAYLOADS)
    parser.add_argument("--rounds", default=str(DEFAULT_ROUNDS), metavar="R", help=f"loads of each side ({DEFAULT_ROUNDS})")
    compare.add_rule(parser)
    parser.add_argument("--output", type=Path, metavar="FILE", help="result file (results/ab-<target>-<time>.json)")
    parser.add_argument("--timeout", default="1800", metavar="SECONDS", help="end a guest then (1800)")
    command.declare(parser, run)


def checked_plan(args: argparse.Namespace) -> AbPlan:
    """The options as a plan. UsageError names the option, its value and what is allowed."""
    kernels: list[str] = args.kernel or []
    if len(kernels) > 2:
        raise UsageError(f"--kernel is given {len(kernels)} times: allowed are once, or twice to compare two of them")
    of_kernels = len(kernels) == 2
    if of_kernels and args.revisions:
        raise UsageError(f"--kernel is given twice and revision {args.revisions[0]!r}, too: compare one thing at a time")
    if not of_kernels and len(args.revisions) != 2:
        raise UsageError(f"{len(args.revisions)} revisions are given: allowed are two of them, or --kernel twice")
    args.target = args.target or ("qemu" if of_kernels else "uml")
    if args.target == "host":
        raise UsageError("--target is 'host': allowed are uml and qemu, which boot guests for this alone")
    args.kernel = None if of_kernels or not kernels else kernels[0]
    _settle_datapath(args)
    found = [trees.find(name) for name in dict.fromkeys(args.revisions)] or [trees.working()]
    return AbPlan(
        sweep=sweep.checked_plan(args, known=sorted({name for tree in found for name in tree.containers})),
        revisions=None if of_kernels else (args.revisions[0], args.revisions[1]),
        kernels=(kernels[0], kernels[1]) if of_kernels else None,
        rounds=sweep.whole("rounds", args.rounds, MIN_ROUNDS, MAX_ROUNDS),
        threshold=compare.fraction("threshold", args.threshold),
        alpha=compare.fraction("alpha", args.alpha, positive=True),
        output=args.output,
    )


def _settle_datapath(args: argparse.Namespace) -> None:
    """Put in what is left out of the datapath's options. UsageError for one that nobody asked for."""
    for option in ("device", "payloads"):
        if getattr(args, option) and not args.datapath:
            raise UsageError(f"--{option} has no use without --datapath: add that, or leave --{option} out")
    if args.datapath:
        args.device, args.payloads = args.device or [OWN_DEVICE], args.payloads or PAYLOADS


def run(args: argparse.Namespace) -> int:
    """Compare, and show what changed."""
    plan = checked_plan(args)
    packages.ensure("plot")
    from . import drive  # it needs numpy, which is there only now

    return drive.compare(plan)
