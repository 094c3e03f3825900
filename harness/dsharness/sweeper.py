# SPDX-License-Identifier: GPL-2.0
"""Drives one sweep: boots the target, follows the runs, keeps every stage that is finished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import datapath, environment, paths, results, targets, tools, ui
from .errors import HarnessError
from .results import Results
from .samples import Report
from .sweep import Plan
from .sweepstream import DATAPATH, StageResult, SweepStream

SCRIPT = paths.HARNESS / "guest" / "sweep.sh"
STAGE = paths.HARNESS / "guest" / "stage.sh"
"""What scripts that print stages have in common: it goes beside each of them."""

# Under icount the counts repeat, and each ms of warm-up is a million instructions to emulate.
TRIES = 100
TRIES_ICOUNT = 20
WARMUP_ICOUNT_MS = 5


def sweep(plan: Plan, output: Path | None = None) -> tuple[Path, Results]:
    """Run `plan`; the result file and what is in it.

    Without `output` the file gets a name of its own, and latest.json points to it. Whatever ends the sweep early, the
    stages that were finished, the sizes and then the datapath, are in the file, marked incomplete.
    """
    results.check_room(output or results.new_path(plan.target, None), plan.cells * (plan.tries or TRIES))
    target = targets.get(plan.target, plan.kernel, plan.accel, network=plan.datapath is not None)
    icount = target.accel == "icount"
    tries = plan.tries or (TRIES_ICOUNT if icount else TRIES)
    warmup = WARMUP_ICOUNT_MS if icount and plan.warmup is None else plan.warmup
    settings = [f"tries={tries}", *([] if warmup is None else [f"warmup={warmup}"])]
    argv, files = _script(plan, settings, by_hand=target.name == "host")

    path = output or results.new_path(target.name, target.accel)
    collector = Collector(plan, path, target)
    where = f"sweeping in {results.label(target.name, target.accel)}, kernel {target.kernel.release}"
    with ui.Progress(where, plan.cells * tries, "tries") as progress:

        def follow(stage: str, done: int, total: int) -> None:
            progress.update(*_place(plan, tries, stage, done, total))

        stream = SweepStream(follow, collector.add)
        try:
            ended = target.run(argv, files=files, timeout=plan.timeout, on_stdout=stream.feed)
            if stream.failure:
                raise stream.failure
            if ended.status or not collector.complete:
                raise HarnessError(_last_words(ended))
        finally:
            collector.close(point_latest=output is None)
    return path, collector.results


def _script(plan: Plan, settings: list[str], by_hand: bool) -> tuple[list[str], list[Path]]:
    """The command that runs in the target, and the files that it needs beside it."""
    modules = [f"dsbench_{name}" for name in plan.containers] if by_hand else []
    argv = ["sh", SCRIPT.name, " ".join(map(str, plan.sizes)), " ".join(modules), " ".join([*settings, *plan.settings])]
    if not plan.datapath:
        return [*argv, "", "", ""], [SCRIPT, STAGE]
    tunnel = [f"payloads={','.join(map(str, plan.datapath.payloads))}", f"packets={datapath.PACKETS}"]
    argv += [" ".join(plan.datapath.devices), " ".join([*settings, *plan.datapath.settings]), " ".join(tunnel)]
    return argv, [SCRIPT, STAGE, datapath.SCRIPT, tools.udptunctl()]


class Collector:
    """The stages that are finished, on the disk after each one."""

    def __init__(self, plan: Plan, path: Path, target: targets.Target) -> None:
        self._plan = plan
        self._path = path
        self._awaited = [*map(str, plan.sizes), *([DATAPATH] if plan.datapath else [])]
        self.results = Results({**_context(target), "n": []}, [])

    @property
    def complete(self) -> bool:
        """Whether every stage is there."""
        return not self._awaited

    def add(self, stage: StageResult) -> None:
        """Keep one more stage; it counts once it is on the disk. HarnessError when that is full."""
        if stage.topology:
            self._check(stage.topology)
        before = self.results.context
        awaited = [name for name in self._awaited if name != stage.stage]
        cells = [*self.results.cells, *stage.cells]
        warnings = stage.report.warnings if stage.report else []
        context = {
            **(_told(stage.report) if stage.report else {}),
            **before,
            **(_devices(stage) if stage.topology else {"n": [*before["n"], int(stage.stage)]}),
            "warnings": list(dict.fromkeys([*before["warnings"], *warnings])),
            "cells": [cell.name for cell in cells],
            "complete": not awaited,
        }
        grown = Results(context, cells)
        results.write(grown, self._path)
        self.results = grown
        self._awaited = awaited

    def _check(self, topology: datapath.Topology) -> None:
        """Say which devices there are not. HarnessError when there are none but the datapath was asked for."""
        for kind, reason in topology.absent.items():
            ui.warn(f"{kind} is absent: {reason}")
        if not topology.present and self._plan.datapath and self._plan.datapath.required:
            raise HarnessError("the datapath cannot be timed: " + next(iter(topology.absent.values()), "no devices"))

    def close(self, point_latest: bool) -> None:
        """Say what there is, when it is not everything, and point latest.json to it."""
        for warning in self.results.context["warnings"]:
            ui.warn(warning)
        if not self.results.cells:
            ui.warn("no size was finished: there is no result file")
            return
        if self.results.disturbed_share > results.NOTABLE_SHARE:
            share = f"{self.results.disturbed_share:.1%}"
            ui.warn(f"interrupts fell into {share} of the tries: long tries, or a busy machine")
        if not self.complete:
            finished = f"{len(self.results.context['n'])} of {len(self._plan.sizes)} sizes"
            finished += " and not the datapath" if self._plan.datapath else ""
            ui.warn(f"the sweep is incomplete: {finished} are kept in {self._path}, marked complete=false")
        if point_latest:
            results.point_latest(self._path)


def _place(plan: Plan, tries: int, stage: str, done: int, total: int) -> tuple[int, str]:
    """How far the sweep is when the run of a stage has done so much, in tries and in words."""
    share = done / total if total else 0.0
    if stage == DATAPATH and plan.datapath:
        before, cells, words = len(plan.sizes) * plan.cells_of_size, plan.datapath.cells, DATAPATH
    else:
        before, cells, words = plan.sizes.index(int(stage)) * plan.cells_of_size, plan.cells_of_size, f"n={stage}"
    return round((before + share * cells) * tries), words


def _context(target: targets.Target) -> dict[str, Any]:
    """What is known before the first size."""
    facts = environment.facts()
    return {
        "schema_version": results.SCHEMA_VERSION,
        "complete": False,
        "target": target.name,
        "accel": target.accel,
        "kernel": target.kernel.release,
        "arch": target.kernel.arch,
        **facts,
        "warnings": [] if target.accel == "icount" else environment.warnings(facts),
    }


def _devices(stage: StageResult) -> dict[str, Any]:
    """What came of the datapath's devices."""
    assert stage.topology
    return {
        "devices": list(stage.topology.present),
        "absent_devices": stage.topology.absent,
        "payloads": sorted({cell.n for cell in stage.cells}),
    }


def _told(report: Report) -> dict[str, Any]:
    """What the kernel said about itself and the run."""
    header = report.header
    settings = report.runs[-1].settings if report.runs else {}
    return {
        "dsbench": header.get("dsbench"),
        "dsbench_revision": header.get("revision"),
        "kernel_version": header.get("kernel"),
        "machine": header.get("machine"),
        "config": header.get("config").split(),
        "compiler": header.get("compiler"),
        "clock": header.get("clock"),
        "unit": report.unit,
        "clock_khz": header.number("clock_khz"),
        "clock_overhead": header.number("clock_overhead"),
        **{
            name: int(value) if value.isdigit() else value
            for name, value in settings.items()
            if name not in ("n", "state", "ms")
        },
    }


def _last_words(ended: targets.GuestResult) -> str:
    """Why the script inside the target failed, in one sentence."""
    lines = [line for line in ended.stderr.decode(errors="replace").splitlines() if line.strip()]
    said = f": {lines[-1].strip()}" if lines else ""
    console = f" (the console is in {ended.console})" if ended.console else ""
    return f"the sweep ended with status {ended.status} before all of it was done{said}{console}"
