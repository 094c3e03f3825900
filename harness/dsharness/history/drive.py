# SPDX-License-Identifier: GPL-2.0
"""Runs dsbench sweep: on one kernel, or on each kernel of a series, whose neighbours are compared."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from .. import paths, ui
from ..compare import comparison, likeness, verdict
from ..compare import table as comparetable
from ..compare.comparison import Comparisons, Sweep
from ..console import console
from ..errors import HarnessError
from ..explain import sweeping
from ..kernel.own import OwnKernel, Spec
from ..plot.picture import render_all
from ..results import results
from ..results.table import figure
from ..sweep import drive as sweeper
from ..sweep.plan import Plan
from . import picture
from .picture import Step

KINDS = ("kernel", "config", "boot", "compiler")
"""Kinds of likeness.KINDS in which two kernels may differ."""
FORMATS = ("svg", "png")
LOG_COLUMNS = 130
ARROWS = {verdict.Word.SLOWER: "↑", verdict.Word.FASTER: "↓", verdict.Word.NO_CHANGE: "", verdict.Word.INCONCLUSIVE: "?"}
"""Marks of a cell's verdict against the kernel before it."""


def run(plan: Plan) -> int:
    """Sweep the kernel of the plan, or each kernel of its series. Return the exit status: 1 if a kernel of a series was left out."""
    if not plan.series:
        return sweeping.run(plan)
    document = plan.output or results.new_path("history", None)
    steps, left_out = _sweeps(plan, document)
    if len(steps) < 2:
        raise HarnessError(f"{len(steps)} of {len(plan.series)} kernels could be measured: a history takes two of them")
    found = [_compared(one, other) for one, other in zip(steps, steps[1:])]
    _show(steps, found)
    results.write_document(comparison.document(found), document)
    ui.say(f"results: {', '.join(str(paths.short(step.sweep.path)) for step in steps)}; verdicts: {paths.short(document)}")
    paths.make_folder(paths.PLOTS, "plots")
    for drawn in render_all([picture.picture(steps, found)], paths.PLOTS, FORMATS):
        ui.say(f"picture: {paths.short(drawn)}")
    return 1 if left_out else 0


def _sweeps(plan: Plan, document: Path) -> tuple[list[Step], list[str]]:
    """Return the results of each kernel, in order, and the kernels that cannot be measured, which are warned of."""
    steps: list[Step] = []
    left_out: list[str] = []
    for number, kernel in enumerate(plan.series, start=1):
        label = kernel.label if isinstance(kernel, OwnKernel) else kernel
        ui.say(f"kernel {number} of {len(plan.series)}: {kernel}")
        path = document.with_name(f"{document.stem}-{number}-{_plain(label)}.json")
        try:
            swept = Sweep(*sweeper.sweep(dataclasses.replace(plan, kernel=kernel, series=(), output=path)))
            steps.append(Step(_label(kernel, label, str(swept.results.context.get("kernel"))), swept))
        except HarnessError as error:
            ui.warn(f"{label} is left out: {error}")
            left_out.append(label)
    return steps, left_out


def _plain(label: str) -> str:
    """Return a label as a part of a file's name."""
    return re.sub(r"[^\w.+-]+", "-", label)


def _label(kernel: Spec, label: str, release: str) -> str:
    """Return a name of the kernel for tables and pictures: short, and with its version."""
    if isinstance(kernel, OwnKernel):
        return label
    version = re.match(r"\d+\.\d+", release)
    return f"{label} ({version[0]})" if version and not label.startswith(version[0]) else label[:15]


def _compared(one: Step, other: Step) -> Comparisons:
    return comparison.compare(one.sweep, other.sweep, across=[kind for kind in likeness.KINDS if kind in KINDS])


def _show(steps: Sequence[Step], found: Sequence[Comparisons]) -> None:
    """Print the median of each cell on each kernel, with the verdict against the kernel before it."""
    first = steps[0].sweep.results
    table = Table("cell")
    for step in steps:
        table.add_column(step.label, justify="right")
    verdicts = [{cell.name: cell for cell in one.cells} for one in found]
    for name in dict.fromkeys(cell.name for one in found for cell in one.cells):
        row = []
        for place in range(len(steps)):
            before = verdicts[place - 1].get(name) if place else None
            after = verdicts[place].get(name) if place < len(verdicts) else None
            median = before.after if before else after.before if after else None
            word = before.word if before else verdict.Word.NO_CHANGE
            mark = f"{ARROWS[word]} " if ARROWS[word] else ""
            row.append(Text(f"{mark}{figure(median)}" if median is not None else "-", comparetable.STYLES[word] if before else ""))
        table.add_row(name, *row)
    print(f"{first.unit_words} per element or packet, {first.label}; ↑ slower than the kernel before it, ↓ faster, ? inconclusive")
    console(LOG_COLUMNS).print(table)
    for one, other, pair in zip(steps, steps[1:], found):
        counts = ", ".join(f"{count} {word.value}" for word, count in pair.counts.items() if count)
        print(f"{one.label} to {other.label}: {counts}")
    print(comparetable.rule(found[0].rule, in_turns=False))
