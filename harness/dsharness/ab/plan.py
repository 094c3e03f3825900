# SPDX-License-Identifier: GPL-2.0
"""The plan of an A/B comparison: two revisions of the modules or two kernels, from the options of the command line, checked."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from .. import options, targets
from ..compare import plan as compare
from ..errors import UsageError
from ..kernel import option, own, trees
from ..kernel.own import OwnKernel, Spec
from ..results import datapath
from ..sweep import plan as sweep
from ..sweep.plan import Plan

MIN_ROUNDS, DEFAULT_ROUNDS, MAX_ROUNDS = 6, 16, 1000
"""Fewer rounds have no 95 % interval; the default can show a change in one of hundreds of cells."""
OWN_ROUNDS = MIN_ROUNDS
"""Default for kernels of the user's where instructions are counted: each round boots both, and the counts repeat."""

OWN_DEVICE = "udptun"
"""Device to measure besides the bare link unless others are named: the in-tree tunnels do not change with the project."""
PAYLOADS = (str(datapath.USUAL_PAYLOAD),)
BURSTS = ("1", "64")


@dataclass(frozen=True)
class AbPlan:
    """What to compare, checked: two revisions or two kernels."""

    sweep: Plan
    """What each load runs. Its kernel is that of two revisions."""
    revisions: tuple[str, str] | None
    kernels: tuple[Spec, Spec] | None
    rounds: int
    threshold: float | None
    alpha: float | None
    """None: the unit's."""
    output: Path | None
    explain: bool = False
    """Name the functions that changed most in slower cells."""
    fail_on: frozenset[str] = frozenset()
    """Verdicts that fail the command."""

    @property
    def has_revisions(self) -> bool:
        """Whether a kernel is a revision of the user's repository, which no option of dsbench explain names."""
        return any(isinstance(kernel, OwnKernel) and bool(kernel.name) for kernel in self.kernels or ())


def checked_plan(args: argparse.Namespace) -> AbPlan:
    """Return the options as a plan. UsageError names the option, its value and what is allowed."""
    kernels = _kernels(args)
    if len(kernels) > 2:
        raise UsageError(f"{len(kernels)} kernels are named, {', '.join(map(str, kernels))}: allowed is one, or two to compare them")
    of_kernels = len(kernels) == 2
    if of_kernels and args.revisions:
        raise UsageError(f"two kernels are named and revision {args.revisions[0]!r}, too: compare one thing at a time")
    if not of_kernels and len(args.revisions) != 2:
        raise UsageError(f"{len(args.revisions)} revisions are given: allowed are two of them, or two kernels (--kernel, --kernel-dir, --kernel-git)")
    args.target = args.target or ("qemu" if of_kernels else "uml")
    if args.target == "host":
        raise UsageError("--target is 'host': allowed are uml and qemu, which boot guests for this alone")
    for kernel in kernels:
        targets.check(args.target, kernel, args.accel)
    counts = args.target == "qemu" and of_kernels and any(isinstance(kernel, OwnKernel) for kernel in kernels)
    if counts and args.accel is None:
        args.accel = "icount"
    args.kernel = None if of_kernels else args.kernel
    if of_kernels:  # sweep.checked_plan() has no use for them
        args.config = args.bzimage = args.kernel_git = None
    _settle_datapath(args)
    found = [trees.find(name) for name in dict.fromkeys(args.revisions)] or [trees.working()]
    what = sweep.checked_plan(args, known=sorted({name for tree in found for name in tree.containers}))
    return AbPlan(
        sweep=what,
        revisions=None if of_kernels else (args.revisions[0], args.revisions[1]),
        kernels=(kernels[0], kernels[1]) if of_kernels else None,
        rounds=options.whole("rounds", args.rounds or _rounds(counts and args.accel == "icount"), MIN_ROUNDS, MAX_ROUNDS),
        threshold=options.share("threshold", args.threshold),
        alpha=options.share("alpha", args.alpha, positive=True),
        output=options.json_file("output", args.output),
        explain=args.explain,
        fail_on=compare.fail_on(args),
    )


def _kernels(args: argparse.Namespace) -> list[Spec]:
    """Return the kernels that were named: by --kernel and --kernel-dir, or two revisions by --kernel-git."""
    found = option.several(args)
    if git := option.of_git(args):
        folder, config, names = git
        if found:
            raise UsageError(f"--kernel-git names two kernels and {found[0]} is named, too: compare one thing at a time")
        found += [own.of_revision(folder, name, config) for name in names]
    return found


def _rounds(counts: bool) -> str:
    return str(OWN_ROUNDS if counts else DEFAULT_ROUNDS)


def _settle_datapath(args: argparse.Namespace) -> None:
    """Set the defaults of the datapath's options. UsageError for an option that needs --datapath."""
    for option in ("device", "payloads", "burst", "hash", "sink-gro", "protocol"):
        if getattr(args, option.replace("-", "_")) and not args.datapath:
            raise UsageError(f"--{option} has no use without --datapath: add that, or leave --{option} out")
    if args.datapath:
        args.device, args.payloads = args.device or [OWN_DEVICE], args.payloads or PAYLOADS
        args.burst = args.burst or BURSTS
