# SPDX-License-Identifier: GPL-2.0
"""Runs the gate: one guest that counts, a table of the cells that changed, and the verdict."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from rich.table import Column, Table

from .. import proc, targets, ui
from ..console import console
from ..errors import REGRESSED, HarnessError, UsageError
from ..explain import causes, place
from ..explain.place import Place
from ..kernel.build import Build
from ..kernel.trees import Tree
from ..results import datapath, environment, results
from ..results.samples import Cell
from ..sweep import drive as sweeper
from ..sweep import plan as sweep
from ..sweep.stream import StageResult
from ..targets import qemucmd
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


def run(plan: GatePlan) -> int:
    """Compare with the baseline, or write it. Return the exit status."""
    if plan.update:
        return update(plan.kernel, plan.baseline, plan.timeout)
    return check(plan)


def check(gate: GatePlan) -> int:
    """Count, compare, show the cells that changed, and return the exit status.

    HarnessError if there is no baseline to compare with, or if it has no such cell.
    """
    plan = plan_of(gate.kernel, gate.timeout)
    target = target_of(plan)
    known = baseline.find(gate.baseline, identity_of(target.build))
    if (cells := gate.cells) and not any(map(cells.search, known.counts)):
        raise UsageError(f"--filter {cells.pattern!r} matches no cell of the baseline: names are such as {next(iter(known.counts))}")
    counts = baseline.counted([count(plan, target)])
    changes = baseline.selected(baseline.judge(known.counts, counts, gate.threshold), cells)
    show(changes)
    print(_sum(changes, known, gate.threshold))
    failed = [change for change in changes if change.move in FAILURES]
    if not failed:
        return 0
    print(f"slower than allowed: {by_container(failed)}")
    _tell([change.name for change in failed if change.move is Move.REGRESSED], known, gate.kernel, gate.explain)
    if known.facts.get("qemu") != (here := _qemu()):
        print(f"note: the baseline was counted by {known.facts.get('qemu')}, this is {here}, which may count differently")
    return REGRESSED


def _tell(names: Sequence[str], known: Baseline, kernel: str | None, explain: bool) -> None:
    """Print the command that explains each cell that regressed, or with `explain` the functions that changed most."""
    before = place.of_context({**known.facts, "kernel": kernel})
    after = Place(kernel)
    lines = causes.lines(causes.find(names, before, after)) if explain else place.hints(names, before, after)
    for line in lines:
        print(line)


def update(kernel: str | None, named: str | None, timeout: str) -> int:
    """Count in several guests, and write the baseline once all of them have finished."""
    plan = plan_of(kernel, timeout)
    target = target_of(plan)
    identity = identity_of(target.build)
    path = baseline.place(named, identity)
    results.check_room(path, plan.cells)
    counts = count_with_noise(plan, target)
    baseline.write(Baseline(identity, _facts(), counts), path)
    exact = sum(not one.noise for one in counts.values())
    name, worst = max(counts.items(), key=lambda entry: entry[1].noise)
    ui.say(f"{exact} of {len(counts)} cells repeat exactly; the worst, {name}, within {worst.noise:.3%}")
    ui.say(f"baseline: {path}; next: commit it, and run dsbench gate after each change")
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
    guests = []
    for memory in MEMORIES_MIB:
        target.memory_mib = memory
        guests.append(count(plan, target))
    return baseline.counted(guests)


def identity_of(build: Build) -> Identity:
    """Return the kernel, and the compiler by the signature in its objects. HarnessError if there is none."""
    signed = re.search(rb"GCC: \([^)]*\) ([0-9.]+)", (build.ko_dir / "dsbench.ko").read_bytes())
    if not signed:
        raise HarnessError(f"{build.ko_dir / 'dsbench.ko'} does not name its compiler: the gate supports gcc only")
    return Identity(build.kernel.release, f"gcc {signed[1].decode()}")


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


def plan_of(kernel: str | None, timeout: str) -> sweep.Plan:
    """What the gate counts."""
    return sweep.plan_of(
        "--target", TARGET, "--accel", "icount", "--sizes", *SIZES, "--tries", TRIES, "--warmup", "0", "--timeout", timeout,
        "--device", *DEVICES, "--payloads", *PAYLOADS, "--burst", *BURSTS, *(["--kernel", kernel] if kernel else []),
    )  # fmt: skip


def target_of(plan: sweep.Plan, tree: Tree | None = None) -> targets.Target:
    """Return the target of the gate, with the modules of `tree` built."""
    return targets.get(plan.target, plan.kernel, plan.accel, network=True, tree=tree)


def _facts() -> dict[str, Any]:
    known = environment.facts()
    return {"qemu": _qemu(), "memories_mib": MEMORIES_MIB, **{key: known[key] for key in ("date", "git_revision", "git_dirty")}}


def _qemu() -> str:
    return proc.check([qemucmd.PROGRAM, "--version"]).splitlines()[0]
