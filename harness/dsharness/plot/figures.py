# SPDX-License-Identifier: GPL-2.0
"""The pictures of a sweep: their selection, and the content of their panels."""

from __future__ import annotations

import argparse
import dataclasses
import statistics
from collections.abc import Sequence
from pathlib import Path

from .. import paths, ui
from ..results import datapath, floors
from ..results import results as resultfiles
from ..results.results import CURVE, SEED_TABLES, Results
from ..results.samples import DATAPATH_OPS, ELEMENT, PACKET
from . import curvefigure, seedfigure
from .picture import LOG_RATIO, Axis, Mark, Panel, Picture, Point, count_axis, n_axis, render_all, scale
from .views import add_floors, burst_points, floor_key, floor_lines, footnotes, notes, peers_points, points, readers_points

FORMATS = ("svg", "png")
BARE_LINK = f"{datapath.BARE}: the bare link"
PEERS = "in-tree tunnels"
MOST_BESIDE = 5
"""With more containers, the tunnels do not fit beside them and go below."""
LEAST_BARS = 10
"""Minimum number of bars for the width of a bar: fewer bars are not drawn wider."""
CLIP = 1.6
"""Values that are not compared, and ends of spreads, extend an axis to at most this multiple of the largest median."""
PEERS_HEIGHT = 360
OUTLIER = 4.0
"""A tunnel with this multiple of the median tunnel's cost does not extend the axis."""
SUBJECT_STYLE, PEERS_STYLE, ENCRYPTING_STYLE = 11, 12, 13
"""Line types of udptun, of all in-tree tunnels together, and of the tunnel that encrypts."""


def run(args: argparse.Namespace) -> int:
    """Draw the pictures of a result file, and name them. Return the exit status."""
    sweep = resultfiles.read(args.file)
    with ui.step(f"drawing {args.file}"):
        drawn = draw(sweep, args.output)
    for path in drawn:
        ui.say(f"picture: {path}")
    return 0


def draw(sweep: Results, folder: Path) -> list[Path]:
    """Draw every picture that the sweep has data for, as SVG and PNG into `folder`. Return their paths."""
    paths.make_folder(folder, "plots")
    containers, devices = sweep.part(ELEMENT), sweep.part(PACKET)
    pictures: list[Picture | None] = []
    if containers.cells and sweep.context.get(CURVE):
        pictures.append(curvefigure.picture(sweep))
    elif containers.cells and sweep.context.get(SEED_TABLES):
        pictures.append(seedfigure.picture(containers))
    elif containers.cells:
        pictures += [per_element(sweep), largest(sweep), seedfigure.picture(containers)]
    if len(sweep.threads) > 1:
        pictures.append(readers(sweep.shared))
    if devices.cells:
        pictures.append(datapath_bars(devices))
    if sweep.in_bursts.cells:
        pictures.append(burst_bars(sweep.in_bursts))
    if len(sweep.peers) > 1:
        pictures.append(over_peers(sweep.over_peers))
    if containers.cells and devices.cells:
        pictures.append(side_by_side(sweep))
    return render_all([picture for picture in pictures if picture], folder, FORMATS)


def per_element(sweep: Results) -> Picture:
    """Return the cost of an element over n: a panel for each operation, a line for each container."""
    part = sweep.part(ELEMENT)
    axis = n_axis(part.sizes)
    panels = [_panel(sweep, op, points(part, op), axis) for op in part.ops]
    return Picture(
        name="per-element",
        title=f"What one element costs: {sweep.unit_words} per element over n",
        columns=min(2, len(panels)),
        containers=part.containers,
        panels=panels,
        notes=notes(part),
        footnotes=footnotes(part, panels),
        mark=floor_key(sweep),
    )


def readers(sweep: Results) -> Picture:
    """Return the picture of shared containers over the number of readers at the largest n: cost of one reader, reads of all."""
    n = sweep.sizes[-1]
    at = Results(sweep.context, [cell for cell in sweep.cells if cell.n == n])
    panels = []
    for op in at.ops:
        cost, rate = readers_points(at, op)
        panels += [
            Panel(f"{op}: what one reader takes", f"{at.unit_words} per element", cost, count_axis("readers", at.threads)),
            Panel(f"{op}: what all read together", "million elements per second", rate, count_axis("readers", at.threads)),
        ]
    for panel in panels:
        scale([panel])
    writes = at.context.get("writes", 0)
    locks = at.context.get("sharing", {})
    named = [f"{name} {found['readers']}/{found['writer']}" if found else f"{name} absent" for name, found in locks.items()]
    beside = f"beside {writes:,} writes per second" if writes else "without a writer"
    return Picture(
        name="readers",
        title=f"What readers take who share a container {beside}, n = {n:,}",
        columns=2,
        containers=at.containers,
        panels=panels,
        notes=[f"Readers/writer under: {', '.join(named)}.", *notes(at)],
        footnotes=footnotes(at, panels),
    )


def largest(sweep: Results) -> Picture:
    """Return the cost of an element at the largest n: a group of bars for each operation, a bar for each container."""
    part = sweep.part(ELEMENT)
    panel = _bars_at_largest(sweep, "")
    return Picture(
        name="largest-n",
        title=f"What one element costs at n = {part.sizes[-1]:,}: {sweep.unit_words} per element",
        columns=1,
        containers=part.containers,
        panels=[panel],
        notes=notes(part),
        footnotes=footnotes(part, [panel]),
        bars=True,
        panel_height=480,
        mark=floor_key(sweep),
    )


def datapath_bars(sweep: Results) -> Picture:
    """Return the cost of a packet: a panel for each payload, a group for each operation, a bar for each tunnel, a line for the bare link."""
    tunnels = [device for device in sweep.containers if device != datapath.BARE] or [datapath.BARE]
    ops = [op for op in DATAPATH_OPS if op in sweep.ops]
    panels = [_packet_panel(sweep, octets, ops, tunnels) for octets in sweep.sizes]
    return Picture(
        name="datapath",
        title=f"What one packet costs in each tunnel: {sweep.unit_words} per packet",
        columns=1,
        containers=[_packet_name(device) for device in tunnels],
        panels=panels,
        notes=[
            "tx: from the sender to the underlay's transmit. rx: from an encapsulated packet at the underlay to the receiver. "
            "path: from the sender to the receiver, over veth, through two network namespaces.",
            *notes(sweep),
        ],
        footnotes=_packet_footnotes(sweep, panels),
        bars=True,
        panel_height=330,
        styles=_packet_styles(tunnels),
        uncompared=_packet_name(datapath.ENCRYPTING),
        mark=BARE_LINK,
    )


def burst_bars(sweep: Results) -> Picture:
    """Return the cost of a packet in bursts: a panel for each operation, a group for each burst, a bar for each tunnel, a line for the bare link."""
    octets = datapath.usual(sweep.sizes)
    tunnels = [device for device in sweep.containers if device != datapath.BARE] or [datapath.BARE]
    panels = [_burst_panel(sweep, op, octets, tunnels) for op in DATAPATH_OPS if op in sweep.ops]
    return Picture(
        name="bursts",
        title=f"What one packet of {datapath.payload(octets)} costs in bursts: {sweep.unit_words} per packet",
        columns=1,
        containers=[_packet_name(device) for device in tunnels],
        panels=panels,
        notes=["A burst: the packets that are sent, or arrive, before the softirqs that they raise run.", *notes(sweep)],
        footnotes=_packet_footnotes(sweep, panels),
        bars=True,
        panel_height=330,
        styles=_packet_styles(tunnels),
        uncompared=_packet_name(datapath.ENCRYPTING),
        mark=BARE_LINK,
    )


def over_peers(sweep: Results) -> Picture:
    """Return the cost of a packet over the number of tunnels: a panel for each operation, a line for each device."""
    axis = dataclasses.replace(n_axis(sweep.peers), label="tunnels on one port")
    panels = [Panel(op, f"{sweep.unit_words} per packet", peers_points(sweep, op), axis) for op in DATAPATH_OPS if op in sweep.ops]
    for panel in panels:
        scale([panel])
    return Picture(
        name="peers",
        title=f"What one packet of {datapath.payload(sweep.sizes[0])} costs over the number of tunnels: {sweep.unit_words}",
        columns=1,
        containers=sweep.containers,
        panels=panels,
        notes=[
            "Each packet comes alone and takes a random tunnel. A tunnel is a device at both ends, in bareudp a route; all end in one port of the receiver.",
            *notes(sweep),
        ],
        footnotes=_packet_footnotes(sweep, panels),
        panel_height=PEERS_HEIGHT,
        styles=_packet_styles(sweep.containers),
    )


def side_by_side(sweep: Results) -> Picture | None:
    """Return an element in each container beside a packet through each tunnel; None if no packet was timed on the whole path."""
    containers, devices = sweep.part(ELEMENT), sweep.part(PACKET)
    if "path" not in devices.ops:
        return None
    octets = datapath.usual(devices.sizes)
    left = _bars_at_largest(sweep, f"one element, n = {containers.sizes[-1]:,}")
    right = _path_panel(devices, octets)
    stacked = len(containers.containers) > MOST_BESIDE
    if not stacked:
        left.share, right.share = 0.57, 0.43
    left.terse = True
    return Picture(
        name="containers-and-datapath",
        title=f"One element in a container, one packet through a tunnel: {containers.unit_words}",
        columns=1 if stacked else 2,
        containers=[*containers.containers, *right.series],
        panels=[left, right],
        notes=[
            "One run, one clock, two axes: one per element, the other per packet, from the sender to the receiver.",
            *notes(containers),
        ],
        footnotes=list(
            dict.fromkeys([*footnotes(containers, [left], "elements"), *_packet_footnotes(devices, [right])])
        ),
        bars=True,
        panel_height=400 if stacked else 500,
        styles={"udptun": SUBJECT_STYLE, PEERS: PEERS_STYLE, _packet_name(datapath.ENCRYPTING): ENCRYPTING_STYLE},
        uncompared=_packet_name(datapath.ENCRYPTING),
        mark="; ".join(filter(None, [floor_key(sweep), BARE_LINK])),
    )


def _panel(sweep: Results, title: str, series: dict[str, list[Point]], axis: Axis) -> Panel:
    panel = Panel(title, f"{sweep.unit_words} per element", series, axis)
    add_floors(panel, sweep, title)
    scale([panel])
    return panel


def _bars_at_largest(sweep: Results, title: str) -> Panel:
    """Return the panel of the containers: a group of bars for each operation, a bar for each container, at the largest n."""
    part = sweep.part(ELEMENT)
    n = part.sizes[-1]
    found = {op: points(part, op) for op in part.ops}
    levels = {
        container: {op: point for op in part.ops for point in found[op][container] if point.x == n}
        for container in part.containers
    }
    series, axis = _grouped(levels, part.ops)
    width = len(levels) + 1
    marks = [
        Mark(group * width - 0.4, (group + 1) * width - 1.6, point.median)
        for group, op in enumerate(part.ops)
        for point in floor_lines(sweep).get(floors.op_of(op, sweep.order) or "", [])
        if point.x == n and point.median > 0
    ]
    panel = Panel(title, f"{sweep.unit_words} per element", series, axis, marks)
    scale([panel], log_ratio=5 * LOG_RATIO, headroom=0.09 if len(levels) <= MOST_BESIDE else 0.16)
    return panel


def _packet_panel(sweep: Results, octets: int, ops: list[str], tunnels: list[str]) -> Panel:
    """Return the bars of one payload: a group for each operation."""
    found = {op: points(sweep, op) for op in ops}
    levels = {
        device: {op: point for op in ops for point in found[op][device] if point.x == octets}
        for device in sweep.containers
    }
    return _beside_bare(f"payload {datapath.payload(octets)}", "operation", sweep, levels, ops, tunnels)


def _burst_panel(sweep: Results, op: str, octets: int, tunnels: list[str]) -> Panel:
    """Return the bars of one operation: a group for each burst."""
    lines = burst_points(sweep, op, octets)
    levels = {device: {str(round(point.x)): point for point in line} for device, line in lines.items()}
    return _beside_bare(op, "packets in a burst", sweep, levels, [str(burst) for burst in sweep.bursts], tunnels)


def _beside_bare(
    title: str, axis_label: str, sweep: Results, levels: dict[str, dict[str, Point]], groups: Sequence[str], tunnels: Sequence[str]
) -> Panel:
    """Return groups of bars, with the bare link beside each group. `levels` has the points of each device by group."""
    bare = levels.get(datapath.BARE, {})
    series, axis = _grouped({_packet_name(device): levels[device] for device in tunnels}, groups, axis_label)
    width = len(tunnels) + 1
    marks = [
        Mark(number * width - 0.5, (number + 1) * width - 1.5, bare[group].median)
        for number, group in enumerate(groups)
        if group in bare
    ]
    panel = Panel(title, f"{sweep.unit_words} per packet", series, axis, marks)
    _scale_packets(panel)
    return panel


def _path_panel(sweep: Results, octets: int) -> Panel:
    """Return the panel of the tunnels: a bar for each tunnel, a packet from the sender to the receiver."""
    lines = points(sweep, "path")
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
    used = {name: line for name, line in series.items() if line}
    panel = Panel(f"one packet, payload {datapath.payload(octets)}", f"{sweep.unit_words} per packet", used, axis, marks)
    _scale_packets(panel)
    return panel


def _packet_styles(tunnels: Sequence[str]) -> dict[str, int]:
    """Return the line type of each tunnel, by its name in the key."""
    peers = [name for name in map(_packet_name, tunnels) if name != datapath.UDPTUN]
    own = {datapath.UDPTUN: SUBJECT_STYLE, _packet_name(datapath.ENCRYPTING): ENCRYPTING_STYLE}
    return {**{name: place for place, name in enumerate(peers, start=1)}, **own}


def _packet_name(device: str) -> str:
    """Return the name of a device in the key."""
    return f"{device} (encrypts: not compared)" if device == datapath.ENCRYPTING else device


def _grouped(levels: dict[str, dict[str, Point]], ops: Sequence[str], label: str = "operation") -> tuple[dict[str, list[Point]], Axis]:
    """Return grouped bars: from points by series and group, usually an operation, the bars of each series and the axis below them."""
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
    return series, Axis(label, -1.0 - margin, width - 1.0 + margin, ticks)


def _scale_packets(panel: Panel) -> None:
    """Return a linear axis from zero for the values that are compared. Larger values and stray ends are clipped."""
    compared = {name: line for name, line in panel.series.items() if name != _packet_name(datapath.ENCRYPTING)}
    largest_medians = [max(point.median for point in line) for line in compared.values() if line]
    middle = statistics.median(largest_medians) if largest_medians else 0.0
    medians = [value for value in largest_medians if value <= OUTLIER * middle] + [mark.value for mark in panel.marks]
    limit = max([*medians, 0.0]) or 1.0
    ends = [point.high for line in panel.series.values() for point in line]
    panel.high = 1.12 * max([limit, *(min(value, CLIP * limit) for value in ends)])


def _packet_footnotes(sweep: Results, panels: Sequence[Panel]) -> list[str]:
    """Return the footnotes, with the absent devices."""
    absent = sweep.context.get("absent_devices", {})
    return [*(f"Absent: {kind} ({reason})." for kind, reason in absent.items()), *footnotes(sweep, panels, "packets")]
