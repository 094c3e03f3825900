# SPDX-License-Identifier: GPL-2.0
"""Measures the seed tables, prints them beside the report's, and draws them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from .. import paths, targets, ui
from ..plot import figures
from ..results import results
from ..results.results import Results
from ..sweep import drive as sweeper
from ..sweep.plan import Plan
from ..sweep.stream import StageResult
from . import report, view


def run(plans: list[Plan]) -> int:
    """Measure, print the tables and draw them. Return the exit status."""
    path, ours = measure(plans)
    view.show(ours)
    ui.say(f"results: {paths.short(path)} and {path.with_suffix('.csv').name}")
    for picture in figures.draw(ours, plans[0].pictures or paths.PLOTS):
        ui.say(f"picture: {paths.short(picture)}")
    return 0


def measure(plans: list[Plan]) -> tuple[Path, Results]:
    """Run all plans, a guest for each, into one result file. Finished stages are kept, marked incomplete."""
    place, output = plans[0], plans[0].output
    tries = place.tries or sweeper.TRIES
    results.check_room(output, tries * sum(plan.cells for plan in plans))
    target = targets.get(place.target, place.kernel, place.accel)
    if not place.tries and target.accel == "icount":
        tries = sweeper.TRIES_ICOUNT
    path = output or results.new_path("seed-tables", results.label(target.name, target.accel))
    initial = sweeper.initial_results(target)
    readings = {name: reading.find for reading in report.READINGS for name in reading.containers}
    initial.context[results.SEED_TABLES] = readings
    recorder = sweeper.SweepRecorder(path, initial, [stage for plan in plans for stage in sweeper.stages(plan)])
    where = f"the report's tables in {results.label(target.name, target.accel)}, kernel {target.kernel.release}"
    try:
        with ui.Progress(where, len(plans), "readings") as progress:
            for number, plan in enumerate(plans):
                named = " ".join(plan.containers)

                def follow(stage: str, done: int, total: int) -> None:
                    progress.update(number, f"{named} n={stage}")

                def take(stage: StageResult) -> None:
                    cells = [cell for cell in stage.cells if cell.container in plan.containers]
                    recorder.add(dataclasses.replace(stage, cells=cells))

                sweeper.run_guest(dataclasses.replace(plan, tries=tries), target, take, follow)
    finally:
        recorder.close(None)
    return path, recorder.results
