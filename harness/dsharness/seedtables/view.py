# SPDX-License-Identifier: GPL-2.0
"""Prints the report's tables beside ours."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

from rich.table import Table

from ..console import console
from ..results.results import Results
from ..results.table import figure
from ..statistics import stats
from . import report

LOG_WIDTH = 120
Totals = Mapping[str, Mapping[int, float]]
"""Counts of a whole try, by container and n."""


def show(ours: Results) -> None:
    """Print Tables 1 to 3 in the report's layout, its figures above ours, and how ours were measured."""
    out = console(LOG_WIDTH)
    for number, (op, theirs) in enumerate(report.tables().items(), start=1):
        out.print(_table(f"Table {number}: {op}", theirs, totals(ours, op), ours), sep="\n")
    for line in (
        f"The report: {report.NAME}: cycles, C module, Fedora VM. Ours: medians, {ours.unit_words}, {ours.label}, kernel "
        f"{ours.context['kernel']}, {ours.context['cpu_model']}. Two machines: compare the shapes, not the heights.",
        *method(),
    ):
        print("\n".join(textwrap.wrap(line, LOG_WIDTH)))


def method() -> list[str]:
    """Return how ours were measured and why, a sentence for each reading."""
    return [
        f"{' and '.join(reading.containers)}: find looks up {reading.find}, {reading.options[1]} allocation; {reading.why}."
        for reading in report.READINGS
    ]


def totals(ours: Results, op: str) -> dict[str, dict[int, float]]:
    """Return the medians of whole tries of one operation."""
    found: dict[str, dict[int, float]] = {}
    for cell in ours.cells:
        if cell.op == op:
            found.setdefault(cell.container, {})[cell.n] = stats.summarise(cell.counts).median
    return found


def _table(title: str, theirs: Totals, ours: Totals, sweep: Results) -> Table:
    sizes = report.sizes()
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("total of a try")
    table.add_column("container")
    for n in sizes:
        table.add_column(f"n={n}", justify="right")
    table.add_column(f"÷ list at n={sizes[-1]}", justify="right")
    for whose, rows in (("the report, cycles", theirs), (f"ours, {sweep.unit_words}", ours)):
        for place, container in enumerate(theirs):
            row = rows.get(container, {})
            cells = [_total(row[n]) if n in row else "-" for n in sizes]
            table.add_row("" if place else whose, container, *cells, _ratio(rows, container, sizes[-1]))
        table.add_section()
    return table


def _total(value: float) -> str:
    return f"{value:,.0f}" if value > 0 else figure(value)


def _ratio(rows: Totals, container: str, n: int) -> str:
    """Return a container's total divided by the list's."""
    mine, base = rows.get(container, {}).get(n, 0), rows.get("list", {}).get(n, 0)
    return f"{mine / base:.3g}" if mine > 0 and base > 0 else "-"
