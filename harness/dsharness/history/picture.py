# SPDX-License-Identifier: GPL-2.0
"""The picture of a history: the cost of an element or packet over kernels, a panel for each operation, a line for each container.

Costs are in percent of the first kernel's: those of containers differ a hundredfold, and a change by a tenth would not be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..compare import likeness
from ..compare.comparison import Comparisons, Sweep
from ..compare.verdict import Word
from ..plot.picture import Axis, Panel, Picture, Point
from ..results import datapath, floors, results
from ..results.samples import DATAPATH_OPS, Cell

LISTED = 6
"""Maximum number of changes between two kernels to name below the picture."""
WHOLE = 100.0
"""The first kernel's cost, in percent."""
LEAST_MARGIN = 1.0
"""Distance of the lines from the ends of the axis, in percent of the first kernel's cost, at least."""
PANEL_HEIGHT = 300
BESIDE = 2
"""Number of panels side by side."""


@dataclass(frozen=True)
class Step:
    """One kernel of a series, and its results."""

    label: str
    sweep: Sweep


def picture(steps: Sequence[Step], found: Sequence[Comparisons]) -> Picture:
    """Return the picture. Each container has the largest of its sizes that the first kernel has."""
    cells = _largest(steps[0])
    series = list(dict.fromkeys(cell.container for cell in cells))
    ops = list(dict.fromkeys(cell.op for cell in cells))
    axis = Axis("kernel", -0.3, len(steps) - 0.7, [(step.label, float(place)) for place, step in enumerate(steps)])
    unit = steps[0].sweep.results.unit_words
    panels = []
    for op in ops:
        lines = {name: _line(steps, next((cell.name for cell in cells if (cell.container, cell.op) == (name, op)), "")) for name in series}
        panels.append(_scaled(Panel(op, f"% of {steps[0].label}", lines, axis)))
    context = steps[0].sweep.results.context
    return Picture(
        name="history",
        title=f"Cost over kernel versions: {unit} per element or packet, {_sizes(cells)}, {steps[0].label} = 100 %",
        columns=min(BESIDE, len(panels)),
        containers=series,
        panels=panels,
        notes=[
            f"target {steps[0].sweep.results.label}, {context.get('cpu_model', 'unknown CPU')}, {context['date'][:16].replace('T', ' ')},"
            f" dsbench revision {context.get('git_revision') or 'unknown'}{' with changes' if context.get('git_dirty') else ''}",
            "Medians, bars p10 to p90. A change is named below if the comparison of neighbours says slower or faster.",
            *_compilers(steps),
        ],
        footnotes=[line for one, other, pair in zip(steps, steps[1:], found) for line in _changes(one, other, pair)],
        panel_height=PANEL_HEIGHT,
    )


def _largest(step: Step) -> list[Cell]:
    """Return the cell with the most elements of each container and operation, and that of each device with packets of usual size.

    Floors, cells that readers share and bursts of packets are left out.
    """
    best: dict[tuple[str, str], Cell] = {}
    for cell in step.sweep.results.cells:
        key = cell.container, cell.op
        if cell.container != floors.FLOOR and not cell.threads and not cell.burst and (key not in best or _rank(cell) > _rank(best[key])):
            best[key] = cell
    return list(best.values())


def _rank(cell: Cell) -> tuple[bool, int]:
    return cell.op in DATAPATH_OPS and cell.n == datapath.USUAL_PAYLOAD, cell.n


def _line(steps: Sequence[Step], name: str) -> list[Point]:
    """Return the costs of a cell in percent of its cost on the first kernel that has it."""
    points: list[Point] = []
    whole = 0.0
    for place, step in enumerate(steps):
        if cell := next((cell for cell in step.sweep.results.cells if cell.name == name), None):
            summary = results.per_work(cell)
            whole = whole or summary.median
            if whole > 0:
                points.append(Point(float(place), *(WHOLE * value / whole for value in (summary.median, summary.p10, summary.p90))))
    return points


def _scaled(panel: Panel) -> Panel:
    """Give a panel an axis of its own that its points fill: changes are small beside the whole."""
    values = [value for line in panel.series.values() for point in line for value in (point.median, point.low, point.high)] or [WHOLE]
    margin = max(LEAST_MARGIN, (max(values) - min(values)) / 10)
    panel.low, panel.high = min(values) - margin, max(values) + margin
    return panel


def _compilers(steps: Sequence[Step]) -> list[str]:
    """Name the compilers if they differ, since part of a change may be theirs."""
    found: dict[str, list[str]] = {}
    for step in steps:
        found.setdefault(likeness.compiler(step.sweep.results), []).append(step.label)
    named = "; ".join(f"{', '.join(labels)}: {compiler}" for compiler, labels in found.items())
    return [f"Compilers differ, and part of a change may be theirs: {named}."] if len(found) > 1 else []


def _sizes(cells: Sequence[Cell]) -> str:
    sizes = sorted({cell.n for cell in cells})
    return f"n = {sizes[0]}" if len(sizes) == 1 else f"n = {sizes[0]} to {sizes[-1]}"


def _changes(one: Step, other: Step, pair: Comparisons) -> list[str]:
    """Name the cells that changed most between two kernels."""
    moved = [cell for cell in pair.cells if cell.word in (Word.SLOWER, Word.FASTER) and not cell.name.startswith(f"{floors.FLOOR}/")]
    if not moved:
        return [f"{one.label} to {other.label}: nothing slower or faster."]
    moved.sort(key=lambda cell: -abs(cell.ratio - 1))
    named = ", ".join(f"{cell.name} {cell.ratio - 1:+.1%}" for cell in moved[:LISTED])
    more = f" and {len(moved) - LISTED} more" if len(moved) > LISTED else ""
    return [f"{one.label} to {other.label}: {named}{more}."]
