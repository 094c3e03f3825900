# SPDX-License-Identifier: GPL-2.0
"""The picture of profiles: a bar for each cell, with its functions stacked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .. import paths
from ..plot.picture import Axis, Mark, Panel, Picture, Point, render_all
from .profile import Profile

NAME = "explain"
FORMATS = ("svg", "png")
MOST_FUNCTIONS = 12
"""Number of functions with a colour of their own; the rest share one."""
MOST_CELLS = 40
REST = "others"
LETTER_HEIGHT = 6.5
"""Height that one letter of a name adds below an axis, in pixels."""
GREYS = 13
"""Line type of the rest, a grey."""


def draw(profiles: Sequence[Profile], kernel: str, folder: Path) -> list[Path]:
    """Draw the picture as SVG and PNG into `folder`. Return the paths."""
    paths.make_folder(folder, "plots")
    return render_all([picture(profiles, kernel)], folder, FORMATS)


def picture(profiles: Sequence[Profile], kernel: str) -> Picture:
    """Return a panel for elements and one for packets, whose axes differ."""
    shown = profiles[:MOST_CELLS]
    functions = [*_dearest(shown), REST]
    groups = [[one for one in shown if one.cell.is_packet is packets] for packets in (False, True)]
    panels = [_panel(group, functions) for group in groups if group]
    longest = max(len(one.cell.name) for one in shown)
    used = {name for panel in panels for name, points in panel.series.items() if points}
    names = [name for name in functions if name in used]
    for panel in panels:
        panel.series = {name: panel.series[name] for name in names}
    return Picture(
        name=NAME,
        title="Instructions of an element, a lookup or a packet, by function",
        columns=1,
        containers=names,
        panels=panels,
        notes=[f"qemu-icount, kernel {kernel}. Inlined code counts for the function that contains it; the clock's own cost is included."],
        footnotes=[f"{len(profiles) - MOST_CELLS} more cells are not drawn."] if len(profiles) > MOST_CELLS else [],
        panel_height=round(330 + LETTER_HEIGHT * longest),
        styles={name: GREYS if name == REST else place for place, name in enumerate(names, start=1)},
        script="stacks.gp",
        facts={"names_height": LETTER_HEIGHT * longest + 14},
    )


def _dearest(profiles: Sequence[Profile]) -> list[str]:
    """Return the functions with the largest shares of all cells, the largest first."""
    shares: Counter[str] = Counter()
    for profile in profiles:
        for name, share in profile.functions.items():
            shares[name] += round(1e6 * share.instructions / profile.instructions)
    return [name for name, _ in shares.most_common(MOST_FUNCTIONS)]


def _panel(profiles: Sequence[Profile], functions: Sequence[str]) -> Panel:
    series: dict[str, list[Point]] = {name: [] for name in functions}
    for place, profile in enumerate(profiles):
        top = 0.0
        parts = {name: profile.each(share.instructions) for name, share in profile.functions.items()}
        rest = sum(value for name, value in parts.items() if name not in functions)
        for name in functions:
            value = rest if name == REST else parts.get(name, 0.0)
            if value:
                series[name].append(Point(place, top + value, top, top + value))
                top += value
    ticks = [(one.cell.name, float(place)) for place, one in enumerate(profiles)]
    axis = Axis("cell", -0.7, max(len(profiles), 6) - 0.3, ticks)
    highest = max(one.each(one.instructions) for one in profiles)
    title = "datapath" if profiles[0].cell.is_packet else "containers"
    label = f"instructions per {'packet' if profiles[0].cell.is_packet else 'element'}"
    marks = [Mark(place, place, one.each(one.instructions)) for place, one in enumerate(profiles)]
    return Panel(title, label, series, axis, marks, low=0.0, high=1.08 * highest)
