# SPDX-License-Identifier: GPL-2.0
"""The picture of the comparison with Rust: a panel for each operation, with the ratios to C of each container and size."""

from __future__ import annotations

from collections.abc import Sequence

from ..compare import picture as comparepicture
from ..compare.verdict import Rule
from ..plot.picture import LOG_RATIO, Axis, Panel, Picture, Point, scale
from ..plot.views import notes
from ..results.results import Results
from ..results.samples import CONTAINER_OPS
from .judge import Row
from .plan import TARGET

NAME = "rust"
SAME, OWNED, CLANG = SERIES = ("Rust / C", "Rust / C with the same API (owned)", "C by clang / C by gcc")
STYLES = {SAME: 2, OWNED: 1, CLANG: 5}
HEADROOM = 0.08


def picture(rows: Sequence[Row], swept: Results, by: Rule) -> Picture:
    """Return the picture of rows that have a ratio."""
    panels = [_panel(op, [row for row in rows if row.op == op]) for op in CONTAINER_OPS if any(row.op == op for row in rows)]
    for panel in panels:
        # An axis each: erase by key takes hundreds of times as much, and would hide the other ratios.
        scale([panel], LOG_RATIO / 2, HEADROOM)
        panel.low = panel.low if panel.log else min(panel.low, 1.0) or 0.0
    longest = max(len(name) for panel in panels for name, _ in panel.axis.ticks)
    height = comparepicture.LETTER_HEIGHT * longest
    return Picture(
        name=file_name(NAME, swept),
        title=f"Containers in Rust beside those in C: ratio of {swept.unit_words} per element, below 1 Rust takes fewer",
        columns=1,
        containers=list(SERIES),
        panels=panels,
        notes=[f"Band: {by.tolerance}, no change within it.", *notes(swept, comparepicture.BARS)],
        panel_height=round(200 + height),
        styles=STYLES,
        script="ratios.gp",
        facts={"band_low": by.band.low, "band_high": by.band.high, "names_height": height + 14},
    )


def file_name(name: str, swept: Results) -> str:
    """Return the name of a picture: that of another target than the default has the target behind it."""
    target = str(swept.context["target"])
    return name if target == TARGET else f"{name}-{target}"


def _panel(op: str, rows: Sequence[Row]) -> Panel:
    places = {key: float(place) for place, key in enumerate(dict.fromkeys((row.rust, row.n) for row in rows))}
    series: dict[str, list[Point]] = {name: [] for name in SERIES}
    for row in rows:
        at, found = places[row.rust, row.n], row.found
        series[OWNED if row.of_language else SAME].append(Point(at, found.ratio, found.low, found.high))
        if row.clang is not None and found.before > 0:
            share = row.clang / found.before
            series[CLANG].append(Point(at, share, share, share))
    ticks = [(f"{rust.removeprefix('rust_')} {n}", at) for (rust, n), at in places.items()]
    return Panel(op, "ratio", series, Axis("cell", -0.7, max(len(places), comparepicture.LEAST_CELLS) - 0.3, ticks))
