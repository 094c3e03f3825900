# SPDX-License-Identifier: GPL-2.0
"""Pictures of a sweep: writes data files and facts for the scripts in plots/, and runs gnuplot.

The scripts draw, this module decides: which panels, axes, ticks and notes there are. Each picture is a list of panels,
so that one more panel is one more entry.
"""

from __future__ import annotations

import csv
import math
import subprocess
import tempfile
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import paths, proc, results, table
from .errors import HarnessError
from .results import Results

SEED_TABLES = paths.RESULTS / "reference" / "seed_tables.csv"
FORMATS = ("svg", "png")
NOTE_COLUMNS = 150
KEY_LEFT, KEY_RIGHT, KEY_SAMPLE, KEY_LETTER = 32, 1180, 74, 9
"""The key in pixels: from where to where, a sample with its gaps, a letter of a name."""
LOG_RATIO = 8.0
"""An axis is logarithmic when its largest value is so many times the smallest."""
DODGE = 0.006
"""Neighbouring lines are so far apart in x, as a share of the axis, lest their error bars hide each other."""
LEAST_TICK_GAP = 0.1
"""Ticks of n are at least so far apart, as a share of the axis."""
LEAST_BARS = 10
"""Fewer bars are not drawn broader than these."""


@dataclass(frozen=True)
class Point:
    """A median and its spread at x, all an element."""

    x: float
    median: float
    low: float
    high: float


@dataclass
class Panel:
    """One pair of axes: a series a container, those without points included."""

    title: str
    value_label: str
    series: dict[str, list[Point]]
    log: bool = False
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class Axis:
    """The axis that all panels of a picture share."""

    label: str
    low: float
    high: float
    ticks: list[tuple[str, float]]
    log: bool = False
    over_n: bool = False

    def share(self, value: float) -> float:
        """Where a value lies, from 0 at the low end to 1 at the high one."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def moved(self, value: float, shift: float) -> float:
        """The value that lies `shift` of the axis' length to the right."""
        if self.log:
            return value * math.pow(self.high / self.low, shift)
        return value + (self.high - self.low) * shift


@dataclass
class Picture:
    """One figure: its panels in reading order, `columns` side by side."""

    name: str
    title: str
    columns: int
    containers: list[str]
    panels: list[Panel]
    axis: Axis
    notes: list[str] = field(default_factory=list)
    footnotes: list[str] = field(default_factory=list)


def draw(sweep: Results, folder: Path) -> list[Path]:
    """Draw every picture that the sweep has data for, as SVG and PNG into `folder`; their paths."""
    paths.make_folder(folder, "plots")
    pictures = [per_element(sweep), largest(sweep)]
    if report := seed_report(sweep):
        pictures.append(report)
    return [_render(picture, folder, kind) for picture in pictures for kind in FORMATS]


def per_element(sweep: Results) -> Picture:
    """The cost of an element over n: a panel an operation, a line a container."""
    panels = [_panel(sweep, op, _points(sweep, op)) for op in sweep.ops]
    return Picture(
        name="per-element",
        title=f"What one element costs: {sweep.unit} per element over n",
        columns=min(2, len(panels)),
        containers=sweep.containers,
        panels=panels,
        axis=_n_axis(sweep.sizes),
        notes=_notes(sweep),
        footnotes=_footnotes(sweep, panels),
    )


def largest(sweep: Results) -> Picture:
    """The cost of an element at the largest n: a group of bars an operation, a bar a container."""
    n = sweep.sizes[-1]
    step = len(sweep.containers) + 1
    series: dict[str, list[Point]] = {}
    for place, container in enumerate(sweep.containers):
        found = {op: [p for p in _points(sweep, op)[container] if p.x == n] for op in sweep.ops}
        series[container] = [
            Point(group * step + place, p.median, p.low, p.high)
            for group, op in enumerate(sweep.ops)
            for p in found[op]
        ]
    panel = _panel(sweep, "", series, bars=True)
    middle = (len(sweep.containers) - 1) / 2
    width = step * len(sweep.ops)
    margin = max(0.0, (LEAST_BARS - width) / 2)
    ticks = [(op, group * step + middle) for group, op in enumerate(sweep.ops)]
    return Picture(
        name="largest-n",
        title=f"What one element costs at n = {n:,}: {sweep.unit} per element",
        columns=1,
        containers=sweep.containers,
        panels=[panel],
        axis=Axis("operation", -1.0 - margin, width - 1.0 + margin, ticks),
        notes=_notes(sweep),
        footnotes=_footnotes(sweep, [panel]),
    )


def seed_report(sweep: Results) -> Picture | None:
    """The seed report's figures above ours at the same n; None when the sweep has none of its sizes or operations."""
    theirs = _seed_tables()
    ops = [op for op in theirs if op in sweep.ops]
    sizes = [n for n in sweep.sizes if any(p.x == n for op in ops for line in theirs[op].values() for p in line)]
    if not ops or not sizes:
        return None
    cycles = sweep.unit == "cycles"
    report = [Panel(f"the report: {op}", "cycles per element", _at(sizes, theirs[op])) for op in ops]
    label = f"{sweep.unit} per element"
    ours = [Panel(f"this run ({sweep.label}): {op}", label, _at(sizes, _points(sweep, op))) for op in ops]
    for above, below in zip(report, ours):
        for group in ([above, below],) if cycles else ([above], [below]):
            _scale(group)
    units = "both in cycles, on equal axes" if cycles else "the report in cycles, this run in INSTRUCTIONS"
    return Picture(
        name="seed-report",
        title="Linux Kernel Support for Rust, Final Report (Virginia Tech), and this run",
        columns=len(ops),
        containers=list(dict.fromkeys([*sweep.containers, *(name for op in ops for name in theirs[op])])),
        panels=[*report, *ours],
        axis=_n_axis(sizes),
        notes=[
            f"Two machines, two methods, {units}: compare the shapes, not the heights.",
            "Above: the report's totals (Tables 1 to 3: C module, Fedora VM, rdtsc) divided by n. Below: this run.",
            *_notes(sweep),
        ],
        footnotes=[
            *_footnotes(sweep, ours),
            "The report does not say how many keys its find looked up: its totals for rbtree hardly grow with n.",
        ],
    )


def _seed_tables() -> dict[str, dict[str, list[Point]]]:
    """The report's totals divided by n, by operation and container."""
    lines = [line for line in SEED_TABLES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    tables: dict[str, dict[str, list[Point]]] = {}
    for row in csv.DictReader(lines):
        sizes = [name for name in row if name.isdigit()]
        values = [(int(n), int(row[n]) / int(n)) for n in sizes]
        tables.setdefault(row["op"], {})[row["container"]] = [Point(n, v, v, v) for n, v in values]
    return tables


def _at(sizes: Sequence[int], lines: dict[str, list[Point]]) -> dict[str, list[Point]]:
    """The points at these sizes alone."""
    return {name: [point for point in line if point.x in sizes] for name, line in lines.items()}


def _points(sweep: Results, op: str) -> dict[str, list[Point]]:
    """The points of one operation by container, smallest n first."""
    lines: dict[str, list[Point]] = {container: [] for container in sweep.containers}
    for cell in sorted(sweep.cells, key=lambda cell: cell.n):
        if cell.op == op:
            summary = results.per_element(cell)
            lines[cell.container].append(Point(cell.n, summary.median, summary.p10, summary.p90))
    return lines


def _panel(sweep: Results, title: str, series: dict[str, list[Point]], bars: bool = False) -> Panel:
    panel = Panel(title, f"{sweep.unit} per element", series)
    if bars:
        _scale([panel], log_ratio=5 * LOG_RATIO, headroom=0.09)
    else:
        _scale([panel])
    return panel


def _scale(panels: Sequence[Panel], log_ratio: float = LOG_RATIO, headroom: float = 0.05) -> None:
    """Give panels one common value axis, logarithmic where the values need it; `headroom` is a share of its length."""
    points = [p for panel in panels for line in panel.series.values() for p in line]
    above = [v for p in points for v in (p.median, p.low, p.high) if v > 0]
    typical = [p.median for p in points if p.median > 0]
    if typical and max(typical) / min(typical) > log_ratio:
        # One stray low end shall not stretch the axis: no more than a factor below the smallest median.
        bottom, top = max(min(above), min(typical) / LOG_RATIO), max(above)
        margin = (top / bottom) ** headroom
        scale = (True, bottom / margin, top * margin)
    else:
        bottom, top = min([0.0, *(p.low for p in points)]), max([*above, 0.0])
        margin = ((top - bottom) or 1.0) * headroom
        scale = (False, bottom - margin if bottom else 0.0, top + margin)
    for panel in panels:
        panel.log, panel.low, panel.high = scale


def _n_axis(sizes: Sequence[int]) -> Axis:
    """The axis of n: logarithmic when the sizes span a factor of four."""
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


def _count(value: float) -> str:
    """A tick of a large axis, short where nothing is lost: 4000, 16k, 1M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 10_000 and value >= size and value % (size / 10) == 0:
            return f"{value / size:g}{letter}"
    return f"{value:.10g}"


def _log_ticks(low: float, high: float) -> list[tuple[str, float]]:
    """Ticks of a logarithmic axis: 1, 2, 5, 10 where it is short, powers of ten where it is long."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if math.log10(high / low) < 2.5 else (1,)
    places = [step * 10.0**decade for decade in decades for step in steps]
    return [(_count(place), place) for place in places if low <= place <= high]


def _notes(sweep: Results) -> list[str]:
    """What the numbers are of, as it stands on every picture."""
    context = sweep.context
    tries = sorted({len(cell.cycles) for cell in sweep.cells})
    how = [f"median of {tries[0] if len(tries) == 1 else f'{tries[0]} to {tries[-1]}'} tries, bars p10 to p90"]
    how += [f"{name} {context[name]}" for name in ("order", "alloc", "seed", "lookups", "misses") if context.get(name)]
    revision = context.get("git_revision") or context.get("dsbench_revision") or "unknown"
    changed = " with changes" if context.get("git_dirty") else ""
    return [
        f"target {sweep.label}, kernel {context['kernel']}, counted in {sweep.unit} by {context.get('clock', 'rdtsc')}",
        ", ".join(how),
        f"{context.get('cpu_model', 'unknown CPU')}, {context['date'][:16].replace('T', ' ')}, "
        f"dsbench {context.get('dsbench', '')} revision {revision}{changed}",
    ]


def _footnotes(sweep: Results, panels: Iterable[Panel]) -> list[str]:
    """What the reader must not miss: an incomplete sweep, points that the axes can't show, the kernel's warnings."""
    notes = []
    if not sweep.context["complete"]:
        notes.append("INCOMPLETE: this sweep was ended before all of its sizes were done.")
    hidden = [
        f"{container}{f'/{panel.title}' if panel.title else ''}"
        for panel in panels
        if panel.log
        for container, line in panel.series.items()
        if any(point.median <= 0 for point in line)
    ]
    if hidden:
        notes.append(f"Below the clock's resolution at some n, not drawn there: {', '.join(hidden)}.")
    if sweep.disturbed_share > results.NOTABLE_SHARE:
        notes.append(f"Interrupts fell into {sweep.disturbed_share:.1%} of the tries.")
    return notes + [f"Warning: {warning}" for warning in sweep.context["warnings"]]


def _render(picture: Picture, folder: Path, kind: str) -> Path:
    """Run gnuplot on one picture. HarnessError has its complaint."""
    data = paths.make_folder(paths.BUILD / "plot" / picture.name, "plot data")
    _write_data(picture, data)
    path = folder.absolute() / f"{picture.name}.{kind}"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".drawing-") as fresh:
        drawn = Path(fresh) / path.name
        script = "bars.gp" if picture.name == "largest-n" else "lines.gp"
        argv = ["gnuplot", "-c", script, str(data), str(drawn.absolute()), kind]
        with proc.child(argv, cwd=paths.PLOTS, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as gnuplot:
            complaint = gnuplot.communicate()[1].decode(errors="replace").split("\n")
        if gnuplot.returncode or not drawn.is_file() or not drawn.stat().st_size:
            said = next((line.strip() for line in reversed(complaint) if line.strip()), "no message")
            raise HarnessError(f"gnuplot cannot draw {path}: {said}")
        drawn.replace(path)
    return path


def _write_data(picture: Picture, folder: Path) -> None:
    """A data file a (panel, container), and facts.gp with all that the scripts need to know."""
    for number, panel in enumerate(picture.panels, start=1):
        for place, container in enumerate(picture.containers, start=1):
            shift = DODGE * (place - (len(picture.containers) + 1) / 2) if picture.axis.over_n else 0.0
            points = panel.series.get(container, [])
            rows = [_data_row(panel, picture.axis.moved(point.x, shift), point) for point in points]
            text = "\n".join(["# x median low high label", *filter(None, rows)])
            (folder / f"{number}-{place}.dat").write_text(text + "\n", encoding="utf-8")
    axis = picture.axis
    facts = [
        f"title = {_quoted(picture.title)}",
        f"columns = {picture.columns}",
        f"x_log = {axis.log:d}",
        f"x_label = {_quoted(axis.label + (' (log scale)' if axis.log else ''))}",
        f"set xrange [{axis.low:.10g}:{axis.high:.10g}]",
        f"set xtics {_ticks(axis.ticks)}",
        *_array("containers", picture.containers),
        *_key(picture.containers),
        *_array("notes", [line for note in picture.notes for line in textwrap.wrap(note, NOTE_COLUMNS)]),
        *_array("footnotes", [line for note in picture.footnotes for line in textwrap.wrap(note, NOTE_COLUMNS)]),
        *_array("panels", [panel.title for panel in picture.panels]),
        *_array("labels", [f"{panel.value_label}{' (log scale)' if panel.log else ''}" for panel in picture.panels]),
        *_array("axes", [_axis(panel) for panel in picture.panels]),
    ]
    (folder / "facts.gp").write_text("\n".join(facts) + "\n", encoding="utf-8")


def _key(names: Sequence[str]) -> list[str]:
    """Where each entry of the key goes: pixels from the left, and its row."""
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
        f"array key_x[{len(places)}] = [{', '.join(str(x) for x, _ in places)}]",
        f"array key_row[{len(places)}] = [{', '.join(str(y) for _, y in places)}]",
    ]


def _data_row(panel: Panel, x: float, point: Point) -> str:
    """One line of a data file; "" for what a logarithmic axis can't show. Spreads are cut at the end of the axis."""
    if panel.log and point.median <= 0:
        return ""
    spread = f"{max(point.low, panel.low):.10g} {point.high:.10g}"
    return f'{x:.10g} {point.median:.10g} {spread} "{table.figure(point.median)}"'


def _axis(panel: Panel) -> str:
    """The gnuplot commands of a panel's value axis."""
    scale = "set logscale y; set ytics " + _ticks(_log_ticks(panel.low, panel.high)) if panel.log else "set ytics auto"
    return f"unset logscale y; {scale}; set yrange [{panel.low:.10g}:{panel.high:.10g}]"


def _ticks(ticks: Iterable[tuple[str, float]]) -> str:
    return "(" + ", ".join(f'"{text}" {place:.10g}' for text, place in ticks) + ")"


def _array(name: str, values: Sequence[str]) -> list[str]:
    """A gnuplot array of texts; at least one element, since gnuplot has no empty ones, and its true length."""
    return [
        f"n_{name} = {len(values)}",
        f"array {name}[{max(len(values), 1)}]",
        *(f"{name}[{place}] = {_quoted(value)}" for place, value in enumerate(values, start=1)),
    ]


def _quoted(text: str) -> str:
    """A gnuplot text in single quotes, where only they are special; control characters become spaces."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    return "'" + clean.replace("'", "''") + "'"
