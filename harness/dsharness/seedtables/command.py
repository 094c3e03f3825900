# SPDX-License-Identifier: GPL-2.0
"""Measure what the Virginia Tech report measured, with its method as far as it tells, and print its tables and ours."""

# The command line only: it must load without numpy, which is installed only after the options were checked.

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from .. import command, packages, paths, ui
from ..sweep import command as sweep
from ..sweep.command import Plan
from . import report

if TYPE_CHECKING:
    from ..results.results import Results

PASSED_ON = ("target", "kernel", "accel", "tries", "seed", "warmup", "timeout")
"""Options that are those of a sweep."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`dsbench seed-tables`."""
    parser = subparsers.add_parser("seed-tables", help="the report's tables and ours, by its method", description=__doc__)
    sweep.add_place_options(parser)
    parser.add_argument("--tries", metavar="T", help="tries of each cell (100; 20 under icount)")
    parser.add_argument("--seed", metavar="S", help="seed of every permutation (1)")
    parser.add_argument("--warmup", metavar="MS", help="uncounted tries first, ms of guest time (500; 5 under icount)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="result file (results/seed-tables-<target>-<time>.json)")
    command.declare(parser, run)


def checked_plans(args: argparse.Namespace) -> list[Plan]:
    """A plan for each reading. UsageError names the option, its value and what is allowed."""
    given = [word for name in PASSED_ON if (value := getattr(args, name)) is not None for word in (f"--{name}", value)]
    given += ["--output", str(args.output)] if args.output else []
    ops = list(report.tables())
    numbers = [str(n) for n in report.sizes()]
    common = [*given, *report.COMMON, "--no-datapath", "--sizes", *numbers, "--op", *ops]
    return [
        sweep.plan_of(*common, "--container", *reading.containers, *reading.options)
        for reading in report.READINGS
    ]


def run(args: argparse.Namespace) -> int:
    """Measure, then print the tables and draw them."""
    plans = checked_plans(args)
    packages.ensure("plot")
    # They need numpy, which is there only now.
    from ..plot import figures
    from . import view

    path, ours = measure(plans, args.output)
    view.show(ours)
    ui.say(f"results: {paths.short(path)} and {path.with_suffix('.csv').name}")
    for picture in figures.draw(ours, paths.PLOTS):
        ui.say(f"picture: {paths.short(picture)}")
    return 0


def measure(plans: list[Plan], output: Path | None) -> "tuple[Path, Results]":
    """Run all plans, a guest each, into one result file. What was finished is kept, marked incomplete."""
    from .. import targets
    from ..results import results
    from ..sweep import drive as sweeper
    from ..sweep.stream import StageResult

    place = plans[0]
    tries = place.tries or sweeper.TRIES
    results.check_room(output, tries * sum(plan.cells for plan in plans))
    target = targets.get(place.target, place.kernel, place.accel)
    if not place.tries and target.accel == "icount":
        tries = sweeper.TRIES_ICOUNT
    path = output or results.new_path("seed-tables", results.label(target.name, target.accel))
    begun = sweeper.begun(target)
    readings = {name: reading.find for reading in report.READINGS for name in reading.containers}
    begun.context[results.SEED_TABLES] = readings
    collector = sweeper.Collector(path, begun, [stage for plan in plans for stage in sweeper.stages(plan)])
    where = f"the report's tables in {results.label(target.name, target.accel)}, kernel {target.kernel.release}"
    try:
        with ui.Progress(where, len(plans), "readings") as progress:
            for number, plan in enumerate(plans):
                named = " ".join(plan.containers)

                def follow(stage: str, done: int, total: int) -> None:
                    progress.update(number, f"{named} n={stage}")

                def take(stage: StageResult) -> None:
                    cells = [cell for cell in stage.cells if cell.container in plan.containers]
                    collector.add(dataclasses.replace(stage, cells=cells))

                sweeper.run_guest(dataclasses.replace(plan, tries=tries), target, take, follow)
    finally:
        collector.close(None)
    return path, collector.results
