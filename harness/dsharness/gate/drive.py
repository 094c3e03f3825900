# SPDX-License-Identifier: GPL-2.0
"""Runs the gate: one guest that counts, a table of the cells that changed, and the verdict."""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Column, Table

from .. import targets, ui
from ..console import console
from ..errors import BISECT_BAD, BISECT_ENDS, BISECT_SKIPS, REGRESSED, BuildError, HarnessError, UsageError
from ..explain import causes, place
from ..explain.place import Place
from ..kernel import ownbuild
from ..kernel.build import Build
from ..kernel.own import OwnKernel, Spec
from ..kernel.trees import Tree
from ..results import datapath, environment, floors, results
from ..results.samples import Cell
from ..sweep import drive as sweeper
from ..sweep import plan as sweep
from ..sweep.stream import StageResult
from ..targets import atonce, qemucmd
from . import baseline
from .baseline import FAILURES, Baseline, Change, Count, Identity, Move
from .plan import TARGET, GatePlan

SIZES = ("100", "1000", "4000")
TRIES = "5"
PAYLOADS = ("64", "1400", "64400")
BURSTS = ("1", "64")
DEVICES = (datapath.BARE, "udptun")
"""Devices with code of ours. The kernel's own tunnels do not change with the project."""

MEMORIES_MIB = (512, 576, 640, 704, 768)
"""A baseline is counted in several guests, since the allocator's state depends on the guest's memory."""

TABLE_WIDTH = 110
LISTED = 3
"""Maximum number of cells that a message names."""


def run(plan: GatePlan) -> int:
    """Compare with the baseline, or write it. Return the exit status."""
    if plan.update:
        return update(plan)
    return bisect(plan) if plan.bisects else check(plan)


def bisect(plan: GatePlan) -> int:
    """Compare a kernel of the user's. Return the status that `git bisect run` takes for its commit."""
    try:
        return BISECT_BAD if check(plan) == REGRESSED else 0
    except (BuildError, targets.GuestError) as error:
        raise HarnessError(f"this commit cannot be judged: {error}", BISECT_SKIPS) from error
    except HarnessError as error:
        raise HarnessError(str(error), BISECT_ENDS) from error


def check(gate: GatePlan) -> int:
    """Count, compare, show the cells that changed, and return the exit status.

    HarnessError if there is no baseline to compare with, or if it has no such cell.
    """
    plan = plan_of(gate)
    named = [cell.name for cell in gate.only if cell.named]
    if gate.bisects:  # before minutes of building
        _require_cells(named, baseline.read(baseline.file(gate.baseline)))
    target = target_of(plan)
    known = baseline.find(gate.baseline, identity_of(target.build, gate.kernel))
    _require_cells(named, known)
    if (cells := gate.cells) and not any(map(cells.search, known.counts)):
        raise UsageError(f"--filter {cells.pattern!r} matches no cell of the baseline: names are such as {next(iter(known.counts))}")
    counts = baseline.counted([count(plan, target)])
    if gate.only:
        counts = selected(gate, counts)
        _require_cells(list(counts), known)
        known = dataclasses.replace(known, counts=selected(gate, known.counts))
    changes = baseline.selected(baseline.judge(known.counts, counts, gate.threshold), cells)
    show(changes)
    print(_sum(changes, known, gate.threshold))
    failed = [change for change in changes if change.move in FAILURES]
    if not failed:
        return 0
    print(f"slower than allowed: {by_container(failed)}")
    _tell([change.name for change in failed if change.move is Move.REGRESSED], known, gate.kernel, gate.explain)
    if known.facts.get("qemu") != (here := qemucmd.version()):
        print(f"note: the baseline was counted by {known.facts.get('qemu')}, this is {here}, which may count differently")
    return REGRESSED


def _require_cells(names: Sequence[str], known: Baseline) -> None:
    """HarnessError if the baseline lacks one of these cells."""
    if unknown := [name for name in names if name not in known.counts]:
        raise HarnessError(f"the baseline has no cell {unknown[0]}, it has {', '.join(list(known.counts)[:LISTED])}: {baseline.MAKE_ONE} with it")


def selected(gate: GatePlan, counts: Mapping[str, Count]) -> dict[str, Count]:
    """Return the counts of the cells that the gate is for, all without --cell."""
    wanted = {cell.name for cell in gate.only}
    return {name: count for name, count in counts.items() if not wanted or name in wanted}


def _tell(names: Sequence[str], known: Baseline, kernel: Spec | None, explain: bool) -> None:
    """Print the command that explains each cell that regressed, or with `explain` the functions that changed most.

    Say nothing where the kernel is the user's: the baseline keeps no tree to compare with.
    """
    if isinstance(kernel, OwnKernel):
        return
    before = place.of_context({**known.facts, "kernel": kernel})
    after = Place(kernel)
    lines = causes.lines(causes.find(names, before, after)) if explain else place.hints(names, before, after)
    for line in lines:
        print(line)


def update(gate: GatePlan) -> int:
    """Count in several guests, and write the baseline once all of them have finished."""
    plan = plan_of(gate)
    target = target_of(plan)
    identity = identity_of(target.build, gate.kernel)
    path = baseline.place(gate.baseline, identity)
    results.check_room(path, plan.cells)
    counts = selected(gate, count_with_noise(plan, target))
    baseline.write(Baseline(identity, _facts(target), counts), path)
    exact = sum(not one.noise for one in counts.values())
    name, worst = max(counts.items(), key=lambda entry: entry[1].noise)
    ui.say(f"{exact} of {len(counts)} cells repeat exactly; the worst, {name}, within {worst.noise:.3%}")
    next_step = "git bisect run with the same options but --update" if gate.bisects else "commit it, and run dsbench gate after each change"
    ui.say(f"baseline: {path}; next: {next_step}")
    return 0


def count(plan: sweep.Plan, target: targets.Target) -> list[Cell]:
    """Count each cell of `plan` in one guest. HarnessError if a stage fails."""
    cells: list[Cell] = []

    def take(stage: StageResult) -> None:
        cells.extend(stage.cells)
        progress.update(len(cells), stage.stage)

    where = f"counting instructions, kernel {target.kernel.release}, {target.memory_mib} MiB"
    with ui.Progress(where, unit="cells") as progress:
        sweeper.run_guest(plan, target, take, lambda stage, done, total: None)
    return cells


def count_with_noise(plan: sweep.Plan, target: targets.Target) -> dict[str, Count]:
    """Count each cell of `plan` in several guests, as a baseline needs them."""
    guests: dict[int, list[Cell]] = {}

    def boot(memory: int) -> None:
        guest = copy.copy(target)
        guest.memory_mib = memory
        guests[memory] = count(plan, guest)

    together = atonce.most()
    for place in range(0, len(MEMORIES_MIB), together):
        atonce.run([functools.partial(boot, memory) for memory in MEMORIES_MIB[place : place + together]])
    return baseline.counted([guests[memory] for memory in MEMORIES_MIB])


def identity_of(build: Build, kernel: Spec | None = None) -> Identity:
    """Return the kernel, and the compiler by the signature in its objects. HarnessError if there is none.

    All commits of the user's tree have one identity, that of their configuration: they are what is compared.
    """
    signed = re.search(rb"GCC: \([^)]*\) ([0-9.]+)|(clang) version ([0-9.]+)", (build.ko_dir / "dsbench.ko").read_bytes())
    if not signed:
        raise HarnessError(f"{build.ko_dir / 'dsbench.ko'} does not name its compiler: the gate supports gcc and clang")
    compiler = f"clang {signed[3].decode()}" if signed[2] else f"gcc {signed[1].decode()}"
    if isinstance(kernel, OwnKernel):
        return Identity(f"of --kernel-dir, {ownbuild.config_id(kernel, TARGET)}", compiler)
    return Identity(build.kernel.release, compiler)


def show(changes: Sequence[Change]) -> None:
    """Print a table of the cells that changed, the largest change first. Print nothing if no cell changed."""
    moved = [change for change in changes if change.move not in (Move.SAME, Move.NEW)]
    if not moved:
        return
    table = Table("cell", *(_right(title) for title in ("baseline", "now", "change", "noise")), "")
    for change in sorted(moved, key=lambda change: (change.move not in FAILURES, -abs(_share(change)))):
        noise = "-" if math.isnan(change.noise) else f"{change.noise:.3%}" if change.noise else "exact"
        moved_by = f"{_share(change):+.2%}" if change.now else "-"
        table.add_row(change.name, _each(change.before), _each(change.now), moved_by, noise, change.move.value)
    console(TABLE_WIDTH).print("instructions an element or packet", table, sep="\n")


def _right(title: str) -> Column:
    return Column(title, justify="right")


def _share(change: Change) -> float:
    return change.ratio - 1 if change.now and change.before else 0.0


def _each(count: Count | None) -> str:
    return f"{count.each:,.2f}" if count else "-"


def _sum(changes: Sequence[Change], known: Baseline, threshold: float) -> str:
    """Return the number of cells of each kind, and the baseline and threshold."""
    numbers = {move: sum(change.move is move for change in changes) for move in Move}
    said = [f"{number} {move.value}" for move, number in numbers.items() if number]
    if described := known.facts.get(results.KERNEL_TREE, {}).get("described"):
        return f"{len(changes)} cells: {', '.join(said)}; the threshold is {100 * threshold:g} %, against the baseline of {described}"
    made = f"{known.facts.get('git_revision')}{' (dirty)' if known.facts.get('git_dirty') else ''}"
    against = f"the baseline of {made}, {known.identity.kernel}, {known.identity.compiler}"
    return f"{len(changes)} cells: {', '.join(said)}; the threshold is {100 * threshold:g} %, {against}"


def by_container(changes: Sequence[Change]) -> str:
    """Return the containers and devices of these cells, each with its operations."""
    ops: dict[str, dict[str, None]] = {}
    for change in changes:
        container, op, *_ = change.name.split("/")
        ops.setdefault(container, {})[op] = None
    return "; ".join(f"{container} ({', '.join(names)})" for container, names in ops.items())


def plan_of(gate: GatePlan) -> sweep.Plan:
    """What the gate counts: all cells, or the containers and devices, operations and sizes of those that are named."""
    elements = [cell for cell in gate.only if not cell.is_packet]
    packets = [cell for cell in gate.only if cell.is_packet]
    containers = dict.fromkeys(cell.container for cell in elements if cell.container != floors.FLOOR)
    ops = dict.fromkeys(cell.op for cell in elements if cell.container != floors.FLOOR)
    sizes = [str(cell.n) for cell in elements] or (SIZES[:1] if gate.only else SIZES)
    devices = list(dict.fromkeys(cell.container for cell in packets)) or DEVICES
    payloads = [str(cell.n) for cell in packets] or PAYLOADS
    bursts = list(dict.fromkeys(str(cell.burst) for cell in packets if cell.burst)) or ([datapath.NO_BURSTS] if packets else BURSTS)
    datapath_words = ["--no-datapath"] if gate.only and not packets else ["--device", *devices, "--payloads", *payloads, "--burst", *bursts]
    plan = sweep.plan_of(
        "--target", TARGET, "--accel", "icount", "--sizes", *sizes, "--tries", TRIES, "--warmup", "0", "--timeout", gate.timeout,
        *(["--container", *containers] if containers else []), *(["--op", *ops] if ops else []), *datapath_words,
    )  # fmt: skip
    return dataclasses.replace(plan, kernel=gate.kernel)


def target_of(plan: sweep.Plan, tree: Tree | None = None) -> targets.Target:
    """Return the target of the gate, with the modules of `tree` built."""
    return targets.get(plan.target, plan.kernel, plan.accel, network=plan.datapath is not None, peers=plan.peers, tree=tree)


def _facts(target: targets.Target) -> dict[str, Any]:
    known = environment.facts()
    tree = {results.KERNEL_TREE: ownbuild.as_json(target.kernel.facts)} if target.kernel.facts else {}
    return {"qemu": qemucmd.version(), **tree, "memories_mib": MEMORIES_MIB, **{key: known[key] for key in ("date", "git_revision", "git_dirty")}}

