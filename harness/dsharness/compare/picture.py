# SPDX-License-Identifier: GPL-2.0
"""The picture of a comparison: the ratio of each cell with its interval, coloured by the verdict, over the band of the threshold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from .. import paths
from ..plot.picture import Axis, Panel, Picture, Point, render
from ..results import floors
from ..results.samples import unit_words
from . import table
from .comparison import Comparisons
from .verdict import Comparison, Word

FORMATS = ("svg", "png")
MOST_CELLS = 40
"""Maximum number of cells in a panel that can still be read."""
NARROW = 16
"""Panels with at most this many cells go side by side."""
LEAST_CELLS = 8
"""A panel with fewer cells is not stretched to its full width."""
CLIP = 3.0
"""Ratios and interval ends beyond this are clipped: an axis that showed them would hide everything else."""
HEADROOM = 0.06
FLOORS = "floors"
"""Title of the panel that all floors share."""
STYLES = {Word.NO_CHANGE: 1, Word.FASTER: 3, Word.SLOWER: 2, Word.INCONCLUSIVE: 5}
"""Line type of each verdict."""
BARS = "95 % interval of the ratio of medians"
"""What the bars of ratios are."""
LETTER_HEIGHT = 6.5
"""Height that one letter of a name adds below an axis, in pixels."""


def draw(found: Comparisons, folder: Path, name: str) -> list[Path]:
    """Draw the picture as SVG and PNG into `folder`. Return the paths; none if no cell has a ratio."""
    if not found.resolved:
        return []
    paths.make_folder(folder, "plots")
    return [render(picture(found, name), folder, kind) for kind in FORMATS]


def picture(found: Comparisons, name: str) -> Picture:
    """Return a panel for each operation, or several if it has many cells, with a point for each cell."""
    low, high = _ends(found)
    panels = [_panel(title, cells, low, high) for title, cells in _groups(found.resolved)]
    longest = max(len(_short(cell)) for cell in found.resolved)
    band = found.rule.band
    return Picture(
        name=name,
        title=f"B / A, cost per element or packet: {', '.join(_counted(found))}",
        columns=2 if len(panels) > 1 and all(len(panel.axis.ticks) <= NARROW for panel in panels) else 1,
        containers=[word.value for word in Word],
        panels=panels,
        notes=_notes(found),
        footnotes=_footnotes(found),
        panel_height=round(230 + LETTER_HEIGHT * longest),
        styles={word.value: style for word, style in STYLES.items()},
        script="ratios.gp",
        facts={"band_low": band.low, "band_high": band.high, "names_height": LETTER_HEIGHT * longest + 14},
    )


def _groups(cells: Sequence[Comparison]) -> list[tuple[str, list[Comparison]]]:
    """Return the cells of each operation, grouped by container, split into parts of equal length if there are many."""
    by_op: dict[str, dict[str, list[Comparison]]] = {}
    for cell in cells:
        container, op = cell.name.split("/")[:2]
        group = (FLOORS, op) if container == floors.FLOOR else (op, container)
        by_op.setdefault(group[0], {}).setdefault(group[1], []).append(cell)
    groups = []
    for op, containers in by_op.items():
        some = [cell for those in containers.values() for cell in those]
        pieces = math.ceil(len(some) / MOST_CELLS)
        for piece in range(pieces):
            title = f"{op}, {piece + 1} of {pieces}" if pieces > 1 else op
            groups.append((title, some[len(some) * piece // pieces : len(some) * (piece + 1) // pieces]))
    return groups


def _panel(title: str, cells: Sequence[Comparison], low: float, high: float) -> Panel:
    series: dict[str, list[Point]] = {word.value: [] for word in Word}
    for place, cell in enumerate(cells):
        series[cell.word.value].append(Point(place, cell.ratio, max(cell.low, low), min(cell.high, high)))
    names = [(_short(cell), float(place)) for place, cell in enumerate(cells)]
    axis = Axis("cell", -0.7, max(len(cells), LEAST_CELLS) - 0.3, names)
    return Panel(title, "B / A", series, axis, low=low, high=high)


def _short(cell: Comparison) -> str:
    """Return the name of a cell without its operation, "rbtree 4000", or of a floor, "walk 4000"."""
    container, op, *rest = cell.name.split("/")
    return " ".join([op if container == floors.FLOOR else container, *rest])


def _ends(found: Comparisons) -> tuple[float, float]:
    """Return the limits of the value axis: all ratios, intervals and the band, within CLIP."""
    cells, band = found.resolved, found.rule.band
    lows = [max(cell.low, 1 / CLIP) for cell in cells]
    highs = [min(cell.high, CLIP) for cell in cells]
    low, high = min([band.low, *lows, *(cell.ratio for cell in cells)]), max([band.high, *highs])
    margin = HEADROOM * (high - low) or HEADROOM
    return low - margin, high + margin


def _counted(found: Comparisons) -> list[str]:
    return [f"{count} {word.value}" for word, count in found.counts.items() if count]


def _notes(found: Comparisons) -> list[str]:
    return [
        *(f"{side}: {_described(sweep.results.context)}" for side, sweep in (("A", found.before), ("B", found.after))),
        f"Bars: {BARS}. Band: {found.rule.tolerance}, no change within it. alpha "
        f"{found.rule.alpha:g}. Geometric mean of B / A {found.geometric_mean:.4f}. Above 1, B is slower.",
    ]


def _described(context: dict[str, object]) -> str:
    """Which sweep it was."""
    target = "-".join(str(context[key]) for key in ("target", "accel") if context.get(key))
    changed = " with changes" if context.get("git_dirty") else ""
    return (
        f"{target}, kernel {context['kernel']}, {unit_words(str(context['unit']))}, {context.get('cpu_model', 'unknown CPU')}, "
        f"{str(context['date'])[:16].replace('T', ' ')}, revision {context.get('git_revision') or 'unknown'}{changed}"
    )


def _footnotes(found: Comparisons) -> list[str]:
    """Return the notes that a reader must not miss."""
    said = [f"{sentence}." for sentence in table.incomplete(found)]
    said += [f"Compared although they differ in {difference}." for difference in found.differences]
    said += [f"Inconclusive, {count} {'cell' if count == 1 else 'cells'}: {reason}." for reason, count in found.reasons.items()]
    hidden = [cell.name for cell in found.cells if not math.isfinite(cell.ratio)]
    if hidden:
        said.append(f"Below the clock's resolution, not drawn: {', '.join(hidden)}.")
    lacking = len(found.only_before) + len(found.only_after)
    if lacking:
        said.append(f"{lacking} cells are in one sweep alone.")
    return said
