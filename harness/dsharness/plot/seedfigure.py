# SPDX-License-Identifier: GPL-2.0
"""The picture of the seed tables: the report's totals above ours at the same n."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..results.results import SEED_TABLES, Results
from ..results.samples import TSC
from ..seedtables import report as seedreport
from ..statistics import stats
from . import views
from .picture import Panel, Picture, Point, n_axis, scale

Totals = Mapping[str, Mapping[int, float]]
"""Counts of a whole try, by container and n."""


def picture(sweep: Results) -> Picture | None:
    """Return the report's totals above ours at the same n; None if the sweep lacks its sizes, operations or containers."""
    tables = seedreport.tables()
    ops = [op for op in tables if op in sweep.ops]
    sizes = [n for n in sweep.sizes if n in seedreport.sizes()]
    containers = list(dict.fromkeys(name for rows in tables.values() for name in rows))
    if not ops or not sizes or not set(containers) & set(sweep.containers):
        return None
    cycles = sweep.unit == TSC
    axis = n_axis(sizes)
    theirs = [Panel(f"the report: {op}", "cycles of a try", _lines(tables[op], sizes), axis) for op in ops]
    label = f"{sweep.unit_words} of a try"
    ours = [Panel(f"this run ({sweep.label}): {op}", label, _ours(sweep, op, containers, sizes), axis) for op in ops]
    for above, below in zip(theirs, ours):
        for group in ([above, below],) if cycles else ([above], [below]):
            scale(group, log_ratio=1.0)
    units = "both in cycles, on equal axes" if cycles else "the report in cycles, this run in INSTRUCTIONS"
    return Picture(
        name="seed-report",
        title=f"{seedreport.NAME}, and this run",
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
        found = "; ".join(f"{' and '.join(reading.containers)}: {reading.find}" for reading in seedreport.READINGS)
        return [f"The report does not say what its find looked up. This run, as its numbers tell: {found}."]
    return ["This run's find looks up n keys, which the report's did not for all: make seed-tables follows it."]


def _ours(sweep: Results, op: str, containers: Sequence[str], sizes: Sequence[int]) -> dict[str, list[Point]]:
    lines: dict[str, list[Point]] = {container: [] for container in containers}
    for cell in sorted(sweep.cells, key=lambda cell: cell.n):
        if cell.op == op and cell.n in sizes and cell.container in lines:
            whole = stats.summarise(cell.counts)
            lines[cell.container].append(Point(cell.n, whole.median, whole.p10, whole.p90))
    return lines


def _lines(rows: Totals, sizes: Sequence[int]) -> dict[str, list[Point]]:
    return {name: [Point(n, row[n], row[n], row[n]) for n in sizes if n in row] for name, row in rows.items()}
