# SPDX-License-Identifier: GPL-2.0
"""The plan of an explanation: cells and kernel, from the options of the command line, checked."""

from __future__ import annotations

import argparse
import dataclasses
import re
from dataclasses import dataclass
from pathlib import Path

from .. import options, targets
from ..errors import UsageError
from ..kernel import kernels, option, trees
from ..kernel.own import OwnKernel, Spec
from ..kernel.trees import Tree
from ..results import datapath
from ..sweep import plan as sweep
from . import cells
from .cells import Wanted
from .place import KERNEL, Place

DEFAULT_TRIES = 5
"""An odd number: the median of the tries is one of them, which is shown."""
TIMEOUT_SECONDS = "600"
SINGLE_OPS = ("fill", "find", "erase")
"""Operations that --single divides: insertions, lookups and erasures."""
LINE, MOST_LEVELS, MOST_WAYS, MOST_BYTES = 64, 4, 64, 1 << 32
"""Limits of the plugin's model of caches; harness/tools/profile/cache.c has the same."""
TARGET, ACCEL = "qemu", "icount"
"""Where alone a profile is exact."""

_FUNCTION = re.compile(r"[A-Za-z_<][A-Za-z0-9_:<>]*")
_LEVEL = re.compile(r"([0-9]{1,7})([kM]):([0-9]{1,2})")


@dataclass(frozen=True)
class ExplainPlan:
    """What a guest explains, checked."""

    cells: tuple[Wanted, ...]
    tries: int
    settings: tuple[str, ...]
    """PARAMETER=VALUE of the core."""
    timeout: float
    """Of a guest, in seconds."""
    code: tuple[str, ...] = ()
    """Functions to disassemble."""
    plugin: tuple[str, ...] = ()
    """Options of the profile plugin."""
    single: bool = False
    """One operation in each window."""
    packets: tuple[str, ...] = ()
    """PARAMETER=VALUE of dsbench_tunnel."""


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
    cache: tuple[str, ...] = ()
    """Levels of the model of caches, such as 32k:8."""
    warm: bool = False
    folded: Path | None = None
    plot: bool = False


def checked_plan(args: argparse.Namespace) -> Request:
    """Return the options as a request. UsageError names the option, its value and what is allowed."""
    _check_place(args)
    kernel = option.one(args)
    targets.check(TARGET, kernel, ACCEL)
    tree = trees.find(args.revision) if args.revision else trees.working()
    plan = ExplainPlan(
        cells=tuple(cells.find(args.cells, _containers(tree, kernel), datapath.kinds_of(datapath.DEVICES, kernel))),
        tries=options.whole("tries", args.tries, 1, sweep.MAX_TRIES),
        settings=tuple(f"{name}={value}" for name, value in sweep.key_settings(args).items() if value is not None),
        timeout=options.whole("timeout", args.timeout, 1, 7 * 86_400),
        code=_functions(args),
        plugin=_plugin(args),
        single=args.single,
        packets=sweep.packet_settings(args),
    )
    _check_combination(args, plan)
    place = Place(kernel, args.revision)
    after = Side(plan, place, tree, place.described)
    return Request(
        after,
        _against(args.against, after) if args.against else None,
        cache=tuple(args.cache.split(",")) if args.cache else (),
        warm=args.warm,
        folded=args.folded,
        plot=args.plot,
    )


def _containers(tree: Tree, kernel: Spec | None) -> list[str]:
    """Return the containers of the tree that are built for a kernel, by the user's name for it."""
    return [*tree.containers, *(tree.rust_containers if kernel == kernels.RUST else [])]


def needs(request: Request) -> tuple[str, ...]:
    """Return the groups of packages that the guests of both sides need."""
    sides = [side for side in (request.before, request.after) if side]
    network = any(cell.is_packet for side in sides for cell in side.plan.cells)
    return ("plot", *(group for side in sides for group in targets.prerequisites(TARGET, side.place.kernel, network=network)))


def _functions(args: argparse.Namespace) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(args.annotate or ()))
    for name in names:
        if not _FUNCTION.fullmatch(name):
            raise UsageError(f"--annotate is {name!r}: allowed are names of functions, such as xas_load or list::find")
    return names


def _plugin(args: argparse.Namespace) -> tuple[str, ...]:
    """Return the options of the plugin."""
    found = []
    if args.single:
        found.append("brief=on")
    if args.folded:
        found.append("calls=on")
    if args.cache:
        levels = args.cache.split(",")
        if len(levels) > MOST_LEVELS or not all(map(is_level, levels)):
            raise UsageError(
                f"--cache is {args.cache!r}: allowed are 1 to {MOST_LEVELS} levels SIZE:WAYS with commas between, such as 32k:8,2M:16;"
                f" a size is a multiple of {LINE} bytes times the ways"
            )
        found.append(f"cache={':'.join(levels)}")
    if args.warm:
        found.append("warm=on")
    return tuple(found)


def is_level(text: str) -> bool:
    """Return whether a text is one level of a cache: its size and ways."""
    match = _LEVEL.fullmatch(text)
    if not match:
        return False
    size, ways = int(match[1]) << (10 if match[2] == "k" else 20), int(match[3])
    return 1 <= ways <= MOST_WAYS and LINE * ways <= size <= MOST_BYTES and size % (LINE * ways) == 0


def _check_combination(args: argparse.Namespace, plan: ExplainPlan) -> None:
    """UsageError for options that have no use together."""
    if args.warm and not args.cache:
        raise UsageError("--warm has no use without --cache: name the levels of the model")
    for option in ("folded", "plot", "single", "cache"):
        if args.against and getattr(args, option):
            raise UsageError(f"--{option} has no use with --against: explain each side on its own")
    for option in ("annotate", "folded", "plot"):
        if args.single and getattr(args, option):
            raise UsageError(f"--{option} has no use with --single, which records the sums of each operation alone")
    if args.single:
        for cell in plan.cells:
            if cell.op not in SINGLE_OPS and cell.named:
                raise UsageError(f"--single cannot divide {cell.name}: allowed are {', '.join(SINGLE_OPS)} of containers")
        if not any(cell.op in SINGLE_OPS for cell in plan.cells):
            raise UsageError(f"--single: none of the cells has an operation that it can divide, {', '.join(SINGLE_OPS)} of containers")


def _against(text: str, after: Side) -> Side:
    """Return the other side: another container or device, another kernel, or another revision of the modules."""
    known = [*_containers(after.tree, after.place.kernel), *datapath.kinds_of(datapath.DEVICES, after.place.kernel)]
    if text in known:
        return _other_subject(text, after)
    if _is_kernel_tree(text):
        settled = OwnKernel(Path(text).resolve(), after.place.kernel.config if isinstance(after.place.kernel, OwnKernel) else ())
        targets.check(TARGET, settled, ACCEL)
        place = dataclasses.replace(after.place, kernel=settled)
        return Side(after.plan, place, after.tree, place.described)
    if KERNEL.fullmatch(text):
        targets.check(TARGET, text, ACCEL)
        place = dataclasses.replace(after.place, kernel=text)
        return Side(after.plan, place, after.tree, place.described)
    try:
        tree = trees.find(text)
    except UsageError:
        near = options.nearest(text, known)
        hint = f"did you mean {near}?" if near else f"allowed are a container, a device ({', '.join(known)}), a kernel such as 6.1, or a revision of git"
        raise UsageError(f"--against is {text!r}: {hint}") from None
    place = dataclasses.replace(after.place, revision=text)
    wanted = tuple(cell for cell in after.plan.cells if cell.is_packet or cell.container in (*_containers(tree, after.place.kernel), "floor"))
    if not wanted:
        raise UsageError(f"--against is {text!r}: that revision has no {after.plan.cells[0].container}")
    return Side(dataclasses.replace(after.plan, cells=wanted), place, tree, place.described)


def _is_kernel_tree(text: str) -> bool:
    """Return true for the path of a kernel tree. The name of a branch may have a slash, too."""
    return "/" in text and (Path(text) / "Kconfig").is_file()


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
