# SPDX-License-Identifier: GPL-2.0
"""The plan of an explanation: cells and kernel, from the options of the command line, checked."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
from dataclasses import dataclass

from .. import options
from ..errors import UsageError
from ..kernel import trees
from ..kernel.trees import Tree
from ..results import datapath
from ..sweep import plan as sweep
from . import cells
from .cells import Wanted
from .place import KERNEL, Place

DEFAULT_TRIES = 5
"""An odd number: the median of the tries is one of them, which is shown."""
TIMEOUT_SECONDS = "600"
TARGET, ACCEL = "qemu", "icount"
"""Where alone a profile is exact."""


@dataclass(frozen=True)
class ExplainPlan:
    """What a guest explains, checked."""

    cells: tuple[Wanted, ...]
    tries: int
    settings: tuple[str, ...]
    """PARAMETER=VALUE of the core."""
    timeout: float
    """Of a guest, in seconds."""


@dataclass(frozen=True)
class Side:
    """What is explained, and where."""

    plan: ExplainPlan
    place: Place
    tree: Tree
    label: str
    """The side for people."""


@dataclass(frozen=True)
class Request:
    """What the user asked for, checked. `before` is the side of --against; None without it."""

    after: Side
    before: Side | None = None


def checked_plan(args: argparse.Namespace) -> Request:
    """Return the options as a request. UsageError names the option, its value and what is allowed."""
    _check_place(args)
    tree = trees.find(args.revision) if args.revision else trees.working()
    plan = ExplainPlan(
        cells=tuple(cells.find(args.cells, tree.containers)),
        tries=options.whole("tries", args.tries, 1, sweep.MAX_TRIES),
        settings=_settings(args),
        timeout=options.whole("timeout", args.timeout, 1, 7 * 86_400),
    )
    place = Place(args.kernel, args.revision)
    after = Side(plan, place, tree, place.described)
    return Request(after, _against(args.against, after) if args.against else None)


def _against(text: str, after: Side) -> Side:
    """Return the other side: another container or device, another kernel, or another revision of the modules."""
    known = [*after.tree.containers, *datapath.DEVICES]
    if text in known:
        return _other_subject(text, after)
    if KERNEL.fullmatch(text):
        place = dataclasses.replace(after.place, kernel=text)
        return Side(after.plan, place, after.tree, place.described)
    try:
        tree = trees.find(text)
    except UsageError:
        near = difflib.get_close_matches(text, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"allowed are a container, a device ({', '.join(known)}), a kernel such as 6.1, or a revision of git"
        raise UsageError(f"--against is {text!r}: {hint}") from None
    place = dataclasses.replace(after.place, revision=text)
    wanted = tuple(cell for cell in after.plan.cells if cell.is_packet or cell.container in (*tree.containers, "floor"))
    if not wanted:
        raise UsageError(f"--against is {text!r}: that revision has no {after.plan.cells[0].container}")
    return Side(dataclasses.replace(after.plan, cells=wanted), place, tree, place.described)


def _other_subject(text: str, after: Side) -> Side:
    """Return the side with the same operations of another container or device."""
    packets = text in datapath.DEVICES
    for cell in after.plan.cells:
        if cell.is_packet != packets or cell.container == text:
            kind = "another device" if cell.is_packet else "another container"
            raise UsageError(f"--against is {text!r}: allowed for {cell.name} is {kind} that has {cell.op}, a kernel, or a revision")
    wanted = tuple(dataclasses.replace(cell, container=text) for cell in after.plan.cells)
    if len({cell.name for cell in wanted}) != len(wanted):
        raise UsageError(f"--against is {text!r}: name cells of one container or device")
    return Side(dataclasses.replace(after.plan, cells=wanted), after.place, after.tree, text)


def _check_place(args: argparse.Namespace) -> None:
    """UsageError for a target whose clock does not count instructions."""
    why = "only there the clock counts instructions, and QEMU tells which"
    if args.target not in (None, TARGET):
        raise UsageError(f"--target is {args.target!r}: dsbench explain runs in {TARGET} with --accel {ACCEL}, {why}")
    if args.accel not in (None, ACCEL):
        raise UsageError(f"--accel is {args.accel!r}: dsbench explain runs with --accel {ACCEL}, {why}")


def _settings(args: argparse.Namespace) -> tuple[str, ...]:
    found = {
        "order": options.choice("order", args.order, sweep.ORDERS),
        "alloc": options.choice("alloc", args.alloc, sweep.ALLOCS),
        "erase_order": options.choice("erase-order", args.erase_order, sweep.ERASE_ORDERS),
        "lookups": options.whole("lookups", args.lookups, 0, sweep.MAX_N),
        "misses": options.whole("misses", args.misses, 0, 100),
        "seed": options.whole("seed", args.seed, 0, sweep.MAX_U64),
    }
    return tuple(f"{name}={value}" for name, value in found.items() if value is not None)
