# SPDX-License-Identifier: GPL-2.0
"""The picture of the tunnel's comparison with Rust: a panel for each operation, with the ratio of overheads of each payload and burst."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..compare import picture as comparepicture
from ..compare.verdict import Rule, Word
from ..plot.picture import Axis, Panel, Picture, Point
from ..plot.views import notes
from ..results.results import Results
from ..results.samples import DATAPATH_OPS
from .packets import GOAL, Row
from .picture import file_name

NAME = "rust-tunnel"
HEADROOM = 0.15
PANEL_HEIGHT = 250


def picture(rows: Sequence[Row], swept: Results, by: Rule) -> Picture:
    """Return the picture of rows that have a ratio. All panels share their axis, which has 1."""
    ends = [by.band.low, by.band.high, *(end for row in rows for end in (row.found.low, row.found.high) if math.isfinite(end))]
    margin = HEADROOM * (max(ends) - min(ends))
    low, high = min(ends) - margin, max(ends) + margin
    panels = [_panel(op, [row for row in rows if row.op == op], low, high) for op in DATAPATH_OPS if any(row.op == op for row in rows)]
    height = comparepicture.LETTER_HEIGHT * max(len(name) for panel in panels for name, _ in panel.axis.ticks)
    return Picture(
        name=file_name(NAME, swept),
        title=f"What a packet costs above the bare link: udptun_rust / udptun, below 1 Rust adds fewer {swept.unit_words}",
        columns=len(panels),
        containers=[word.value for word in Word],
        panels=panels,
        notes=[f"Below each point: octets of payload, and packets between two softirqs. The goal is a ratio of at most {GOAL:.2f}. Band: {by.tolerance}, no change within it.", *notes(swept, comparepicture.BARS)],
        panel_height=round(PANEL_HEIGHT + height),
        styles={word.value: style for word, style in comparepicture.STYLES.items()},
        script="ratios.gp",
        facts={"band_low": by.band.low, "band_high": by.band.high, "names_height": height + 14},
    )


def _panel(op: str, rows: Sequence[Row], low: float, high: float) -> Panel:
    series: dict[str, list[Point]] = {word.value: [] for word in Word}
    for place, row in enumerate(rows):
        series[row.found.word.value].append(Point(float(place), row.found.ratio, row.found.low, row.found.high))
    names = [(f"{row.octets} × {row.burst}" if row.burst else f"{row.octets} GSO", float(place)) for place, row in enumerate(rows)]
    return Panel(op, "ratio", series, Axis("payload", -0.7, max(len(rows), comparepicture.LEAST_CELLS) - 0.3, names), low=low, high=high)
