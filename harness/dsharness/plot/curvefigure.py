# SPDX-License-Identifier: GPL-2.0
"""The picture of a curve: the cost of one element over n, a panel for each operation, with caches and complexities."""

from __future__ import annotations

import math

from ..results import caches
from ..results import fits as curvefits
from ..results.fits import Series
from ..results.results import Results
from ..results.samples import CONTAINER_OPS, ELEMENT
from ..statistics.complexity import Complexity
from .picture import Aside, Axis, Panel, Picture, Vertical, n_axis, scale
from .views import add_floors, floor_key, footnotes, notes, points

PANEL_HEIGHT = 320


def picture(curve: Results) -> Picture:
    """Return the picture of a curve that has cells of elements."""
    part = curve.part(ELEMENT)
    found = curvefits.fits(curve.context, curve.cells)
    axis = _axis(part.sizes)
    panels = [_panel(curve, op, axis, found) for op in CONTAINER_OPS if op in part.ops]
    marks = [Vertical(float(cache.elements), cache.name) for cache in caches.of(curve.context)]
    marks = [mark for mark in marks if axis.low < mark.x < axis.high]
    filled = [f"Dotted: n elements of {caches.ELEMENT_BYTES} B, without what containers add, fill a cache."] if marks else []
    return Picture(
        name="curve",
        title=f"What one element costs from n = {part.sizes[0]:,} to {part.sizes[-1]:,}: {curve.unit_words} per element",
        columns=1,
        containers=part.containers,
        panels=panels,
        notes=[*notes(part), curvefits.explained(curve.context, curve.cells), *filled],
        footnotes=footnotes(part, panels),
        panel_height=PANEL_HEIGHT,
        verticals=marks,
        mark=floor_key(curve),
    )


def _panel(curve: Results, op: str, axis: Axis, found: dict[Series, Complexity]) -> Panel:
    """Return the panel of one operation, with the classes beside it in the order of the lines' right ends."""
    lines = points(curve.part(ELEMENT), op)
    panel = Panel(op, f"{curve.unit_words} per element", lines, axis)
    add_floors(panel, curve, op)
    scale([panel], log_ratio=1.0)
    ended = sorted((name for name, line in lines.items() if line), key=lambda name: -lines[name][-1].median)
    panel.asides = [Aside(name, f"{name}: {_words(found[name, op])}") for name in ended]
    return panel


def _words(fitted: Complexity) -> str:
    return f"{fitted.word}, {fitted.fits[0].rest:.0%}" if fitted.known else "not fitted"


def _axis(sizes: list[int]) -> Axis:
    """Return the axis of n with a tick at each power of ten, if there are several."""
    axis = n_axis(sizes)
    if not axis.log:
        return axis
    powers = [10**power for power in range(math.ceil(math.log10(axis.low)), math.floor(math.log10(axis.high)) + 1)]
    if len(powers) < 2:
        return axis
    return Axis(axis.label, axis.low, axis.high, [(f"{n:,}", float(n)) for n in powers], log=True, over_n=True)
