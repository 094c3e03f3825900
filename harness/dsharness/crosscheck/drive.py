# SPDX-License-Identifier: GPL-2.0
"""Runs a cross-check: builds the kernel's tests, boots one guest for them and for our modules, shows the outcome."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from .. import paths, targets, ui
from ..console import console
from ..errors import HarnessError
from ..kernel.own import Spec
from ..kernel import trees
from ..results import results
from ..results.samples import Report as CoreReport
from ..results.samples import unit_words
from ..sweep.marked import MarkedSections, damaged
from ..sweep.stream import StageResult, SweepStream
from . import checks, kerneltests
from .checks import Check, Facts, Verdict
from .kerneltests import LOADS, NAMES
from .plan import CrosscheckPlan

SCRIPT = paths.HARNESS / "guest" / "crosscheck.sh"
STAGES = paths.HARNESS / "guest" / "stage.sh"
SEEDS = (1, 2, 3, 4, 5)
"""Seeds of our trees; theirs have one of their own."""
TRIES = 3
LOOKUPS = 500
CONTAINERS = ("rbtree", "list", "rhashtable")
TIMEOUT_SECONDS = 900.0
WIDTH = 118


@dataclass(frozen=True)
class Report:
    """What came of a cross-check."""

    context: dict[str, Any]
    checks: Sequence[Check]

    @property
    def failed(self) -> bool:
        """Whether a bound is broken, or could not be checked."""
        return any(
            check.verdict is Verdict.BROKEN or check.verdict is Verdict.ABSENT and check.bound is not None
            for check in self.checks
        )


class KernelStream(MarkedSections):
    """Collects the output of the kernel's tests and of the clock, a list of lines each time."""

    def __init__(self, progress: ui.Progress) -> None:
        super().__init__("@kernel", self._mark)
        self._progress = progress
        self.said: dict[str, list[list[str]]] = {}

    def _mark(self, words: list[str], since: list[str]) -> None:
        if words[:1] not in (["begin"], ["end"]) or len(words) != 2:
            raise damaged(words)
        if words[0] == "end":
            self.said.setdefault(words[1], []).append(since)
            self._progress.advance(words[1])


@dataclass(frozen=True)
class Said:
    """Output of the guest."""

    stages: Sequence[StageResult]
    """Our runs, one a seed."""
    kernel: Mapping[str, list[list[str]]]
    """Test, or "clock" -> the lines of each time."""


def run(plan: CrosscheckPlan) -> int:
    """Check, show the table, keep it in results/. Return 1 when a bound is broken or could not be checked, else 0."""
    report = crosscheck(plan.target, plan.kernel, plan.accel, plan.n)
    show(report)
    path = keep(report)
    ui.say(f"results: {paths.short(path)}")
    return int(report.failed)


def crosscheck(target_name: str, kernel: Spec | None, accel: str | None, n: int) -> Report:
    """Perform all checks with `n` elements. HarnessError if that is impossible. A test that cannot be obtained is left out."""
    target = targets.get(target_name, kernel, accel)
    tests = kerneltests.make(target.kernel)
    for name, reason in tests.absent.items():
        ui.warn(f"{name} is absent: {reason}")
    said = _run(target, tests, n)
    report = said.stages[-1].report
    assert report  # A stage that is a run has a report.
    facts = _facts(n, said, report, target.build.ko_dir, tests)
    return Report(_context(target, report, tests, facts), checks.all_of(facts))


def _run(target: targets.Target, tests: kerneltests.Tests, n: int) -> Said:
    """Boot the guest once for all checks."""
    commands = [" ".join([name, *kerneltests.arguments(name, n)]) for name in tests.modules]
    argv = ["sh", SCRIPT.name, str(LOADS), " ".join(map(str, SEEDS)), " ".join(_settings(n)), *commands]
    stages: list[StageResult] = []
    where = f"cross-checking in {results.label(target.name, target.accel)}, kernel {target.kernel.release}"
    with ui.Progress(where, len(commands) * LOADS + len(SEEDS) + 1, "runs") as progress:

        def finished(stage: StageResult) -> None:
            stages.append(stage)
            progress.advance(f"ours, seed {stage.stage}")

        kernel_says = KernelStream(progress)
        we_say = SweepStream(lambda stage, done, total: None, finished, _runs())

        def feed(chunk: bytes) -> None:
            kernel_says.feed(chunk)
            we_say.feed(chunk)

        files = [SCRIPT, STAGES, *tests.modules.values()]
        ended = target.run(argv, files=files, timeout=TIMEOUT_SECONDS, on_stdout=feed)
    if failure := we_say.failure or kernel_says.failure:
        raise failure
    if ended.status or len(stages) != len(SEEDS) or "clock" not in kernel_says.said:
        raise HarnessError(f"the cross-check ended with status {ended.status} before all of it was done: see {ended.console}")
    return Said(stages, kernel_says.said)


def _runs() -> dict[str, str]:
    """Return the stages of ours, with their names."""
    return {**{str(seed): f"the run of seed {seed}" for seed in SEEDS}, "clock": "the clock"}


def _settings(n: int) -> list[str]:
    """Return the core's parameters. The order of erasure is that of the kernel's tests."""
    containers = [name for name in CONTAINERS if name in trees.working().containers]
    return [
        f"n={n}", f"tries={TRIES}", "warmup=0", f"lookups={LOOKUPS}", "erase_order=insertion",
        f"containers={','.join(containers)}",
    ]  # fmt: skip


def _context(target: targets.Target, report: CoreReport, tests: kerneltests.Tests, facts: Facts) -> dict[str, Any]:
    return {
        "target": target.name,
        "accel": target.accel,
        "kernel": target.kernel.release,
        "compiler": report.header.get("compiler"),
        "revision": report.header.get("revision"),
        "tests": tests.source,
        "unit": facts.unit,
        "clock_khz": facts.khz,
        "n": facts.n,
        "seeds": list(SEEDS),
        "tries": TRIES,
        "loads": LOADS,
        "ours": dict(facts.ours),
    }


def _facts(n: int, said: Said, report: CoreReport, ko_dir: Path, tests: kerneltests.Tests) -> Facts:
    ours: dict[str, list[float]] = {}
    for stage in said.stages:
        for cell in stage.cells:
            ours.setdefault(f"{cell.container}/{cell.op}", []).append(statistics.median(cell.counts) / cell.elements)
    return Facts(
        n=n,
        unit=report.unit,
        khz=report.header.number("clock_khz"),
        logs={name: _log(name, said.kernel.get(name, []), tests) for name in NAMES},
        ours=ours,
        clock=moments(said.kernel["clock"][0]),
        ko_dir=ko_dir,
        tests=tests.modules,
    )


def _log(name: str, logs: list[list[str]], tests: kerneltests.Tests) -> dict[str, kerneltests.Found] | HarnessError:
    if name in tests.absent:
        return HarnessError(f"{name} is absent: {tests.absent[name]}")
    try:
        return kerneltests.parse(name, logs)
    except HarnessError as error:
        return error


def moments(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Return the moments of debugfs' clock, ns and ticks. HarnessError if it is damaged."""
    try:
        found = [(int(ns), int(ticks)) for ns, ticks in (line.split(",") for line in lines[1:])]
    except ValueError as error:
        raise HarnessError(f"the clock's moments are damaged: {error}") from error
    rises = all(before[0] < after[0] and before[1] < after[1] for before, after in zip(found, found[1:]))
    if len(found) != 3 or not rises:
        raise HarnessError(f"the clock's moments are damaged: {len(found)} of 3, or not one after the other")
    return found


def show(report: Report) -> None:
    """Print the table and the notes on standard output."""
    context = report.context
    label = results.label(context["target"], context["accel"])
    print(
        f"{unit_words(context['unit'])} an element at n={context['n']}, {label}, kernel {context['kernel']}, their tests of {context['tests']}"
    )
    table = Table()
    table.add_column("check")
    for column in ("theirs", "ours", "difference", "bound"):
        table.add_column(column, justify="right")
    table.add_column("verdict")
    for number, check in enumerate(report.checks, start=1):
        table.add_row(
            f"{number} {check.name}", _figure(check.theirs), _figure(check.ours), _with_unit(check, check.difference, "+.2f"),
            _with_unit(check, check.bound, "g"), check.verdict.value,
        )  # fmt: skip
    console(WIDTH).print(table)
    notes: dict[str, list[str]] = {}
    for number, check in enumerate(report.checks, start=1):
        notes.setdefault(check.note, []).append(str(number))
    for note, numbers in notes.items():
        print(f"{', '.join(numbers)}: {note}")


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}" if value < 1e5 else f"{value:,.0f}"


def _with_unit(check: Check, value: float | None, style: str) -> str:
    if value is None or not check.measure:
        return "-"
    return f"{round(value, 2) + 0.0:{style}} {check.measure.value}"  # No -0.00.


def keep(report: Report) -> Path:
    """Write the report into results/. Return the file."""
    path = results.new_path(f"crosscheck-{report.context['target']}", report.context["accel"])
    results.write_document({**report.context, "checks": [check.as_json() for check in report.checks]}, path)
    return path
