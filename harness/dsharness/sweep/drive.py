# SPDX-License-Identifier: GPL-2.0
"""Runs a sweep: boots the target, follows the runs, keeps every stage that is finished."""

from __future__ import annotations

import dataclasses
import functools
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .. import paths, signals, targets, texts, ui
from ..errors import HarnessError
from ..kernel import ownbuild, tools, trees
from ..plot import figures
from ..results import bootparameters, datapath, environment, results, samples, table
from ..results.results import Results
from ..results.samples import Report, merged
from ..targets import qemucmd
from . import otherprocesses
from .plan import DEFAULT_TRIES, PRECISION_SCALE, DatapathPlan, Plan
from .stream import DATAPATH, StageResult, SweepStream, runs_of

SCRIPT = paths.HARNESS / "guest" / "sweep.sh"
PARTS = (paths.HARNESS / "guest" / "stage.sh", paths.HARNESS / "guest" / "packets.sh")
"""Shell functions of the scripts that print stages. A script needs them beside it."""

TRIES = DEFAULT_TRIES
# Under icount the counts repeat, and a ms of warm-up is a million instructions to emulate.
TRIES_ICOUNT = 20
WARMUP_ICOUNT_MS = 5

LATER_WARMUP_MS = 100
"""Warm-up of every run in a guest but the first. A guest is slow in the first second after its boot only. A run makes at
least one uncounted try of each cell in any case."""

GUESTS, LEAST_TRIES = 4, 10
"""Number of guests among which the tries of uml are divided where it counts cycles, and the fewest tries in a guest: the
pages have other colours in each guest, and another process that comes and goes meets all sizes alike."""

SETTINGS_OF_A_GUEST = ("tries", "precision")
"""Parameters of a run that are those of one guest. The context has those of the sweep."""


def show(plan: Plan, path: Path, swept: Results) -> None:
    """Show the medians of a sweep, draw the pictures if the plan says so, name the files."""
    table.show_medians(swept)
    ui.say(f"results: {paths.short(path)} and {path.with_suffix('.csv').name}")
    if not plan.pictures:
        ui.say(f"next: harness/dsbench plot {paths.short(path)}    draws them into plots/")
        return
    with ui.step("drawing them"):
        drawn = figures.draw(swept, plan.pictures)
    for picture in drawn:
        ui.say(f"picture: {paths.short(picture)}")


def sweep(plan: Plan) -> tuple[Path, Results]:
    """Run `plan`. Return the result file and its content.

    Without an output the file gets a new name, and latest.json points to it. If the sweep ends early, the file has the
    finished stages, sizes first, then the datapath, and is marked incomplete.
    """
    results.check_room(plan.output, plan.cells * (plan.tries or TRIES))
    target = targets.get(
        plan.target, plan.kernel, plan.accel, network=plan.datapath is not None, peers=plan.peers, cpus=plan.cpus, guest=plan.guest
    )
    target.cpu = plan.cpu
    tries = plan.tries or (TRIES_ICOUNT if target.accel == "icount" else TRIES)
    path = plan.output or results.new_path(target.name, target.accel)
    shares = _shares(tries, target)
    of_sweep = {"tries": tries, "precision": plan.precision, "guests": len(shares), **_of_guest(target)}
    recorder = SweepRecorder(
        path,
        Results({**initial_results(target).context, **of_sweep}, []),
        stages(plan) * len(shares),
        devices_required=bool(plan.datapath and plan.datapath.required),
    )
    where = f"sweeping in {results.label(target.name, target.accel)}, kernel {target.kernel.release}"

    def take(stage: StageResult) -> None:
        recorder.add(stage, target.warnings)

    with ui.Progress(where, plan.cells * tries, "tries") as progress:
        try:
            for number, share in enumerate(shares):
                part = dataclasses.replace(plan, tries=share, precision=_guest_precision(plan.precision, len(shares)))
                follow = functools.partial(_follow, progress, part, plan.cells * sum(shares[:number]))
                run_guest(part, target, take, follow)
        finally:
            recorder.close(results.LATEST if plan.output is None else None)
    return path, recorder.results


def _of_guest(target: targets.Target) -> dict[str, Any]:
    """Return the context's entries about the user's choices of a guest."""
    if target.name == "host":
        return {}
    return {"guest_memory_mib": target.memory_mib, "guest_parameters": list(target.parameters)}


def _shares(tries: int, target: targets.Target) -> list[int]:
    """Return the number of tries in each guest."""
    guests = max(1, min(GUESTS, tries // LEAST_TRIES)) if target.name == "uml" else 1
    return [tries // guests + (number < tries % guests) for number in range(guests)]


def _guest_precision(precision: int, guests: int) -> int:
    """Return the precision of one guest: the interval of a median over k guests is narrower by the square root of k."""
    return min(PRECISION_SCALE, round(precision * math.sqrt(guests)))


def run_guest(
    plan: Plan,
    target: targets.Target,
    take: Callable[[StageResult], None],
    follow: Callable[[str, int, int], None],
) -> None:
    """Run all stages of a plan in one guest. The plan has its number of tries.

    `take` gets each stage that is finished and may refuse it by a HarnessError. `follow` gets the stage, its tries done
    and its tries in all. HarnessError if any stage was not finished.
    """
    target.prepare_run()
    argv, files = _script(plan, target)
    stream = SweepStream(follow, take, runs_of(stages(plan)))
    target.cpu = otherprocesses.idlest_cpu() if plan.cpu is None and target.name == "uml" else plan.cpu
    ended = target.run(argv, files=files, timeout=plan.timeout, on_stdout=stream.feed)
    if stream.failure:
        raise stream.failure
    if ended.status:
        raise HarnessError(last_words(ended))


def stages(plan: Plan) -> list[str]:
    """Return the stages of a guest in their order."""
    return [*map(str, plan.sizes), *([DATAPATH] if plan.datapath else [])]


def initial_results(target: targets.Target) -> Results:
    """Return results without a cell: their context has the facts that are known before the first stage."""
    facts = {**environment.facts(), **_cores(target)}
    context = {
        "schema_version": results.SCHEMA_VERSION,
        "complete": False,
        "target": target.name,
        "accel": target.accel,
        "kernel": target.kernel.release,
        **({results.KERNEL_TREE: ownbuild.as_json(target.kernel.facts)} if target.kernel.facts else {}),
        "arch": target.kernel.arch,
        **({"emulator": qemucmd.version()} if target.name == "qemu" else {}),
        **facts,
        # A guest of uml is a process of this machine: its own kernel has no mitigations.
        **({"mitigations": environment.mitigations()} if target.name == "uml" else {}),
        "warnings": [*target.warnings, *environment.warnings(facts, target.accel)],
        "absent_ops": [],
        "n": [],
    }
    return Results(context, [])


def _cores(target: targets.Target) -> dict[str, Any]:
    """Return the context's entry about the cores that may count cycles. The host's report names its CPU."""
    if target.name == "host":
        return {}
    cpus = otherprocesses.guest_cpus() if target.name == "uml" else os.sched_getaffinity(0)
    return {"core_types": environment.core_types(cpus if target.cpu is None else [target.cpu])}


def _script(plan: Plan, target: targets.Target) -> tuple[list[str], list[Path]]:
    """Return the command that runs in the target, and the files that it needs beside it."""
    first, later = _warmups(plan, target)
    settings = [f"tries={plan.tries}", *([f"precision={plan.precision}"] if plan.precision else [])]
    modules = [f"dsbench_{name}" for name in plan.containers] if target.name == "host" or target.kernel.rust else []
    argv = ["sh", SCRIPT.name, " ".join(map(str, plan.sizes)), " ".join(modules)]
    argv += [" ".join([*settings, *plan.settings]), " ".join(first), " ".join(later)]
    if not plan.datapath:
        return [*argv, "", "", ""], [SCRIPT, *PARTS]
    argv += [" ".join(plan.datapath.devices), " ".join([*settings, *plan.datapath.settings]), tunnel_settings(plan.datapath)]
    return argv, [SCRIPT, *PARTS, *datapath_files()]


def _warmups(plan: Plan, target: targets.Target) -> tuple[list[str], list[str]]:
    """Return the parameter for the warm-up of a guest's first run, and that of the runs after it."""
    if plan.warmup is not None:
        return ([f"warmup={plan.warmup}"],) * 2
    if target.accel == "icount":
        return ([f"warmup={WARMUP_ICOUNT_MS}"],) * 2
    return [], [f"warmup={LATER_WARMUP_MS}"]


def tunnel_settings(plan: DatapathPlan) -> str:
    """Return the parameters of dsbench_tunnel."""
    bursts = ",".join(map(str, plan.bursts)) or datapath.NO_BURSTS
    return f"payloads={','.join(map(str, plan.payloads))} packets={datapath.PACKETS} burst={bursts}" + "".join(f" {word}" for word in plan.packets)


def datapath_files() -> list[Path]:
    """Return the files that set up the devices. A script with a datapath needs them beside PARTS."""
    return [datapath.SCRIPT, tools.udptunctl()]


class SweepRecorder:
    """Collects the finished stages, and writes the result file after each one."""

    def __init__(
        self, path: Path, initial: Results, awaited: Sequence[str], *, devices_required: bool = False
    ) -> None:
        """`initial` has the facts and cells so far. `awaited` names the stages to come; a name may repeat.

        `devices_required`: fail if the datapath has no devices.
        """
        self.path = path
        self._awaited = list(awaited)
        self._sizes = len({*map(str, initial.context["n"]), *awaited} - {DATAPATH})
        self._devices_required = devices_required
        self.results = initial

    @property
    def complete(self) -> bool:
        """True once every stage is finished."""
        return not self._awaited

    def add(self, stage: StageResult, machine: Sequence[str] = ()) -> None:
        """Add a finished stage and the machine's warnings. The stage counts once it is on the disk.

        HarnessError if the disk is full, or if the stage is from another build of the modules.
        """
        if stage.stage not in self._awaited or (stage.stage == DATAPATH) != bool(stage.topology):
            raise HarnessError(f"the guest's output is damaged: it has the stage {texts.quoted(stage.stage)} again or in another form")
        if stage.report:
            self._check_build(stage.report)
        if stage.topology and "absent_devices" not in self.results.context:
            self._check_devices(stage.topology)
        before = self.results.context
        awaited = list(self._awaited)
        awaited.remove(stage.stage)
        cells = merged(self.results.cells, stage.cells)
        warnings = stage.report.warnings if stage.report else []
        not_loaded = {**before.get("not_loaded", {}), **(stage.report.not_loaded if stage.report else {})}
        absent = stage.report.absent if stage.report else []
        context = {
            **(_facts(stage.report) if stage.report else {}),
            **(_host_core(stage.report) if stage.report and before["target"] == "host" else {}),
            **self._common_settings(stage),
            **(devices(stage) if stage.topology else {"n": sorted({*before["n"], int(stage.stage)})}),
            "absent_ops": list(dict.fromkeys([*before.get("absent_ops", []), *absent])),
            results.CORE_RATE: [*before.get(results.CORE_RATE, []), *(stage.report.core_rates if stage.report else [])],
            results.BELOW_RESOLUTION: sorted({*before.get(results.BELOW_RESOLUTION, []), *(stage.report.unresolved if stage.report else [])}),
            **({"not_loaded": not_loaded} if not_loaded else {}),
            "warnings": list(dict.fromkeys([*before["warnings"], *machine, *warnings])),
            "cells": [cell.name for cell in cells],
            "complete": not awaited,
        }
        grown = Results(context, cells)
        with signals.delayed():
            results.write(grown, self.path)
            self.results = grown
            self._awaited = awaited

    def _common_settings(self, stage: StageResult) -> dict[str, Any]:
        """Return the context so far, with those parameters alone that all sizes share."""
        settings = _settings(stage.report) if stage.report else {}
        before = self.results.context
        if not self.results.cells:
            return {**settings, **before}
        if stage.topology:
            return before
        settings.pop("warmup", None)  # the context has that of the first run
        if "guests" in before:
            for name in SETTINGS_OF_A_GUEST:
                settings.pop(name, None)
        return {name: value for name, value in before.items() if settings.get(name, value) == value}

    def _check_build(self, report: Report) -> None:
        """HarnessError if the modules of this stage and of those before are from other sources: guests load the current build."""
        before, now = self.results.context.get("dsbench_revision"), report.header.get("revision")
        if before and not trees.same_sources(before, now):
            raise HarnessError(f"the modules were rebuilt during the sweep, {now} after {before}: the stages before are kept")

    def _check_devices(self, topology: datapath.Topology) -> None:
        """Warn of each absent device. HarnessError if there are none and the user asked for the datapath."""
        for kind, reason in topology.absent.items():
            ui.warn(f"{kind} is absent: {reason}")
        if not topology.present and self._devices_required:
            raise HarnessError("the datapath cannot be timed: " + next(iter(topology.absent.values()), "no devices"))

    def close(self, latest: str | None) -> None:
        """Print the warnings, and which stages are missing; make `latest` a link to the file."""
        for warning in self.results.context["warnings"]:
            ui.warn(warning)
        for container, reason in self.results.context.get("not_loaded", {}).items():
            ui.warn(f"{container} is missing, since its module could not be loaded: {reason}")
        if not self.results.cells:
            found = f"{self.path} is as it was" if self.path.exists() else "there is no result file"
            ui.warn(f"no size was finished: {found}")
            return
        if self.results.disturbed_share > results.NOTABLE_SHARE:
            share = f"{self.results.disturbed_share:.1%}"
            ui.warn(f"{share} of the tries were disturbed: by interrupts, in long tries, or by other processes on the same core")
        if not self.complete:
            ui.warn(f"the sweep is incomplete: {self._kept()}, marked complete=false")
        if latest:
            results.point_latest(self.path, latest)

    def _kept(self) -> str:
        """Return what the file has: a stage counts there once one of its guests has finished it."""
        kept = [str(n) for n in self.results.context["n"]]
        found = f"{len(kept)} of {self._sizes} sizes"
        if DATAPATH in self._awaited:
            found += " and the datapath" if "devices" in self.results.context else " and not the datapath"
        guests = self.results.context.get("guests", 1)
        stages = [*((n, f"n={n}") for n in kept), (DATAPATH, "the datapath")]
        parts = [f"{name} by {guests - left} of {guests}" for stage, name in stages if 0 < (left := self._awaited.count(stage)) < guests]
        return f"{found} are kept in {self.path}" + (f" ({', '.join(parts)} guests)" if parts else "")


def _follow(progress: ui.Progress, plan: Plan, before: int, stage: str, done: int, total: int) -> None:
    """Show the progress of a stage. The guests before made `before` tries."""
    place, words = _place(plan, plan.tries or 0, stage, done, total)
    progress.update(before + place, words)


def _place(plan: Plan, tries: int, stage: str, done: int, total: int) -> tuple[int, str]:
    """Return the progress of a guest: the number of tries, and the stage."""
    share = done / total if total else 0.0
    if stage == DATAPATH and plan.datapath:
        before, cells, words = len(plan.sizes) * plan.cells_of_size, plan.datapath.cells, DATAPATH
    else:
        before, cells, words = plan.sizes.index(int(stage)) * plan.cells_of_size, plan.cells_of_size, f"n={stage}"
    return round((before + share * cells) * tries), words


def devices(stage: StageResult) -> dict[str, Any]:
    """Return the context's entries about the datapath's devices."""
    assert stage.topology
    return {
        "devices": list(stage.topology.present),
        "absent_devices": stage.topology.absent,
        "payloads": sorted({cell.n for cell in stage.cells}),
        "bursts": sorted({cell.burst for cell in stage.cells if cell.burst}),
        **({"device_options": stage.topology.options} if stage.topology.options else {}),
        **datapath.packet_settings(stage.report.header.all("packets") if stage.report else ()),
    }


def report_context(report: Report) -> dict[str, Any]:
    """Return the context's entries from /proc/dsbench: the kernel, the clock, and the parameters of the run."""
    return {
        **_facts(report),
        **_settings(report),
        results.CORE_RATE: report.core_rates,
        results.BELOW_RESOLUTION: report.unresolved,
    }


def _host_core(report: Report) -> dict[str, Any]:
    """Return the context's entry about the core that the host's thread was bound to."""
    cpu = report.runs[-1].settings.get("cpu", "") if report.runs else ""
    return {"core_types": environment.core_types([int(cpu)])} if cpu.isdigit() else {}


def _facts(report: Report) -> dict[str, Any]:
    """Return the facts about the kernel and its clock."""
    header = report.header
    return {
        "dsbench": header.get("dsbench"),
        "dsbench_revision": header.get("revision"),
        "kernel_version": header.get("kernel"),
        "machine": header.get("machine"),
        "config": header.get("config").split(),
        **({"boot_parameters": bootparameters.recorded(header.get("cmdline"))} if header.all("cmdline") else {}),
        **({"mitigations": environment.affecting(header.all("mitigation"))} if header.all("mitigation") else {}),
        "compiler": header.get("compiler"),
        "clock": header.get("clock"),
        "unit": report.unit,
        "clock_khz": header.number("clock_khz", lowest=1),
        "clock_overhead": header.number("clock_overhead"),
        "clock_cost": header.all("clock_cost")[-1:],
        "stolen_time": header.get("stolen_time"),
    }


def _settings(report: Report) -> dict[str, Any]:
    """Return the parameters of a run."""
    settings = report.runs[-1].settings if report.runs else {}
    return {
        **{
            name: int(value) if samples.NUMBER.fullmatch(value) else value
            for name, value in settings.items()
            if name not in ("n", "state", "ms")
        },
        **_sharing(report),
    }


def _sharing(report: Report) -> dict[str, Any]:
    """Return the locks of each container that readers share; {} for a container that cannot be shared. Empty without readers."""
    found = {}
    for line in report.header.all("sharing"):
        container, *words = line.split()
        pairs = dict(word.split("=", 1) for word in words if "=" in word)
        found[container] = {name: pairs[name] for name in ("readers", "writer") if name in pairs}
    return {"sharing": found} if found else {}


def last_words(ended: targets.GuestResult) -> str:
    """Return one sentence with the reason why the script in the target failed."""
    lines = [line for line in ended.stderr.decode(errors="replace").splitlines() if line.strip()]
    said = f": {lines[-1].strip()}" if lines else ""
    console = f" (the console is in {ended.console})" if ended.console else ""
    return f"the sweep ended with status {ended.status} before all of it was done{said}{console}"
