# SPDX-License-Identifier: GPL-2.0
"""Runs the measurement in one guest a kernel, and keeps what was measured."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from .. import paths, signals, targets, ui
from ..errors import HarnessError
from ..kernel import tools
from ..results import environment, results
from ..targets import Target
from ..tunnel.devices import DEVICES, options_of
from ..tunnel.drive import SCRIPT, SETUP_SECONDS, SLOWER, keys, last_line
from ..tunnel.meters import Reading, Tool
from ..tunnel.steps import Experiment, Step, Take, veth_link, write
from ..tunnel.stream import Stream
from . import record, table
from .offloads import DEFAULT, settings
from .plan import ThroughputPlan
from .record import Sample, Throughput
from .steps import Cell, steps
from .traffic import TRAFFIC

SCRIPTS = tuple(paths.HARNESS / "guest" / name for name in ("features.py", "ethtool.py", "udpflow.py"))
SECONDS_A_MEASUREMENT = 4.0
"""Of the slowest one, on a quiet machine, without emulation."""


def run(plan: ThroughputPlan) -> int:
    """Measure, show the tables, and say where the results lie. Return the exit status."""
    path, found = measure(plan)
    table.show(found)
    ui.say(f"results: {paths.short(path)} and {path.with_suffix('.csv').name}")
    return 0


def measure(plan: ThroughputPlan) -> tuple[Path, Throughput]:
    """Run `plan`. Return the result file and its content. If it ends early, what was measured is in the file, marked incomplete."""
    results.check_room(plan.output, len(plan.kernels) * (len(plan.devices) + 1) * (len(plan.traffic) + len(list(settings()))) * plan.rounds)
    path = plan.output or results.new_path(f"throughput-{plan.target}", plan.accel)
    found = Throughput(_context(plan), [])
    try:
        for kernel in plan.kernels:
            _on_kernel(plan, kernel, found)
        found.context["complete"] = True
    finally:
        _keep(found, path, point_latest=plan.output is None)
    return path, found


def _keep(found: Throughput, path: Path, *, point_latest: bool) -> None:
    if not found.samples:
        ui.warn("nothing was measured: there is no result file")
        return
    with signals.delayed():
        record.write(found, path)
        if point_latest:
            results.point_latest(path, record.LATEST)
    for warning in found.context["warnings"]:
        ui.warn(warning)
    if not found.context["complete"]:
        ui.warn(f"the measurement is incomplete: {len(found.samples)} figures are kept in {path}, marked complete=false")


def _context(plan: ThroughputPlan) -> dict[str, object]:
    facts = environment.facts()
    return {
        "schema_version": record.SCHEMA_VERSION, "complete": False, **facts, "warnings": environment.warnings(facts, plan.accel),
        "target": plan.target, "accel": plan.accel, "kernels": [], "rounds": plan.rounds, "link": "veth between two network namespaces of one kernel, MTU 1500",
        "absent": {}, "device_options": options_of(plan.devices),
    }  # fmt: skip


def _on_kernel(plan: ThroughputPlan, kernel: str | None, found: Throughput) -> None:
    """Measure in one guest, and add to `found` as the figures arrive."""
    target = targets.get(plan.target, kernel, plan.accel, network=True, peers=plan.devices if plan.named else (), guest=plan.guest)
    release = target.kernel.release
    found.context["accel"] = target.accel
    found.context["kernels"] = [*found.context["kernels"], release]
    found.context["warnings"] += [warning for warning in target.warnings if warning not in found.context["warnings"]]
    program = tools.udptunctl()
    devices = tuple(device for device in DEVICES if device.name in plan.devices)
    what = Experiment(veth_link(), devices, plan.rounds, 1, 1, (f"./{program.name}",) * 2, keys())
    kinds: list[Tool] = [kind for kind in TRAFFIC if kind.name in plan.traffic]
    made, cells = steps(what, list(settings()) if plan.offloads else [DEFAULT], kinds)
    with (
        tempfile.TemporaryDirectory(prefix="dsbench-throughput-") as folder,
        ui.Progress(f"measuring in {results.label(target.name, target.accel)}, kernel {release}", len(cells), "measurements") as progress,
    ):

        def begin(step: Step) -> None:
            if step.take:
                progress.update(step.take.order, f"{step.take.device}, {step.take.tool.name}")

        def add(take: Take, reading: Reading) -> None:
            found.samples.append(Sample(release, cells[take.order], reading))

        stream = Stream(made, begin, add, lambda number: None)
        _execute(target, [SCRIPT, *write(made, Path(folder)), *SCRIPTS, program], cells, stream)
    found.context["absent"] |= {name: reason for name, reason in stream.absent.items() if name.removesuffix("-csum") == name or name.removesuffix("-csum") not in stream.absent}


def _execute(target: Target, files: Sequence[Path], cells: Sequence[Cell], stream: Stream) -> None:
    """Run the steps. HarnessError if they do not come to their end."""
    timeout = SETUP_SECONDS + SECONDS_A_MEASUREMENT * len(cells) * SLOWER.get(target.accel or "", 1.0)
    ended = target.run(["sh", files[0].name, files[1].name], files=files, timeout=timeout, on_stdout=stream.feed)
    if stream.failure:
        raise stream.failure
    if ended.status:
        raise HarnessError(f"the measurement ended with status {ended.status} before all was measured{last_line(ended.stderr)}")
