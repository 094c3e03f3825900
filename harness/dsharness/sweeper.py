# SPDX-License-Identifier: GPL-2.0
"""Drives one sweep: boots the target, follows the runs, keeps every size that is finished."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import environment, paths, results, targets, ui
from .errors import HarnessError
from .results import Results
from .sweep import Plan
from .sweepstream import SizeResult, SweepStream

SCRIPT = paths.HARNESS / "guest" / "sweep.sh"

# Under icount the counts repeat, and each ms of warm-up is a million instructions to emulate.
TRIES = 100
TRIES_ICOUNT = 20
WARMUP_ICOUNT_MS = 5


def sweep(plan: Plan, output: Path | None = None) -> tuple[Path, Results]:
    """Run `plan`; the result file and what is in it.

    Without `output` the file gets a name of its own, and latest.json points to it. Whatever ends the sweep early, the
    sizes that were finished are in the file, marked incomplete.
    """
    results.check_room(output or results.new_path(plan.target, None), _samples(plan, plan.tries or TRIES))
    target = targets.get(plan.target, plan.kernel, plan.accel)
    icount = target.accel == "icount"
    tries = plan.tries or (TRIES_ICOUNT if icount else TRIES)
    warmup = WARMUP_ICOUNT_MS if icount and plan.warmup is None else plan.warmup
    settings = [f"tries={tries}", *plan.settings, *([] if warmup is None else [f"warmup={warmup}"])]
    by_hand = [f"dsbench_{name}" for name in plan.containers] if target.name == "host" else []
    argv = ["sh", SCRIPT.name, " ".join(map(str, plan.sizes)), " ".join(by_hand), *settings]

    path = output or results.new_path(target.name, target.accel)
    collector = Collector(plan, path, target)
    where = f"sweeping in {results.label(target.name, target.accel)}, kernel {target.kernel.release}"
    with ui.Progress(where, _samples(plan, tries), "tries") as progress:

        def follow(n: int, done: int, total: int) -> None:
            progress.update(*_place(plan, tries, n, done, total))

        stream = SweepStream(follow, collector.add)
        try:
            ended = target.run(argv, files=[SCRIPT], timeout=plan.timeout, on_stdout=stream.feed)
            if stream.failure:
                raise stream.failure
            if ended.status or not collector.complete:
                raise HarnessError(_last_words(ended))
        finally:
            collector.close(point_latest=output is None)
    return path, collector.results


class Collector:
    """The sizes that are finished, on the disk after each one."""

    def __init__(self, plan: Plan, path: Path, target: targets.Target) -> None:
        self._plan = plan
        self._path = path
        self.results = Results({**_context(target), "n": []}, [])

    @property
    def complete(self) -> bool:
        """Whether every size is there."""
        return self._done() == len(self._plan.sizes)

    def add(self, size: SizeResult) -> None:
        """Keep one more size; it counts once it is on the disk. HarnessError when that is full."""
        before = self.results.context
        cells = [*self.results.cells, *size.cells]
        context = {
            **_told(size),
            **before,
            "warnings": list(dict.fromkeys([*before["warnings"], *size.report.warnings])),
            "n": [*before["n"], size.n],
            "cells": [cell.name for cell in cells],
            "complete": self._done() + 1 == len(self._plan.sizes),
        }
        grown = Results(context, cells)
        results.write(grown, self._path)
        self.results = grown

    def close(self, point_latest: bool) -> None:
        """Say what there is, when it is not everything, and point latest.json to it."""
        for warning in self.results.context["warnings"]:
            ui.warn(warning)
        if not self._done():
            ui.warn("no size was finished: there is no result file")
            return
        if self.results.disturbed_share > results.NOTABLE_SHARE:
            share = f"{self.results.disturbed_share:.1%}"
            ui.warn(f"interrupts fell into {share} of the tries: long tries, or a busy machine")
        if not self.complete:
            finished = f"{self._done()} of {len(self._plan.sizes)} sizes"
            ui.warn(f"the sweep is incomplete: {finished} are kept in {self._path}, marked complete=false")
        if point_latest:
            results.point_latest(self._path)

    def _done(self) -> int:
        return len(self.results.context["n"])


def _samples(plan: Plan, tries: int) -> int:
    """How many tries the sweep counts in all."""
    return len(plan.sizes) * len(plan.containers) * len(plan.ops) * tries


def _place(plan: Plan, tries: int, n: int, done: int, total: int) -> tuple[int, str]:
    """How far the sweep is when the run of `n` has done so much, in tries and in words."""
    each = _samples(plan, tries) // len(plan.sizes)
    share = done / total if total else 0.0
    return round((plan.sizes.index(n) + share) * each), f"n={n}"


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


def _told(size: SizeResult) -> dict[str, Any]:
    """What the kernel said about itself and the run."""
    header = size.report.header
    settings = size.report.runs[-1].settings if size.report.runs else {}
    return {
        "dsbench": header.get("dsbench"),
        "dsbench_revision": header.get("revision"),
        "kernel_version": header.get("kernel"),
        "machine": header.get("machine"),
        "config": header.get("config").split(),
        "compiler": header.get("compiler"),
        "clock": header.get("clock"),
        "unit": size.report.unit,
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
    return f"the sweep ended with status {ended.status} before all sizes were done{said}{console}"
