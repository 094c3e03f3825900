# SPDX-License-Identifier: GPL-2.0
"""The plan of a comparison with Rust, from the options of the command line, checked."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import options, paths
from ..errors import UsageError
from ..kernel import kernels, option, trees
from ..results import datapath
from ..sweep import plan as sweep
from ..sweep.plan import Plan
from . import twins

TARGET, KERNEL, ACCEL = "qemu", kernels.RUST, "icount"
"""Where the containers in Rust run by default, by counts of instructions."""
CYCLES = "uml"
"""The target that counts cycles."""
TRIES = "10"
"""Tries of each cell where they are counts, which repeat. Cycles get those of a sweep."""


@dataclass(frozen=True)
class RustPlan:
    """What to run, or the result file to show instead."""

    sweep: Plan
    file: Path | None
    pictures: Path


def checked_plan(args: argparse.Namespace) -> RustPlan:
    """Return the options as a plan. UsageError names the option, its value and what is allowed."""
    _check_place(args)
    known = sweep.known_containers(KERNEL)
    if args.datapath is None:
        args.datapath = args.container is None
    args.device = (datapath.BARE, *datapath.OWN) if args.datapath else None
    args.container = _families(args.container, known)
    made = RustPlan(sweep.checked_plan(args, known=known), options.json_file("from", args.file), args.pictures or paths.PLOTS)
    if not made.file and not any(map(twins.is_rust, made.sweep.containers)):
        raise UsageError("the project has no containers in Rust: modules/rust lacks them")
    return made


def needs(plan: RustPlan) -> Sequence[str]:
    """Return the groups of packages that the command needs."""
    return ("plot",) if plan.file else sweep.needs(plan.sweep)


def _check_place(args: argparse.Namespace) -> None:
    if args.target not in (TARGET, CYCLES):
        raise UsageError(f"--target is {args.target!r}: allowed are {TARGET}, which counts instructions, and {CYCLES}, which counts cycles")
    if args.target == TARGET:
        args.accel, args.tries = args.accel or ACCEL, args.tries or TRIES
        if args.accel != ACCEL:
            raise UsageError(f"--accel is {args.accel!r}: the comparison counts instructions, by {ACCEL}; leave it out")
    kernel = option.one(args) or KERNEL
    if kernel != KERNEL:
        raise UsageError(
            f"--kernel is {str(kernel)!r}: the comparison needs a kernel with CONFIG_RUST and its compiled crate,"
            f" and without checks for faults, which is {KERNEL}; leave it out"
        )
    args.kernel = [KERNEL]


def _families(given: Sequence[str] | None, known: Sequence[str]) -> list[str]:
    """Return the containers to run: those in Rust with all their twins; of these containers in C, if they are named."""
    in_c = trees.containers(paths.ROOT)
    wanted = options.names("container", given, twins.bases(known) or in_c)
    return [name for base in wanted for name in twins.family(base, known, in_c)]
