# SPDX-License-Identifier: GPL-2.0
"""Runs a curve: a guest for each size, whose memory and tries follow n, into one result file that can be resumed."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import locks, paths, targets, ui
from ..kernel import trees
from ..results import environment, results
from ..results.results import Results
from ..sweep import drive as sweeper
from ..sweep.drive import SweepRecorder
from ..sweep.stream import StageResult
from . import resume, table
from .plan import LATEST, CurvePlan, guest_memory_mib

GUEST_COST = 100_000
"""Cost of a guest's boot and warm-up, in element visits of one cell; for the progress only."""
MISS_GROWTH = 1.15
"""Exponent of the duration of a try over n, above 1 because of caches; for the progress only."""


def run(curve: CurvePlan) -> int:
    """Run or resume the curve, show medians and fits, and say where they lie and what to do next. Return the exit status."""
    path, found = measure(curve)
    table.show(found)
    ui.say(f"results: {paths.short(path)} and {path.with_suffix('.csv').name}")
    ui.say(f"next: harness/dsbench plot {paths.short(path)}    draws it into plots/")
    return 0


def measure(curve: CurvePlan) -> tuple[Path, Results]:
    """Run all sizes, or those that an interrupted curve lacks. Return the result file and its content.

    If the curve ends early, the finished sizes are in the file, marked incomplete.
    """
    plan = curve.plan
    if curve.resume:
        resume.require(curve.output or paths.RESULTS / LATEST)
    _check_room(curve)
    target = targets.get(plan.target, plan.kernel, plan.accel)
    known = identity(curve, target)
    with taken(curve, target, known) as (path, initial):
        return _run_sizes(curve, target, path, initial)


@contextlib.contextmanager
def taken(curve: CurvePlan, target: targets.Target, known: dict[str, Any]) -> Iterator[tuple[Path, Results]]:
    """Provide the file to write, and its content. A second dsbench waits for the file, or each would drop the other's sizes."""

    def chosen() -> tuple[Path, Results] | None:
        return resume.chosen(curve.output, paths.RESULTS / LATEST, known, curve.resume)

    while first := chosen():
        with _lock(first[0]):
            now = chosen()  # Meanwhile the file may have got more sizes, or all.
            if now and now[0] == first[0]:
                yield now
                return
    path, initial = _new(curve, target, known)
    with _lock(path):
        yield (chosen() if curve.output else None) or (path, initial)


def _lock(path: Path) -> contextlib.AbstractContextManager[None]:
    path = path.resolve()
    return locks.held(path.with_name(f".{path.name}.lock"), f"it goes on with {path}")


def _run_sizes(curve: CurvePlan, target: targets.Target, path: Path, initial: Results) -> tuple[Path, Results]:
    """Run the sizes that `initial` lacks into `path`."""
    plan, known = curve.plan, initial.context[results.CURVE]
    sizes = [n for n in plan.sizes if n not in initial.context["n"]]
    if initial.cells:
        ui.say(f"going on with {path}: {len(plan.sizes) - len(sizes)} of {len(plan.sizes)} sizes are there")
    recorder = SweepRecorder(path, initial, [str(n) for n in sizes])
    costs = {n: _cost(n, known["tries"][plan.sizes.index(n)]) for n in sizes}
    where = f"curve in {results.label(target.name, target.accel)}, kernel {target.kernel.release}"
    try:
        with ui.Progress(where, sum(costs.values()), estimate=True) as progress:
            for n in sizes:
                _run_size(curve, target, n, recorder, progress, costs)
    finally:
        recorder.close(LATEST if curve.output is None else None)
        if recorder.results.cells and not recorder.complete:
            ui.say("the same command goes on with the rest")
    return path, recorder.results


def identity(curve: CurvePlan, target: targets.Target) -> dict[str, Any]:
    """Return what must agree for two runs to be of one curve. The keys are those of resume.WORDS."""
    plan, icount = curve.plan, target.accel == "icount"
    return {
        "target": target.name,
        "accel": target.accel,
        "kernel": target.kernel.state,
        "modules": trees.working().digest,
        "cpu": environment.facts()["cpu_model"],
        "sizes": list(plan.sizes),
        "tries": [curve.tries(n, icount) for n in plan.sizes],
        "containers": list(plan.containers),
        "ops": list(plan.ops),
        "settings": [setting for setting in plan.settings if setting.split("=")[0] not in ("containers", "ops")],
        "warmup": plan.warmup,
    }


def _run_size(
    curve: CurvePlan, target: targets.Target, n: int, recorder: SweepRecorder, progress: ui.Progress, costs: dict[int, int]
) -> None:
    """Run one size in a guest of its own."""
    before = sum(cost for size, cost in costs.items() if size < n)

    def follow(stage: str, done: int, total: int) -> None:
        progress.update(round(before + (done / total if total else 0.0) * costs[n]), f"n={n}")

    def take(stage: StageResult) -> None:
        recorder.add(stage)
        if curve.output is None:
            results.point_latest(recorder.path, LATEST)  # Now, so that a crash does not leave the link behind.

    target.memory_mib = guest_memory_mib(n)
    tries = curve.tries(n, target.accel == "icount")
    sweeper.run_guest(dataclasses.replace(curve.plan, sizes=(n,), tries=tries), target, take, follow)


def _new(curve: CurvePlan, target: targets.Target, known: dict[str, Any]) -> tuple[Path, Results]:
    """Return a curve without cells, and its file."""
    initial = sweeper.initial_results(target)
    path = curve.output or results.new_path("curve", results.label(target.name, target.accel))
    return path, Results({**initial.context, results.CURVE: known}, [])


def _check_room(curve: CurvePlan) -> None:
    """HarnessError if the result file is not writable, or its disk lacks room."""
    samples = sum(curve.tries(n, icount=False) for n in curve.plan.sizes) * curve.plan.cells_of_size
    results.check_room(curve.output, samples)


def _cost(n: int, tries: int) -> int:
    """Return the relative duration of a size, for the progress."""
    return round(GUEST_COST + (tries + 1) * math.pow(n, MISS_GROWTH))
