# SPDX-License-Identifier: GPL-2.0
"""Pictures of a sweep: writes data files and facts for the scripts in plots/, and runs gnuplot.

The scripts draw, this module decides: which panels, axes, ticks and notes there are. Each picture is a list of panels,
so that one more panel is one more entry.
"""

from __future__ import annotations

import csv
import math
import statistics
import subprocess
import tempfile
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import datapath, paths, proc, results, table
from .errors import HarnessError
from .results import Results
from .samples import DATAPATH_OPS, ELEMENT, PACKET

SEED_TABLES = paths.RESULTS / "reference" / "seed_tables.csv"
FORMATS = ("svg", "png")
NOTE_COLUMNS = 150
WIDTH, MARGINS = 1200, 112
"""A picture's width and, of each panel, what is beside its axes, in pixels; style.gp has the same."""
LETTER_WIDTH = 0.72
"""A bold letter's width as a share of its height, with room to the next name."""
KEY_LEFT, KEY_RIGHT, KEY_SAMPLE, KEY_LETTER = 32, 1180, 74, 9
"""The key in pixels: from where to where, a sample with its gaps, a letter of a name."""
LOG_RATIO = 8.0
"""An axis is logarithmic when its largest value is so many times the smallest."""
DODGE = 0.006
"""Neighbouring lines are so far apart in x, as a share of the axis, lest their error bars hide each other."""
LEAST_TICK_GAP = 0.1
"""Ticks of n are at least so far apart, as a share of the axis."""
BARE_LINK = f"{datapath.BARE}: the bare link"
PEERS = "in-tree tunnels"
LEAST_BARS = 10
"""Fewer bars are not drawn broader than these."""
CLIP = 1.6
"""What is not compared, and ends of spreads, stretch an axis to no more than so many times the largest median."""
OUTLIER = 4.0
"""A tunnel that costs so many times as much as the tunnel in the middle does not stretch the axis for all."""
CLIPPED_AT = 0.9
"""A bar that the axis is too short for ends at this share of it."""
SUBJECT_STYLE, PEERS_STYLE, ENCRYPTING_STYLE = 5, 6, 7
"""The line types of udptun, of all in-tree tunnels in one, and of the one that encrypts."""


@dataclass(frozen=True)
class Point:
    """A median and its spread at x, all an element or packet."""

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
        """Where a value lies, from 0 at the low end to 1 at the high one."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def moved(self, value: float, shift: float) -> float:
        """The value that lies `shift` of the axis' length to the right."""
        if self.log:
            return value * math.pow(self.high / self.low, shift)
        return value + (self.high - self.low) * shift


@dataclass(frozen=True)
class Mark:
    """A level that others are compared with, from one x to another."""

    first: float
    last: float
    value: float


@dataclass
class Panel:
    """One pair of axes: a series a container or device, those without points included."""

    title: str
    value_label: str
    series: dict[str, list[Point]]
    axis: Axis
    marks: list[Mark] = field(default_factory=list)
    share: float | None = None
    """Of the picture's width; None: as much as the others of its row."""
    terse: bool = False
    """Whether the figures above its bars are to be as short as possible."""
    log: bool = False
    low: float = 0.0
    high: float = 1.0


@dataclass
class Picture:
    """One figure: its panels in reading order, `columns` side by side."""

    name: str
    title: str
    columns: int
    containers: list[str]
    """All series, in the order of the key."""
    panels: list[Panel]
    notes: list[str] = field(default_factory=list)
    footnotes: list[str] = field(default_factory=list)
    bars: bool = False
    panel_height: int = 392
    styles: dict[str, int] = field(default_factory=dict)
    """The line types of series that shall not have the number of their place."""
    uncompared: str = ""
    """The series that is drawn apart."""
    mark: str = ""
    """What the marks are, for the key."""


def draw(sweep: Results, folder: Path) -> list[Path]:
    """Draw every picture that the sweep has data for, as SVG and PNG into `folder`; their paths."""
    paths.make_folder(folder, "plots")
    containers, devices = sweep.part(ELEMENT), sweep.part(PACKET)
    pictures: list[Picture | None] = []
    if containers.cells:
        pictures += [per_element(containers), largest(containers), seed_report(containers)]
    if devices.cells:
        pictures.append(datapath_bars(devices))
    if containers.cells and devices.cells:
        pictures.append(side_by_side(containers, devices))
    return [_render(picture, folder, kind) for picture in pictures if picture for kind in FORMATS]


def per_element(sweep: Results) -> Picture:
    """The cost of an element over n: a panel an operation, a line a container."""
    axis = _n_axis(sweep.sizes)
    panels = [_panel(sweep, op, _points(sweep, op), axis) for op in sweep.ops]
    return Picture(
        name="per-element",
        title=f"What one element costs: {sweep.unit} per element over n",
        columns=min(2, len(panels)),
        containers=sweep.containers,
        panels=panels,
        notes=_notes(sweep),
        footnotes=_footnotes(sweep, panels),
    )


def largest(sweep: Results) -> Picture:
    """The cost of an element at the largest n: a group of bars an operation, a bar a container."""
    panel = _bars_at_largest(sweep, "")
    return Picture(
        name="largest-n",
        title=f"What one element costs at n = {sweep.sizes[-1]:,}: {sweep.unit} per element",
        columns=1,
        containers=sweep.containers,
        panels=[panel],
        notes=_notes(sweep),
        footnotes=_footnotes(sweep, [panel]),
        bars=True,
        panel_height=480,
    )


def datapath_bars(sweep: Results) -> Picture:
    """The cost of a packet: a panel a payload, a group of bars an operation, a bar a tunnel, the bare link a line."""
    tunnels = [device for device in sweep.containers if device != datapath.BARE] or [datapath.BARE]
    ops = [op for op in DATAPATH_OPS if op in sweep.ops]
    panels = [_packet_panel(sweep, octets, ops, tunnels) for octets in sweep.sizes]
    names = [_packet_name(device) for device in tunnels]
    return Picture(
        name="datapath",
        title=f"What one packet costs in each tunnel: {sweep.unit} per packet",
        columns=1,
        containers=names,
        panels=panels,
        notes=[
            "tx: from the sender to the underlay's transmit. rx: from an encapsulated packet at the underlay to the receiver. "
            "path: from the sender to the receiver, over veth, through two network namespaces.",
            *_notes(sweep),
        ],
        footnotes=_packet_footnotes(sweep, panels),
        bars=True,
        panel_height=330,
        styles={
            **{name: place for place, name in enumerate((name for name in names if name != "udptun"), start=1)},
            "udptun": SUBJECT_STYLE,
            _packet_name(datapath.ENCRYPTING): ENCRYPTING_STYLE,
        },
        uncompared=_packet_name(datapath.ENCRYPTING),
        mark=BARE_LINK,
    )


def side_by_side(containers: Results, devices: Results) -> Picture | None:
    """An element in each container next to a packet through each tunnel; None when no packet went all the way."""
    if "path" not in devices.ops:
        return None
    octets = min(devices.sizes, key=lambda size: abs(size - datapath.USUAL_PAYLOAD))
    left = _bars_at_largest(containers, f"one element, n = {containers.sizes[-1]:,}")
    right = _path_panel(devices, octets)
    left.share, right.share = 0.57, 0.43
    left.terse = True
    return Picture(
        name="containers-and-datapath",
        title=f"One element in a container, one packet through a tunnel: {containers.unit}",
        columns=2,
        containers=[*containers.containers, *right.series],
        panels=[left, right],
        notes=[
            "One run, one clock. Each side has an axis of its own: left per element, right per packet, from the sender "
            "to the receiver.",
            *_notes(containers),
        ],
        footnotes=list(
            dict.fromkeys([*_footnotes(containers, [left]), *_packet_footnotes(devices, [right])])
        ),
        bars=True,
        panel_height=500,
        styles={"udptun": SUBJECT_STYLE, PEERS: PEERS_STYLE, _packet_name(datapath.ENCRYPTING): ENCRYPTING_STYLE},
        uncompared=_packet_name(datapath.ENCRYPTING),
        mark=BARE_LINK,
    )


def seed_report(sweep: Results) -> Picture | None:
    """The seed report's figures above ours at the same n; None when the sweep has none of its sizes or operations."""
    theirs = _seed_tables()
    ops = [op for op in theirs if op in sweep.ops]
    sizes = [n for n in sweep.sizes if any(p.x == n for op in ops for line in theirs[op].values() for p in line)]
    if not ops or not sizes:
        return None
    cycles = sweep.unit == "cycles"
    axis = _n_axis(sizes)
    report = [Panel(f"the report: {op}", "cycles per element", _at(sizes, theirs[op]), axis) for op in ops]
    label = f"{sweep.unit} per element"
    ours = [Panel(f"this run ({sweep.label}): {op}", label, _at(sizes, _points(sweep, op)), axis) for op in ops]
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
            summary = results.per_work(cell)
            lines[cell.container].append(Point(cell.n, summary.median, summary.p10, summary.p90))
    return lines


def _panel(sweep: Results, title: str, series: dict[str, list[Point]], axis: Axis) -> Panel:
    panel = Panel(title, f"{sweep.unit} per element", series, axis)
    _scale([panel])
    return panel


def _bars_at_largest(sweep: Results, title: str) -> Panel:
    """A group of bars an operation, a bar a container, all at the largest n."""
    n = sweep.sizes[-1]
    found = {op: _points(sweep, op) for op in sweep.ops}
    levels = {
        container: {op: point for op in sweep.ops for point in found[op][container] if point.x == n}
        for container in sweep.containers
    }
    series, axis = _grouped(levels, sweep.ops)
    panel = Panel(title, f"{sweep.unit} per element", series, axis)
    _scale([panel], log_ratio=5 * LOG_RATIO, headroom=0.09)
    return panel


def _packet_panel(sweep: Results, octets: int, ops: list[str], tunnels: list[str]) -> Panel:
    """The bars of one payload, and the bare link beside each group."""
    found = {op: _points(sweep, op) for op in ops}
    levels = {
        device: {op: point for op in ops for point in found[op][device] if point.x == octets}
        for device in sweep.containers
    }
    bare = levels.get(datapath.BARE, {})
    series, axis = _grouped({_packet_name(device): levels[device] for device in tunnels}, ops)
    width = len(tunnels) + 1
    marks = [
        Mark(group * width - 0.5, (group + 1) * width - 1.5, bare[op].median)
        for group, op in enumerate(ops)
        if op in bare
    ]
    panel = Panel(f"payload {datapath.payload(octets)}", f"{sweep.unit} per packet", series, axis, marks)
    _scale_packets(panel)
    return panel


def _path_panel(sweep: Results, octets: int) -> Panel:
    """A bar a tunnel: a packet from the sender to the receiver."""
    lines = _points(sweep, "path")
    series: dict[str, list[Point]] = {"udptun": [], PEERS: [], _packet_name(datapath.ENCRYPTING): []}
    ticks: list[tuple[str, float]] = []
    marks: list[Mark] = []
    for device, line in lines.items():
        for point in (point for point in line if point.x == octets):
            if device == datapath.BARE:
                marks.append(Mark(-0.6, len(lines) - 1.4, point.median))
                continue
            place = float(len(ticks))
            name = _packet_name(device)
            series[name if name in series else PEERS].append(Point(place, point.median, point.low, point.high))
            ticks.append((device, place))
    axis = Axis("tunnel", -1.0, max(float(len(ticks)), 1.0), ticks)
    used = {name: points for name, points in series.items() if points}
    panel = Panel(f"one packet, payload {datapath.payload(octets)}", f"{sweep.unit} per packet", used, axis, marks)
    _scale_packets(panel)
    return panel


def _packet_name(device: str) -> str:
    """A device as the key has it."""
    return f"{device} (encrypts: not compared)" if device == datapath.ENCRYPTING else device


def _grouped(levels: dict[str, dict[str, Point]], ops: Sequence[str]) -> tuple[dict[str, list[Point]], Axis]:
    """Bars in groups: from points by series and operation, the bars of each series and the axis below them."""
    step = len(levels) + 1
    series = {
        name: [
            Point(group * step + place, at[op].median, at[op].low, at[op].high)
            for group, op in enumerate(ops)
            if op in at
        ]
        for place, (name, at) in enumerate(levels.items())
    }
    width = step * len(ops)
    margin = max(0.0, (LEAST_BARS - width) / 2)
    ticks = [(op, group * step + (step - 2) / 2) for group, op in enumerate(ops)]
    return series, Axis("operation", -1.0 - margin, width - 1.0 + margin, ticks)


def _scale_packets(panel: Panel) -> None:
    """A linear axis from zero, long enough for what is compared; what exceeds all others, and stray ends, are cut."""
    compared = {name: line for name, line in panel.series.items() if name != _packet_name(datapath.ENCRYPTING)}
    largest_medians = [max(point.median for point in line) for line in compared.values() if line]
    middle = statistics.median(largest_medians) if largest_medians else 0.0
    medians = [value for value in largest_medians if value <= OUTLIER * middle] + [mark.value for mark in panel.marks]
    limit = max([*medians, 0.0]) or 1.0
    ends = [point.high for line in panel.series.values() for point in line]
    panel.high = 1.12 * max([limit, *(min(value, CLIP * limit) for value in ends)])


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
        notes.append("INCOMPLETE: this sweep was ended before all of it was done.")
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


def _packet_footnotes(sweep: Results, panels: Iterable[Panel]) -> list[str]:
    """The footnotes, and which devices there are not."""
    absent = sweep.context.get("absent_devices", {})
    return [*(f"Absent: {kind} ({reason})." for kind, reason in absent.items()), *_footnotes(sweep, panels)]


def _render(picture: Picture, folder: Path, kind: str) -> Path:
    """Run gnuplot on one picture. HarnessError has its complaint."""
    data = paths.make_folder(paths.BUILD / "plot" / picture.name, "plot data")
    _write_data(picture, data)
    path = folder.absolute() / f"{picture.name}.{kind}"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".drawing-") as fresh:
        drawn = Path(fresh) / path.name
        script = "bars.gp" if picture.bars else "lines.gp"
        argv = ["gnuplot", "-c", script, str(data), str(drawn.absolute()), kind]
        with proc.child(argv, cwd=paths.PLOTS, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as gnuplot:
            complaint = gnuplot.communicate()[1].decode(errors="replace").split("\n")
        if gnuplot.returncode or not drawn.is_file() or not drawn.stat().st_size:
            said = next((line.strip() for line in reversed(complaint) if line.strip()), "no message")
            raise HarnessError(f"gnuplot cannot draw {path}: {said}")
        drawn.replace(path)
    return path


def _write_data(picture: Picture, folder: Path) -> None:
    """A data file a (panel, container), one for a panel's marks, and facts.gp with all that the scripts need to know."""
    for number, panel in enumerate(picture.panels, start=1):
        for place, container in enumerate(picture.containers, start=1):
            shift = DODGE * (place - (len(picture.containers) + 1) / 2) if panel.axis.over_n else 0.0
            points = panel.series.get(container, [])
            rows = [_data_row(panel, panel.axis.moved(point.x, shift), point) for point in points]
            _write_rows(folder / f"{number}-{place}.dat", "x median low high label", rows)
        marks = [f'{m.first:.10g} {m.last:.10g} {m.value:.10g} "{table.figure(m.value)}"' for m in panel.marks]
        _write_rows(folder / f"{number}-marks.dat", "first last value label", marks)
    names = picture.containers
    facts = [
        f"title = {_quoted(picture.title)}",
        f"columns = {picture.columns}",
        f"panel_height = {picture.panel_height}",
        f"uncompared = {names.index(picture.uncompared) + 1 if picture.uncompared in names else 0}",
        *_array("containers", names),
        *_numbers("styles", [picture.styles.get(name, place) for place, name in enumerate(names, start=1)]),
        *_array("keys", [*names, *([picture.mark] if picture.mark else [])]),
        *_key([*names, *([picture.mark] if picture.mark else [])]),
        *_array("notes", [line for note in picture.notes for line in textwrap.wrap(note, NOTE_COLUMNS)]),
        *_array("footnotes", [line for note in picture.footnotes for line in textwrap.wrap(note, NOTE_COLUMNS)]),
        *_array("panels", [panel.title for panel in picture.panels]),
        *_numbers("shares", _shares(picture)),
        *_numbers("lefts", _lefts(picture)),
        *_numbers("tick_sizes", [_tick_size(panel, share) for panel, share in zip(picture.panels, _shares(picture))]),
        *_array("labels", [f"{panel.value_label}{' (log scale)' if panel.log else ''}" for panel in picture.panels]),
        *_array("axes", [f"{_x_axis(panel.axis)}; {_axis(panel)}" for panel in picture.panels]),
    ]
    (folder / "facts.gp").write_text("\n".join(facts) + "\n", encoding="utf-8")


def _write_rows(path: Path, columns: str, rows: Iterable[str]) -> None:
    path.write_text("\n".join([f"# {columns}", *filter(None, rows)]) + "\n", encoding="utf-8")


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
        *_numbers("key_x", [x for x, _ in places]),
        *_numbers("key_row", [y for _, y in places]),
    ]


def _data_row(panel: Panel, x: float, point: Point) -> str:
    """One line of a data file; "" for what a logarithmic axis can't show. What leaves the axis is cut at its end."""
    if panel.log and point.median <= 0:
        return ""
    end = panel.high if panel.log else panel.low + CLIPPED_AT * (panel.high - panel.low)
    clipped = point.median > panel.high
    median = end if clipped else point.median
    high = max(median, min(point.high, end))  # the figure above it stays inside
    words = _terse(point.median) if panel.terse else table.figure(point.median)
    spread = f"{min(max(point.low, panel.low), median):.10g} {high:.10g}"
    return f'{x:.10g} {median:.10g} {spread} "{"↑ " if clipped else ""}{words}"'


def _terse(value: float) -> str:
    """table.figure() with three digits where that is shorter."""
    return f"{value:,.0f}" if 100 <= value < 1000 else f"{value:.1f}" if 10 <= value < 100 else table.figure(value)


def _axis(panel: Panel) -> str:
    """The gnuplot commands of a panel's value axis."""
    scale = "set logscale y; set ytics " + _ticks(_log_ticks(panel.low, panel.high)) if panel.log else "set ytics auto"
    return f"unset logscale y; {scale}; set yrange [{panel.low:.10g}:{panel.high:.10g}]"


def _x_axis(axis: Axis) -> str:
    """The gnuplot commands of a panel's horizontal axis."""
    label = _quoted(axis.label + (" (log scale)" if axis.log else ""))
    return (
        f"{'set' if axis.log else 'unset'} logscale x; set xrange [{axis.low:.10g}:{axis.high:.10g}]; "
        f"set xtics {_ticks(axis.ticks)}; set xlabel {label} offset 0, 0.3"
    )


def _tick_size(panel: Panel, share: float) -> float:
    """How large the names below the bars may be, so that they do not touch; in pixels of a letter's height."""
    ticks = panel.axis.ticks
    gaps = [panel.axis.share(right[1]) - panel.axis.share(left[1]) for left, right in zip(ticks, ticks[1:])]
    room = min(gaps, default=1.0) * (share * WIDTH - MARGINS)
    letters = max((len(text) for text, _ in ticks), default=1)
    return max(9.0, min(15.0, room / (letters * LETTER_WIDTH)))


def _shares(picture: Picture) -> list[float]:
    """How wide each panel is, as a share of the picture's width."""
    return [panel.share or 1 / picture.columns for panel in picture.panels]


def _lefts(picture: Picture) -> list[float]:
    """Where each panel begins, as a share of the picture's width."""
    shares = _shares(picture)
    return [sum(shares[place - place % picture.columns : place]) for place in range(len(shares))]


def _ticks(ticks: Iterable[tuple[str, float]]) -> str:
    return "(" + ", ".join(f"{_quoted(text)} {place:.10g}" for text, place in ticks) + ")"


def _array(name: str, values: Sequence[str]) -> list[str]:
    """A gnuplot array of texts; at least one element, since gnuplot has no empty ones, and its true length."""
    return [
        f"n_{name} = {len(values)}",
        f"array {name}[{max(len(values), 1)}]",
        *(f"{name}[{place}] = {_quoted(value)}" for place, value in enumerate(values, start=1)),
    ]


def _numbers(name: str, values: Sequence[float]) -> list[str]:
    """A gnuplot array of numbers; at least one element."""
    return [f"array {name}[{max(len(values), 1)}] = [{', '.join(f'{value:.10g}' for value in values)}]"]


def _quoted(text: str) -> str:
    """A gnuplot text in single quotes, where only they are special; control characters become spaces."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text)
    return "'" + clean.replace("'", "''") + "'"
