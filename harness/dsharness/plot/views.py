# SPDX-License-Identifier: GPL-2.0
"""Parts of pictures that come from a sweep: the points of its lines, and the text that every picture must have."""

from __future__ import annotations

from collections.abc import Sequence

from ..results import datapath, floors, results
from ..results.results import Results
from ..results.samples import ELEMENT, PACKET
from ..statistics import stats
from .picture import Panel, Point


def points(sweep: Results, op: str) -> dict[str, list[Point]]:
    """Return the points of one operation by container, smallest n first."""
    lines: dict[str, list[Point]] = {container: [] for container in sweep.containers}
    for cell in sorted(sweep.cells, key=lambda cell: cell.n):
        if cell.op == op:
            summary = results.per_work(cell)
            lines[cell.container].append(Point(cell.n, summary.median, summary.p10, summary.p90))
    return lines


def burst_points(sweep: Results, op: str, octets: int) -> dict[str, list[Point]]:
    """Return the points of one operation and payload by device over the burst, smallest first."""
    lines: dict[str, list[Point]] = {device: [] for device in sweep.containers}
    for cell in sorted(sweep.cells, key=lambda cell: cell.burst):
        if (cell.op, cell.n) == (op, octets):
            summary = results.per_work(cell)
            lines[cell.container].append(Point(cell.burst, summary.median, summary.p10, summary.p90))
    return lines


def peers_points(sweep: Results, op: str) -> dict[str, list[Point]]:
    """Return the points of one operation by device over the number of tunnels, smallest first."""
    lines: dict[str, list[Point]] = {device: [] for device in sweep.containers}
    for cell in sorted(sweep.cells, key=lambda cell: cell.peers):
        if cell.op == op:
            summary = results.per_work(cell)
            lines[cell.container].append(Point(cell.peers, summary.median, summary.p10, summary.p90))
    return lines


def readers_points(sweep: Results, op: str) -> tuple[dict[str, list[Point]], dict[str, list[Point]]]:
    """Return the points of one operation on shared containers over the number of readers: cost of one reader, elements per µs of all."""
    cost: dict[str, list[Point]] = {container: [] for container in sweep.containers}
    rate: dict[str, list[Point]] = {container: [] for container in sweep.containers}
    for cell in sorted(sweep.cells, key=lambda cell: cell.threads):
        if cell.op == op:
            summary = results.per_work(cell)
            rates = stats.summarise(results.throughput(sweep, cell) / 1e6)
            cost[cell.container].append(Point(cell.threads, summary.median, summary.p10, summary.p90))
            rate[cell.container].append(Point(cell.threads, rates.median, rates.p10, rates.p90))
    return cost, rate


def floor_lines(sweep: Results) -> dict[str, list[Point]]:
    """Return the points of the core's floors by operation, smallest n first."""
    return {op: points(sweep.floors, op)[floors.FLOOR] for op in sweep.floors.ops}


def add_floors(panel: Panel, sweep: Results, op: str) -> None:
    """Add the sweep's floors below the lines of one operation."""
    panel.floors = floor_lines(sweep)
    panel.floor = floors.op_of(op, sweep.order) or ""


def floor_key(sweep: Results) -> str:
    """Return the meaning of the floors for the key; "" if the sweep has none."""
    return f"floor: {floors.words(sweep.part(ELEMENT).ops, sweep.order)}" if sweep.floors.cells else ""


def notes(sweep: Results, bars: str = "p10 to p90") -> list[str]:
    """Return the origin of the numbers, which every picture shows. `bars` says what its bars are."""
    context = sweep.context
    tries = sorted({len(cell.counts) for cell in sweep.cells})
    how = [f"median of {tries[0] if len(tries) == 1 else f'{tries[0]} to {tries[-1]}'} tries, bars {bars}"]
    how += [f"{name} {context[name]}" for name in ("order", "alloc", "seed", "lookups", "misses") if context.get(name)]
    how += [f"{name} {context[name]}" for name in datapath.PACKET_SETTINGS if name in context and any(cell.work == PACKET for cell in sweep.cells)]
    how += ["erased by insertion"] if context.get("erase_order") == "insertion" else []
    revision = context.get("git_revision") or context.get("dsbench_revision") or "unknown"
    changed = " with changes" if context.get("git_dirty") else ""
    return [
        f"target {sweep.label}, kernel {context['kernel']}, counted in {sweep.unit_words} by {context.get('clock', 'rdtsc')}",
        ", ".join(how),
        f"{context.get('cpu_model', 'unknown CPU')}, {context['date'][:16].replace('T', ' ')}, "
        f"dsbench {context.get('dsbench', '')} revision {revision}{changed}",
    ]


def footnotes(sweep: Results, panels: Sequence[Panel], of: str = "") -> list[str]:
    """Return the notes that a reader must not miss: an incomplete sweep, points that the axes cannot show, the kernel's warnings.

    `of` names what the tries are of, in a picture of several sweeps.
    """
    said = []
    if not sweep.context["complete"]:
        said.append("INCOMPLETE: this sweep was ended before all of it was done.")
    hidden = [
        f"{container}{f'/{panel.title}' if panel.title else ''}"
        for panel in panels
        if panel.log
        for container, line in panel.series.items()
        if any(point.median <= 0 for point in line)
    ]
    if hidden:
        said.append(f"Below the clock's resolution at some n, not drawn there: {', '.join(hidden)}.")
    drawn = {name for panel in panels for name in panel.series}
    lacking = [
        f"{container} has no {' and no '.join(ops)}" for container, ops in sweep.absent_ops.items() if container in drawn
    ]
    if lacking:
        said.append(f"Absent: {', '.join(lacking)}.")
    if sweep.disturbed_share > results.NOTABLE_SHARE:
        said.append(f"{sweep.disturbed_share:.1%} of the tries{f' of {of}' if of else ''} were disturbed.")
    return said + [f"Warning: {warning}" for warning in sweep.context["warnings"]]
