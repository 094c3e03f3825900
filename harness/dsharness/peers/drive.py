# SPDX-License-Identifier: GPL-2.0
"""Runs dsbench peers: one guest, one kind and number of tunnels after another, a table and a picture."""

from __future__ import annotations

from typing import Any

from .. import paths, targets, ui
from ..errors import HarnessError
from ..plot import figures
from ..results import results
from ..results.results import Results
from ..sweep import drive as sweeper
from ..sweep.stream import StageResult, SweepStream
from . import plan as peersplan
from . import table
from .plan import PeersPlan

SCRIPT = paths.HARNESS / "guest" / "peers.sh"


def run(plan: PeersPlan) -> int:
    """Measure, show the table, draw the picture. Return the exit status. What was finished is kept if the rest fails."""
    target = targets.get(
        plan.sweep.target, plan.sweep.kernel, plan.sweep.accel, network=True, peers=plan.sweep.peers, guest=plan.sweep.guest
    )  # fmt: skip
    path = plan.sweep.output or results.new_path("peers", results.label(target.name, target.accel))
    tries = plan.tries or (peersplan.TRIES_ICOUNT if target.accel == "icount" else peersplan.TRIES)
    results.check_room(path, len(plan.stages) * 3 * tries)
    found = Results({**sweeper.initial_results(target).context, "tries": tries, "peers": []}, [])
    try:
        found = measure(plan, target, tries, found)
    finally:
        if found.cells:
            results.write(found, path)
    table.show(found)
    ui.say(f"results: {paths.short(path)} and {path.with_suffix('.csv').name}")
    with ui.step("drawing them"):
        drawn = figures.draw(found, paths.PLOTS)
    for picture in drawn:
        ui.say(f"picture: {paths.short(picture)}")
    return 0


def measure(plan: PeersPlan, target: targets.Target, tries: int, found: Results) -> Results:
    """Run the stages in one guest. `found` gets its cells and context as they come. HarnessError if a stage fails."""
    stages = list(plan.stages)

    def follow(stage: str, done: int, total: int) -> None:
        kind, number = plan.stages[stage]
        progress.update(stages.index(stage), f"{number:,} tunnels of {kind}" if done else f"setting up {number:,} tunnels of {kind}")

    def take(stage: StageResult) -> None:
        _add(found, plan.stages[stage.stage][1], stage)

    numbers = [f"{number}:{peersplan.warmup(number, icount=target.accel == 'icount')}" for number in plan.numbers]
    assert plan.sweep.datapath
    argv = ["sh", SCRIPT.name, " ".join(numbers), " ".join(plan.kinds), f"tries={tries}", sweeper.tunnel_settings(plan.sweep.datapath)]
    with ui.Progress(f"timing peers in {results.label(target.name, target.accel)}, kernel {target.kernel.release}", len(stages), "runs") as progress:
        stream = SweepStream(follow, take, {name: f"the run of {number} tunnels of {kind}" for name, (kind, number) in plan.stages.items()})
        files = [SCRIPT, *sweeper.PARTS, *sweeper.datapath_files()]
        ended = target.run(argv, files=files, timeout=plan.sweep.timeout, on_stdout=stream.feed)
    if stream.failure:
        raise stream.failure
    if ended.status:
        raise HarnessError(sweeper.last_words(ended))
    if not found.cells:
        raise HarnessError("nothing was timed: no kind of tunnel could be set up")
    found.context["complete"] = True
    return found


def _add(found: Results, number: int, stage: StageResult) -> None:
    """Add the cells of a stage, and the reason why its device is absent."""
    assert stage.topology
    for cell in stage.cells:
        if cell.burst:
            cell.peers = number
            found.cells.append(cell)
    before = found.context
    report: dict[str, Any] = sweeper.report_context(stage.report) if stage.report else {}
    if before.get("peers"):
        report = {name: value for name, value in report.items() if name not in before}
    for kind, reason in stage.topology.absent.items():
        ui.warn(f"{number:,} tunnels of {kind} are absent: {reason}")
    before.update(
        {
            **report,
            **{name: value for name, value in sweeper.devices(stage).items() if name not in ("absent_devices", "device_options", "devices")},
            "devices": list(dict.fromkeys([*before.get("devices", []), *stage.topology.present])),
            "device_options": {**before.get("device_options", {}), **stage.topology.options},
            "absent_devices": {**before.get("absent_devices", {}), **stage.topology.absent},
            "peers": sorted({*before["peers"], number}),
            results.BELOW_RESOLUTION: [],
            "cells": [cell.name for cell in found.cells],
        }
    )
