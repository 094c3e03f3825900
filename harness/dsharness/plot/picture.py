# SPDX-License-Identifier: GPL-2.0
"""A picture of panels with lines or bars, and its drawing by gnuplot: data files and facts for the scripts in plots/.

The scripts draw; this module decides on axes, ticks and the key. It knows nothing of results.
"""

from __future__ import annotations

import contextlib
import math
import subprocess
import tempfile
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import paths, proc
from ..errors import HarnessError
from ..results import table

NOTE_COLUMNS = 150
WIDTH, MARGINS = 1200, 112
"""Width of a picture, and of each panel the space beside its axes, in pixels. style.gp has the same numbers."""
LETTER_WIDTH = 0.72
"""Width of a bold letter as a share of its height, with the gap to the next name."""
KEY_LEFT, KEY_RIGHT, KEY_SAMPLE, KEY_LETTER = 32, 1180, 74, 9
"""The key in pixels: its left and right end, the width of a sample with its gaps, the width of a letter."""
LOG_RATIO = 8.0
"""An axis is logarithmic if its largest value is this multiple of the smallest."""
DODGE, DODGES = 0.006, 0.35
"""Distance of neighbouring lines in x, as a share of the axis, so that their error bars do not hide each other. All lines together
take at most this share of the distance from one n to the next.
"""
LEAST_TICK_GAP = 0.1
"""Minimum distance of ticks of n, as a share of the axis."""
NAME_HEIGHT = 0.04
"""Minimum distance of two names beside lines, as a share of the value axis."""
CLIPPED_AT = 0.9
"""A bar that exceeds the axis ends at this share of it."""


@dataclass(frozen=True)
class Point:
    """A median and its spread at x, per element or packet."""

    x: float
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Axis:
    """The horizontal axis of a panel."""

    label: str
    low: float
    high: float
    ticks: list[tuple[str, float]]
    log: bool = False
    over_n: bool = False

    def share(self, value: float) -> float:
        """Return the position of a value, from 0 at the low end to 1 at the high end."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def moved(self, value: float, shift: float) -> float:
        """Return the value that lies `shift` of the axis' length to the right."""
        if self.log:
            return value * math.pow(self.high / self.low, shift)
        return value + (self.high - self.low) * shift


@dataclass(frozen=True)
class Mark:
    """A level for comparison, from one x to another."""

    first: float
    last: float
    value: float


@dataclass(frozen=True)
class Vertical:
    """A named value of the horizontal axis."""

    x: float
    name: str


@dataclass(frozen=True)
class Aside:
    """Text on a series, beside its panel."""

    series: str
    text: str


@dataclass
class Panel:
    """One pair of axes: a series for each container or device, including series without points."""

    title: str
    value_label: str
    series: dict[str, list[Point]]
    axis: Axis
    marks: list[Mark] = field(default_factory=list)
    floors: dict[str, list[Point]] = field(default_factory=dict)
    """Thin lines below the series, with their names at the end."""
    floor: str = ""
    """The thin line that the series are measured against."""
    asides: list[Aside] = field(default_factory=list)
    """Texts from top to bottom; for lines only."""
    share: float | None = None
    """Share of the picture's width; None: the same as the others of its row."""
    terse: bool = False
    """Whether the figures above its bars are as short as possible."""
    log: bool = False
    low: float = 0.0
    high: float = 1.0


@dataclass
class Picture:
    """One picture: its panels in reading order, `columns` side by side."""

    name: str
    title: str
    columns: int
    containers: list[str]
    """All series, in the order of the key."""
    panels: list[Panel]
    notes: list[str] = field(default_factory=list)
    footnotes: list[str] = field(default_factory=list)
    verticals: list[Vertical] = field(default_factory=list)
    """Lines across every panel; for lines only."""
    bars: bool = False
    panel_height: int = 392
    styles: dict[str, int] = field(default_factory=dict)
    """Line types of series that do not use the number of their position."""
    uncompared: str = ""
    """The series that is drawn apart."""
    mark: str = ""
    """Meaning of the marks, for the key."""
    script: str = ""
    """Script in plots/ that draws it, if it is neither bars.gp nor lines.gp."""
    facts: dict[str, float] = field(default_factory=dict)
    """Further facts for that script."""


def scale(panels: Sequence[Panel], log_ratio: float = LOG_RATIO, headroom: float = 0.05) -> None:
    """Give panels a common value axis, logarithmic if the values need it. `headroom` is a share of its length."""
    points = [p for panel in panels for line in (*panel.series.values(), *panel.floors.values()) for p in line]
    levels = [mark.value for panel in panels for mark in panel.marks if mark.value > 0]
    above = [v for p in points for v in (p.median, p.low, p.high) if v > 0] + levels
    typical = [p.median for p in points if p.median > 0] + levels
    if typical and max(typical) / min(typical) > log_ratio:
        # A stray low end must not extend the axis: at most a factor below the smallest median.
        bottom, top = max(min(above), min(typical) / LOG_RATIO), max(above)
        margin = (top / bottom) ** headroom
        scale = (True, bottom / margin, top * margin)
    else:
        bottom, top = min([0.0, *(p.low for p in points)]), max([*above, 0.0])
        margin = ((top - bottom) or 1.0) * headroom
        scale = (False, bottom - margin if bottom else 0.0, top + margin)
    for panel in panels:
        panel.log, panel.low, panel.high = scale


def n_axis(sizes: Sequence[int]) -> Axis:
    """Return the axis of n, logarithmic if the sizes span a factor of four."""
    first, last = sizes[0], sizes[-1]
    log = last >= 4 * first
    if log:
        margin = (last / first) ** 0.06
        ends = (first / margin, last * margin)
    else:
        pad = (last - first) * 0.08 or first * 0.5
        ends = (first - pad, last + pad)
    axis = Axis("elements, n", *ends, ticks=[], log=log, over_n=True)
    for n in reversed(sizes):
        if not axis.ticks or axis.share(n) <= axis.share(axis.ticks[-1][1]) - LEAST_TICK_GAP:
            axis.ticks.append((_count(n), float(n)))
    return axis


def count_axis(label: str, numbers: Sequence[int]) -> Axis:
    """Return the axis of a small count, with a tick for each number."""
    pad = (numbers[-1] - numbers[0]) * 0.08 or 0.5
    ticks = [(str(number), float(number)) for number in numbers]
    return Axis(label, numbers[0] - pad, numbers[-1] + pad, ticks, over_n=True)


def _count(value: float) -> str:
    """Return a tick of a large axis, short if nothing is lost: 4000, 16k, 1M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 10_000 and value >= size and value % (size / 10) == 0:
            return f"{value / size:g}{letter}"
    return f"{value:.10g}"


def _log_ticks(low: float, high: float) -> list[tuple[str, float]]:
    """Return the ticks of a logarithmic axis: 1, 2, 5, 10 if it is short, powers of ten if it is long."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if math.log10(high / low) < 2.5 else (1,)
    places = [step * 10.0**decade for decade in decades for step in steps]
    return [(_count(place), place) for place in places if low <= place <= high]


def render(picture: Picture, folder: Path, kind: str) -> Path:
    """Draw one picture in one format into `folder`. Return its path. HarnessError has gnuplot's message."""
    return render_all([picture], folder, [kind])[0]


def render_all(pictures: Sequence[Picture], folder: Path, kinds: Sequence[str]) -> list[Path]:
    """Draw pictures into `folder`, each in all formats, at the same time: a gnuplot each. Return their paths.

    A picture replaces an older one once all are drawn. HarnessError has gnuplot's message.
    """
    with contextlib.ExitStack() as running:
        fresh = Path(running.enter_context(tempfile.TemporaryDirectory(dir=folder, prefix=".drawing-"))).absolute()
        drawings = []
        for picture in pictures:
            data = fresh / f"{picture.name}-data"
            data.mkdir()
            _write_data(picture, data)
            script = picture.script or ("bars.gp" if picture.bars else "lines.gp")
            for kind in kinds:
                drawn = fresh / f"{picture.name}.{kind}"
                argv = ["gnuplot", "--default-settings", "-c", script, str(data), str(drawn), kind]
                options: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE, "env": _environment()}
                drawings.append((drawn, running.enter_context(proc.child(argv, cwd=paths.PLOT_SCRIPTS, **options))))
        for drawn, process in drawings:
            _finish(drawn, process, folder)
        finished = [drawn.replace(folder.absolute() / drawn.name) for drawn, _ in drawings]
    return finished


def _finish(drawn: Path, gnuplot: subprocess.Popen[bytes], folder: Path) -> None:
    """Wait for a drawing. HarnessError if it failed."""
    complaint = gnuplot.communicate()[1].decode(errors="replace").split("\n")
    if gnuplot.returncode or not drawn.is_file() or not drawn.stat().st_size:
        said = next((line.strip() for line in reversed(complaint) if line.strip()), "no message")
        raise HarnessError(f"gnuplot cannot draw {folder.absolute() / drawn.name}: {said}")


def _environment() -> dict[str, str]:
    """Return the environment without what changes gnuplot's defaults: pictures depend on the results alone."""
    return {name: value for name, value in proc.english().items() if not name.startswith(("GNUPLOT", "FIT_", "GDFONTPATH"))}


def _write_data(picture: Picture, folder: Path) -> None:
    """Write a data file for each panel and container, one for a panel's marks, and facts.gp with all facts for the scripts."""
    for number, panel in enumerate(picture.panels, start=1):
        for place, container in enumerate(picture.containers, start=1):
            shift = _dodge(panel, len(picture.containers)) * (place - (len(picture.containers) + 1) / 2)
            points = panel.series.get(container, [])
            rows = [_data_row(panel, panel.axis.moved(point.x, shift), point) for point in points]
            _write_rows(folder / f"{number}-{place}.dat", "x median low high label", rows)
        marks = [f'{m.first:.10g} {m.last:.10g} {m.value:.10g} "{table.figure(m.value)}"' for m in panel.marks]
        _write_rows(folder / f"{number}-marks.dat", "first last value label", marks)
        own = {name: line for name, line in panel.floors.items() if name == panel.floor}
        others = {name: line for name, line in panel.floors.items() if name != panel.floor}
        _write_rows(folder / f"{number}-floor.dat", "x median", _floor_rows(panel, own))
        _write_rows(folder / f"{number}-floors.dat", "x median", _floor_rows(panel, others))
        _write_rows(folder / f"{number}-floor-names.dat", "x place name", _floor_names(panel))
    names = picture.containers
    facts = [
        f"title = {_quoted(picture.title)}",
        f"columns = {picture.columns}",
        f"panel_height = {picture.panel_height}",
        *(f"{name} = {value:.10g}" for name, value in picture.facts.items()),
        f"uncompared = {names.index(picture.uncompared) + 1 if picture.uncompared in names else 0}",
        *_array("containers", names),
        *_numbers("styles", [picture.styles.get(name, place) for place, name in enumerate(names, start=1)]),
        *_array("keys", [*names, *([picture.mark] if picture.mark else [])]),
        *_key([*names, *([picture.mark] if picture.mark else [])]),
        *_array("notes", [line for note in picture.notes for line in textwrap.wrap(note, NOTE_COLUMNS)]),
        *_array("footnotes", [line for note in picture.footnotes for line in textwrap.wrap(note, NOTE_COLUMNS)]),
        *_array("panels", [panel.title for panel in picture.panels]),
        *_asides(picture),
        *_array("verticals", [vertical.name for vertical in picture.verticals]),
        *_numbers("verticals_x", [vertical.x for vertical in picture.verticals]),
        *_numbers("shares", _shares(picture)),
        *_numbers("lefts", _lefts(picture)),
        *_numbers("slots", [_slot(panel, share) for panel, share in zip(picture.panels, _shares(picture))]),
        *_numbers("tick_sizes", [_tick_size(panel, share) for panel, share in zip(picture.panels, _shares(picture))]),
        *_array("labels", [f"{panel.value_label}{' (log scale)' if panel.log else ''}" for panel in picture.panels]),
        *_array("axes", [f"{_x_axis(panel.axis)}; {_axis(panel)}" for panel in picture.panels]),
    ]
    (folder / "facts.gp").write_text("\n".join(facts) + "\n", encoding="utf-8")


def _dodge(panel: Panel, lines: int) -> float:
    """Return the distance of neighbouring lines, as a share of the axis."""
    if not panel.axis.over_n:
        return 0.0
    places = sorted({panel.axis.share(point.x) for line in panel.series.values() for point in line})
    closest = min((right - left for left, right in zip(places, places[1:])), default=1.0)
    return min(DODGE, DODGES * closest / max(lines - 1, 1))


def _visible(panel: Panel, line: Sequence[Point]) -> list[Point]:
    """Return the points of a line that the panel's axis can show."""
    return [point for point in line if panel.low <= point.median <= panel.high and (point.median > 0 or not panel.log)]


def _floor_rows(panel: Panel, floors: Mapping[str, Sequence[Point]]) -> Iterator[str]:
    """Write the lines in order, with a row between them that breaks them."""
    for line in floors.values():
        yield from (f"{point.x:.10g} {point.median:.10g}" for point in _visible(panel, line))
        yield "nan nan"


def _floor_names(panel: Panel) -> Iterator[str]:
    """Return the names at the lines' last points, at the same height or as much higher as the name below requires."""
    ends = [(line[-1], name) for name, floor in panel.floors.items() if (line := _visible(panel, floor))]
    height = Axis("", panel.low, panel.high, [], panel.log)
    taken = -math.inf
    for point, name in sorted(ends, key=lambda end: end[0].median):
        taken = max(height.share(point.median), taken + NAME_HEIGHT)
        yield f'{point.x:.10g} {height.moved(panel.low, taken):.10g} "{name}"'


def _write_rows(path: Path, columns: str, rows: Iterable[str]) -> None:
    path.write_text("\n".join([f"# {columns}", *filter(None, rows)]) + "\n", encoding="utf-8")


def _key(names: Sequence[str]) -> list[str]:
    """Return the position of each entry of the key: pixels from the left, and row."""
    places: list[tuple[int, int]] = []
    left, row = KEY_LEFT, 0
    for name in names:
        width = KEY_SAMPLE + KEY_LETTER * len(name)
        if left + width > KEY_RIGHT and left > KEY_LEFT:
            left, row = KEY_LEFT, row + 1
        places.append((left, row))
        left += width
    return [
        f"key_rows = {row + 1}",
        *_numbers("key_x", [x for x, _ in places]),
        *_numbers("key_row", [y for _, y in places]),
    ]


def _asides(picture: Picture) -> list[str]:
    """Return the texts beside all panels in order, and the index of each panel's first text."""
    asides = [aside for panel in picture.panels for aside in panel.asides]
    counts = [len(panel.asides) for panel in picture.panels]
    return [
        *_array("asides", [aside.text for aside in asides]),
        *_numbers("aside_series", [picture.containers.index(aside.series) + 1 for aside in asides]),
        *_numbers("first_aside", [sum(counts[:place]) + 1 for place in range(len(counts))]),
        *_numbers("last_aside", [sum(counts[: place + 1]) for place in range(len(counts))]),
    ]


def _data_row(panel: Panel, x: float, point: Point) -> str:
    """Return one line of a data file; "" for a value that a logarithmic axis cannot show. Values beyond the axis are clipped."""
    if panel.log and point.median <= 0:
        return ""
    end = panel.high if panel.log else panel.low + CLIPPED_AT * (panel.high - panel.low)
    clipped = point.median > panel.high
    median = end if clipped else point.median
    high = max(median, min(point.high, end))  # The figure above it stays inside.
    words = _cut(point.median) if clipped else _terse(point.median) if panel.terse else table.figure(point.median)
    spread = f"{min(max(point.low, panel.low), median):.10g} {high:.10g}"
    return f'{x:.10g} {median:.10g} {spread} "{words}"'


def _cut(value: float) -> str:
    """Return the value of a clipped bar as text, short because bars of the same height stand side by side."""
    return f"↑ {value / 1000:,.0f}k" if 10_000 <= value < 1_000_000 else f"↑ {table.figure(value)}"


def _terse(value: float) -> str:
    """Return table.figure(), or three digits where that is shorter."""
    return f"{value:,.0f}" if 100 <= value < 1000 else f"{value:.1f}" if 10 <= value < 100 else table.figure(value)


def _axis(panel: Panel) -> str:
    """Return the gnuplot commands of a panel's value axis."""
    scale = "set logscale y; set ytics " + _ticks(_log_ticks(panel.low, panel.high)) if panel.log else "set ytics auto"
    return f"unset logscale y; {scale}; set yrange [{panel.low:.10g}:{panel.high:.10g}]"


def _x_axis(axis: Axis) -> str:
    """Return the gnuplot commands of a panel's horizontal axis."""
    label = _quoted(axis.label + (" (log scale)" if axis.log else ""))
    return (
        f"{'set' if axis.log else 'unset'} logscale x; set xrange [{axis.low:.10g}:{axis.high:.10g}]; "
        f"set xtics {_ticks(axis.ticks)}; set xlabel {label} offset 0, 0.3"
    )


def _tick_size(panel: Panel, share: float) -> float:
    """Return the largest letter height, in pixels, at which the names below the bars do not touch."""
    ticks = panel.axis.ticks
    gaps = [panel.axis.share(right[1]) - panel.axis.share(left[1]) for left, right in zip(ticks, ticks[1:])]
    room = min(gaps, default=1.0) * (share * WIDTH - MARGINS)
    letters = max((len(text) for text, _ in ticks), default=1)
    return max(9.0, min(15.0, room / (letters * LETTER_WIDTH)))


def _slot(panel: Panel, share: float) -> float:
    """Return the width of a bar and the gap to the next one, in pixels."""
    return (share * WIDTH - MARGINS) / (panel.axis.high - panel.axis.low)


def _shares(picture: Picture) -> list[float]:
    """Return the width of each panel, as a share of the picture's width."""
    return [panel.share or 1 / picture.columns for panel in picture.panels]


def _lefts(picture: Picture) -> list[float]:
    """Return the left edge of each panel, as a share of the picture's width."""
    shares = _shares(picture)
    return [sum(shares[place - place % picture.columns : place]) for place in range(len(shares))]


def _ticks(ticks: Iterable[tuple[str, float]]) -> str:
    return "(" + ", ".join(f"{_quoted(text)} {place:.10g}" for text, place in ticks) + ")"


def _array(name: str, values: Sequence[str]) -> list[str]:
    """Return a gnuplot array of texts and its true length; it has at least one element, since gnuplot has no empty arrays."""
    return [
        f"n_{name} = {len(values)}",
        f"array {name}[{max(len(values), 1)}]",
        *(f"{name}[{place}] = {_quoted(value)}" for place, value in enumerate(values, start=1)),
    ]


def _numbers(name: str, values: Sequence[float]) -> list[str]:
    """Return a gnuplot array of numbers with at least one element."""
    return [f"array {name}[{max(len(values), 1)}] = [{', '.join(f'{value:.10g}' for value in values)}]"]


def _quoted(text: str) -> str:
    """Return a gnuplot text in single quotes, where only these are special. Control characters become spaces."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    return "'" + clean.replace("'", "''") + "'"
