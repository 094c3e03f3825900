# SPDX-License-Identifier: GPL-2.0
"""The picture of a curve: the cost of one element over n, a panel an operation, with caches and complexities."""

from __future__ import annotations

import math

from . import caches, curvefits
from .curvefits import Series
from .complexity import Complexity
from .picture import Axis, Aside, Panel, Picture, Vertical, n_axis, scale
from .results import Results
from .sweep import OPS
from .views import footnotes, notes, points

PANEL_HEIGHT = 320


def picture(curve: Results) -> Picture:
    """The curve as a picture; it has cells of elements."""
    found = curvefits.fits(curve.context, curve.cells)
    axis = _axis(curve.sizes)
    panels = [_panel(curve, op, axis, found) for op in OPS if op in curve.ops]
    marks = [Vertical(float(cache.elements), cache.name) for cache in caches.of(curve.context)]
    marks = [mark for mark in marks if axis.low < mark.x < axis.high]
    filled = [f"Dashed: n elements of {caches.ELEMENT_BYTES} B, without what containers add, fill a cache."] if marks else []
    return Picture(
        name="curve",
        title=f"What one element costs from n = {curve.sizes[0]:,} to {curve.sizes[-1]:,}: {curve.unit} per element",
        columns=1,
        containers=curve.containers,
        panels=panels,
        notes=[*notes(curve), curvefits.explained(curve.context), *filled],
        footnotes=footnotes(curve, panels),
        panel_height=PANEL_HEIGHT,
        verticals=marks,
    )


def _panel(curve: Results, op: str, axis: Axis, found: dict[Series, Complexity]) -> Panel:
    """One operation; beside it the classes, in the order of the lines' right ends."""
    lines = points(curve, op)
    panel = Panel(op, f"{curve.unit} per element", lines, axis)
    scale([panel], log_ratio=1.0)
    ended = sorted((name for name, line in lines.items() if line), key=lambda name: -lines[name][-1].median)
    panel.asides = [Aside(name, f"{name}: {_words(found[name, op])}") for name in ended if (name, op) in found]
    return panel


def _words(fitted: Complexity) -> str:
    return f"{fitted.word}, {fitted.fits[0].rms:.0%}" if fitted.known else "not fitted"


def _axis(sizes: list[int]) -> Axis:
    """The axis of n with a tick at each power of ten, where there is more than one."""
    axis = n_axis(sizes)
    if not axis.log:
        return axis
    powers = [10**power for power in range(math.ceil(math.log10(axis.low)), math.floor(math.log10(axis.high)) + 1)]
    if len(powers) < 2:
        return axis
    return Axis(axis.label, axis.low, axis.high, [(f"{n:,}", float(n)) for n in powers], log=True, over_n=True)
