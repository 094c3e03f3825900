# SPDX-License-Identifier: GPL-2.0
"""The report's tables beside ours: for the terminal, and as a picture."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from ..plot import views
from ..plot.picture import Panel, Picture, Point, n_axis, scale
from ..results.results import SEED_TABLES, Results
from ..results.table import figure
from ..statistics import stats
from . import report

LOG_WIDTH = 120
Totals = Mapping[str, Mapping[int, float]]
"""Counts of a whole try, by container and n."""


def show(ours: Results) -> None:
    """Tables 1 to 3 in the report's shape, theirs above ours, and how ours were measured."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=LOG_WIDTH)
    for number, (op, theirs) in enumerate(report.tables().items(), start=1):
        console.print(_table(f"Table {number}: {op}", theirs, totals(ours, op), ours), sep="\n")
    for line in (
        f"The report: {report.NAME}: cycles, C module, Fedora VM. Ours: medians, {ours.unit}, {ours.label}, kernel "
        f"{ours.context['kernel']}, {ours.context['cpu_model']}. Two machines: compare the shapes, not the heights.",
        *method(),
    ):
        print("\n".join(textwrap.wrap(line, LOG_WIDTH)))


def method() -> list[str]:
    """How ours were measured and why so, a sentence a reading."""
    return [
        f"{' and '.join(reading.containers)}: find looks up {reading.find}, {reading.options[1]} allocation; {reading.why}."
        for reading in report.READINGS
    ]


def totals(ours: Results, op: str) -> dict[str, dict[int, float]]:
    """The medians of whole tries of one operation."""
    found: dict[str, dict[int, float]] = {}
    for cell in ours.cells:
        if cell.op == op:
            found.setdefault(cell.container, {})[cell.n] = stats.summarise(cell.cycles).median
    return found


def _table(title: str, theirs: Totals, ours: Totals, sweep: Results) -> Table:
    sizes = report.sizes()
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("total of a try")
    table.add_column("container")
    for n in sizes:
        table.add_column(f"n={n}", justify="right")
    table.add_column(f"÷ list at n={sizes[-1]}", justify="right")
    for whose, rows in (("the report, cycles", theirs), (f"ours, {sweep.unit}", ours)):
        for place, container in enumerate(theirs):
            row = rows.get(container, {})
            cells = [_total(row[n]) if n in row else "-" for n in sizes]
            table.add_row("" if place else whose, container, *cells, _ratio(rows, container, sizes[-1]))
        table.add_section()
    return table


def _total(value: float) -> str:
    return f"{value:,.0f}" if value > 0 else figure(value)


def _ratio(rows: Totals, container: str, n: int) -> str:
    """A container's total over the list's."""
    mine, base = rows.get(container, {}).get(n, 0), rows.get("list", {}).get(n, 0)
    return f"{mine / base:.3g}" if mine > 0 and base > 0 else "-"


def picture(sweep: Results) -> Picture | None:
    """The report's totals above ours at the same n; None when the sweep has none of its sizes, operations, containers."""
    tables = report.tables()
    ops = [op for op in tables if op in sweep.ops]
    sizes = [n for n in sweep.sizes if n in report.sizes()]
    containers = list(dict.fromkeys(name for rows in tables.values() for name in rows))
    if not ops or not sizes or not set(containers) & set(sweep.containers):
        return None
    cycles = sweep.unit == "cycles"
    axis = n_axis(sizes)
    theirs = [Panel(f"the report: {op}", "cycles of a try", _lines(tables[op], sizes), axis) for op in ops]
    label = f"{sweep.unit} of a try"
    ours = [Panel(f"this run ({sweep.label}): {op}", label, _ours(sweep, op, containers, sizes), axis) for op in ops]
    for above, below in zip(theirs, ours):
        for group in ([above, below],) if cycles else ([above], [below]):
            scale(group, log_ratio=1.0)
    units = "both in cycles, on equal axes" if cycles else "the report in cycles, this run in INSTRUCTIONS"
    return Picture(
        name="seed-report",
        title=f"{report.NAME}, and this run",
        columns=len(ops),
        containers=containers,
        panels=[*theirs, *ours],
        notes=[
            f"Two machines, {units}: compare the shapes, not the heights. Totals of a try, as in the report's Tables 1 to 3 "
            "(C module, Fedora VM, rdtsc).",
            *_how(sweep),
            *views.notes(sweep),
        ],
        footnotes=views.footnotes(sweep, ours),
    )


def _how(sweep: Results) -> list[str]:
    """What this run's find was."""
    if sweep.context.get(SEED_TABLES):
        found = "; ".join(f"{' and '.join(reading.containers)}: {reading.find}" for reading in report.READINGS)
        return [f"The report does not say what its find looked up. This run, as its numbers tell: {found}."]
    return ["This run's find looks up n keys, which the report's did not for all: make seed-tables follows it."]


def _ours(sweep: Results, op: str, containers: Sequence[str], sizes: Sequence[int]) -> dict[str, list[Point]]:
    lines: dict[str, list[Point]] = {container: [] for container in containers}
    for cell in sorted(sweep.cells, key=lambda cell: cell.n):
        if cell.op == op and cell.n in sizes and cell.container in lines:
            whole = stats.summarise(cell.cycles)
            lines[cell.container].append(Point(cell.n, whole.median, whole.p10, whole.p90))
    return lines


def _lines(rows: Totals, sizes: Sequence[int]) -> dict[str, list[Point]]:
    return {name: [Point(n, row[n], row[n], row[n]) for n in sizes if n in row] for name, row in rows.items()}
