# SPDX-License-Identifier: GPL-2.0
"""Runs one sweep: boots the target, follows the runs, keeps every finished stage."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .. import paths, targets, ui
from ..errors import HarnessError
from ..kernel import tools, trees
from ..results import datapath, environment, results, table
from ..results.results import Results
from ..results.samples import Report, merged
from . import otherprocesses
from .plan import DatapathPlan, Plan
from .stream import DATAPATH, StageResult, SweepStream

SCRIPT = paths.HARNESS / "guest" / "sweep.sh"
PARTS = (paths.HARNESS / "guest" / "stage.sh", paths.HARNESS / "guest" / "packets.sh")
"""Parts of the guest scripts that print stages. They go beside each of these scripts."""

# Under icount the counts repeat, and each ms of warm-up emulates a million instructions.
TRIES = 100
TRIES_ICOUNT = 20
WARMUP_ICOUNT_MS = 5


GUESTS, LEAST_TRIES = 4, 10
"""Number of guests for cycles of uml, and minimum number of tries in each. Several guests have pages of other colours and other
neighbours, and a job that comes and goes on the machine affects all sizes alike.
"""


def run(plan: Plan) -> int:
    """Sweep, show the medians, and say where they lie and what to do next. Return the exit status."""
    path, swept = sweep(plan)
    table.show_medians(swept)
    ui.say(f"results: {paths.short(path)} and {path.with_suffix('.csv').name}")
    ui.say(f"next: harness/dsbench plot {paths.short(path)}    draws them into plots/")
    return 0


def sweep(plan: Plan) -> tuple[Path, Results]:
    """Run `plan`. Return the result file and its content.

    Without an output the file gets a name of its own, and latest.json points to it. Whatever ends the sweep early, the
    stages that were finished, the sizes and then the datapath, are in the file, marked incomplete.
    """
    results.check_room(plan.output, plan.cells * (plan.tries or TRIES))
    target = targets.get(
        plan.target, plan.kernel, plan.accel, network=plan.datapath is not None, peers=plan.peers, cpus=plan.cpus
    )
    tries = plan.tries or (TRIES_ICOUNT if target.accel == "icount" else TRIES)
    path = plan.output or results.new_path(target.name, target.accel)
    shares = _shares(tries, target)
    recorder = SweepRecorder(
        path,
        Results({**initial_results(target).context, "tries": tries, "guests": len(shares)}, []),
        stages(plan) * len(shares),
        devices_required=bool(plan.datapath and plan.datapath.required),
    )
    where = f"sweeping in {results.label(target.name, target.accel)}, kernel {target.kernel.release}"

    def take(stage: StageResult) -> None:
        recorder.add(stage, target.warnings)

    with ui.Progress(where, plan.cells * tries, "tries") as progress:
        try:
            for number, share in enumerate(shares):
                part = dataclasses.replace(plan, tries=share)
                follow = functools.partial(_follow, progress, part, plan.cells * sum(shares[:number]))
                run_guest(part, target, take, follow)
        finally:
            recorder.close(results.LATEST if plan.output is None else None)
    return path, recorder.results


def _shares(tries: int, target: targets.Target) -> list[int]:
    """The tries of each guest."""
    guests = max(1, min(GUESTS, tries // LEAST_TRIES)) if target.name == "uml" else 1
    return [tries // guests + (number < tries % guests) for number in range(guests)]


def run_guest(
    plan: Plan,
    target: targets.Target,
    take: Callable[[StageResult], None],
    follow: Callable[[str, int, int], None],
) -> None:
    """Run all stages of a plan that has its tries in one guest. `take` gets each finished stage, and may refuse it.

    `follow` gets the stage, its finished tries and all of its tries. HarnessError if a stage did not finish.
    """
    if plan.warmup is None and target.accel == "icount":
        plan = dataclasses.replace(plan, warmup=WARMUP_ICOUNT_MS)
    argv, files = _script(plan, by_hand=target.name == "host")
    stream = SweepStream(follow, take)
    target.cpu = otherprocesses.idlest_cpu() if target.name == "uml" else None
    ended = target.run(argv, files=files, timeout=plan.timeout, on_stdout=stream.feed)
    if stream.failure:
        raise stream.failure
    if ended.status:
        raise HarnessError(last_words(ended))


def stages(plan: Plan) -> list[str]:
    """Return the stages that a guest finishes for `plan`, in order."""
    return [*map(str, plan.sizes), *([DATAPATH] if plan.datapath else [])]


def initial_results(target: targets.Target) -> Results:
    """Return results without cells, with the context that is known before the first stage."""
    facts = environment.facts()
    context = {
        "schema_version": results.SCHEMA_VERSION,
        "complete": False,
        "target": target.name,
        "accel": target.accel,
        "kernel": target.kernel.release,
        "arch": target.kernel.arch,
        **facts,
        "warnings": [*target.warnings, *([] if target.accel == "icount" else environment.warnings(facts))],
        "absent_ops": [],
        "n": [],
    }
    return Results(context, [])


def _script(plan: Plan, by_hand: bool) -> tuple[list[str], list[Path]]:
    """Return the command that runs in the target, and the files that it needs beside it."""
    settings = [f"tries={plan.tries}", f"precision={plan.precision}", *([] if plan.warmup is None else [f"warmup={plan.warmup}"])]
    modules = [f"dsbench_{name}" for name in plan.containers] if by_hand else []
    argv = ["sh", SCRIPT.name, " ".join(map(str, plan.sizes)), " ".join(modules), " ".join([*settings, *plan.settings])]
    if not plan.datapath:
        return [*argv, "", "", ""], [SCRIPT, *PARTS]
    argv += [" ".join(plan.datapath.devices), " ".join([*settings, *plan.datapath.settings]), tunnel_settings(plan.datapath)]
    return argv, [SCRIPT, *PARTS, *datapath_files()]


def tunnel_settings(plan: DatapathPlan) -> str:
    """The parameters of dsbench_tunnel."""
    return f"payloads={','.join(map(str, plan.payloads))} packets={datapath.PACKETS}"


def datapath_files() -> list[Path]:
    """Return the files that set up the devices, which go beside PARTS if there are devices."""
    return [datapath.SCRIPT, tools.udptunctl()]


class SweepRecorder:
    """Keeps the finished stages, on disk after each one."""

    def __init__(
        self, path: Path, initial: Results, awaited: Sequence[str], *, devices_required: bool = False
    ) -> None:
        """`initial` has the context so far. `awaited` names the missing stages; a name may repeat."""
        self.path = path
        self._awaited = list(awaited)
        self._sizes = len({*map(str, initial.context["n"]), *awaited} - {DATAPATH})
        self._devices_required = devices_required
        self.results = initial

    @property
    def complete(self) -> bool:
        """Whether every stage is there."""
        return not self._awaited

    def add(self, stage: StageResult, machine: Sequence[str] = ()) -> None:
        """Keep a finished stage, and the warnings of the machine. It counts once it is on disk.

        HarnessError if the disk is full, or the stage is of another build.
        """
        if stage.report:
            self._check_build(stage.report)
        if stage.topology and "absent_devices" not in self.results.context:
            self._check(stage.topology)
        before = self.results.context
        awaited = list(self._awaited)
        awaited.remove(stage.stage)
        cells = merged(self.results.cells, stage.cells)
        warnings = stage.report.warnings if stage.report else []
        absent = stage.report.absent if stage.report else []
        context = {
            **(_facts(stage.report) if stage.report else {}),
            **self._settled(stage),
            **(devices(stage) if stage.topology else {"n": sorted({*before["n"], int(stage.stage)})}),
            "absent_ops": list(dict.fromkeys([*before.get("absent_ops", []), *absent])),
            "warnings": list(dict.fromkeys([*before["warnings"], *machine, *warnings])),
            "cells": [cell.name for cell in cells],
            "complete": not awaited,
        }
        grown = Results(context, cells)
        results.write(grown, self.path)
        self.results = grown
        self._awaited = awaited

    def _settled(self, stage: StageResult) -> dict[str, Any]:
        """Return the context so far, without the parameters that differ between stages."""
        settings = _settings(stage.report) if stage.report else {}
        before = self.results.context
        if not self.results.cells:
            return {**settings, **before}
        if stage.topology:
            return before
        if "guests" in before:  # Each guest has its share of the tries.
            settings.pop("tries", None)
        return {name: value for name, value in before.items() if settings.get(name, value) == value}

    def _check_build(self, report: Report) -> None:
        """HarnessError unless the modules are of the same sources as in the earlier stages: guests load the present build."""
        before, now = self.results.context.get("dsbench_revision"), report.header.get("revision")
        if before and not trees.same_sources(before, now):
            raise HarnessError(f"the modules were built anew meanwhile, {now} after {before}: what was finished before is kept")

    def _check(self, topology: datapath.Topology) -> None:
        """Report absent devices. HarnessError if there are none, but the datapath was asked for."""
        for kind, reason in topology.absent.items():
            ui.warn(f"{kind} is absent: {reason}")
        if not topology.present and self._devices_required:
            raise HarnessError("the datapath cannot be timed: " + next(iter(topology.absent.values()), "no devices"))

    def close(self, latest: str | None) -> None:
        """Report what is missing, and make `latest` a link to the file."""
        for warning in self.results.context["warnings"]:
            ui.warn(warning)
        if not self.results.cells:
            ui.warn("no size was finished: there is no result file")
            return
        if self.results.disturbed_share > results.NOTABLE_SHARE:
            share = f"{self.results.disturbed_share:.1%}"
            ui.warn(f"{share} of the tries were disturbed: by interrupts, in long ones, or by others on the same core")
        if not self.complete:
            missing = len({*self._awaited} - {DATAPATH})
            finished = f"{self._sizes - missing} of {self._sizes} sizes"
            finished += " and not the datapath" if DATAPATH in self._awaited else ""
            ui.warn(f"the sweep is incomplete: {finished} are kept in {self.path}, marked complete=false")
        if latest:
            results.point_latest(self.path, latest)


def _follow(progress: ui.Progress, plan: Plan, before: int, stage: str, done: int, total: int) -> None:
    """Show the progress when the run of a stage has made `done` tries, and earlier guests had `before` tries."""
    place, words = _place(plan, plan.tries or 0, stage, done, total)
    progress.update(before + place, words)


def _place(plan: Plan, tries: int, stage: str, done: int, total: int) -> tuple[int, str]:
    """Return the progress of a guest, in tries and in words."""
    share = done / total if total else 0.0
    if stage == DATAPATH and plan.datapath:
        before, cells, words = len(plan.sizes) * plan.cells_of_size, plan.datapath.cells, DATAPATH
    else:
        before, cells, words = plan.sizes.index(int(stage)) * plan.cells_of_size, plan.cells_of_size, f"n={stage}"
    return round((before + share * cells) * tries), words


def devices(stage: StageResult) -> dict[str, Any]:
    """Return the context of the datapath's devices."""
    assert stage.topology
    return {
        "devices": list(stage.topology.present),
        "absent_devices": stage.topology.absent,
        "payloads": sorted({cell.n for cell in stage.cells}),
    }


def report_context(report: Report) -> dict[str, Any]:
    """Return the facts that the kernel reported about itself and the run."""
    return {**_facts(report), **_settings(report)}


def _facts(report: Report) -> dict[str, Any]:
    """Return the facts that the kernel reported about itself and its clock."""
    header = report.header
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
    }


def _settings(report: Report) -> dict[str, Any]:
    """The parameters of a run."""
    settings = report.runs[-1].settings if report.runs else {}
    return {
        **{
            name: int(value) if value.isdigit() else value
            for name, value in settings.items()
            if name not in ("n", "state", "ms")
        },
        **_sharing(report),
    }


def _sharing(report: Report) -> dict[str, Any]:
    """Return the protection of each shared container, {} for one that cannot be shared; nothing if none was to be shared."""
    found = {}
    for line in report.header.all("sharing"):
        container, *words = line.split()
        pairs = dict(word.split("=", 1) for word in words if "=" in word)
        found[container] = {name: pairs[name] for name in ("readers", "writer") if name in pairs}
    return {"sharing": found} if found else {}


def last_words(ended: targets.GuestResult) -> str:
    """Return one sentence on why the script inside the target failed."""
    lines = [line for line in ended.stderr.decode(errors="replace").splitlines() if line.strip()]
    said = f": {lines[-1].strip()}" if lines else ""
    console = f" (the console is in {ended.console})" if ended.console else ""
    return f"the sweep ended with status {ended.status} before all of it was done{said}{console}"
