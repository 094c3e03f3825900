# SPDX-License-Identifier: GPL-2.0
"""Prints the table of dsbench headline."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence

from ..errors import HarnessError
from ..results import datapath, results, table
from ..results.results import Results
from . import overhead
from .overhead import SUBJECT, Column, Overhead


def run(args: argparse.Namespace) -> int:
    """Print the table of a result file. Return the exit status. HarnessError if the file has no bursts."""
    sweep = results.read(args.file)
    if not sweep.in_bursts.cells:
        raise HarnessError(f"{args.file} has no packets in bursts: measure them with harness/dsbench sweep --device {SUBJECT} vxlan geneve")
    octets = datapath.usual(sweep.in_bursts.sizes)
    found = overhead.columns(sweep, octets)
    if not found:
        raise HarnessError(f"{args.file} has no bare link to compare with: its {datapath.BARE} is below the clock's resolution or missing")
    for line in [*lines(found), "", *sentences(sweep, octets, found)]:
        print(line)
    return 0


def lines(found: Sequence[Column]) -> list[str]:
    """Return the lines of the Markdown table."""
    devices = list(dict.fromkeys(name for column in found for name in column.tunnels))
    rows = [["", *(column.title for column in found)], ["---", *("---:" for _ in found)]]
    rows.append([f"{datapath.BARE}, the bare link: all of it", *(table.figure(column.bare) for column in found)])
    for device in devices:
        name = f"**{device}**" if device == SUBJECT else f"{device} (encrypts)" if device == datapath.ENCRYPTING else device
        rows.append([name, *(_cell(column, device) for column in found)])
    return [f"| {' | '.join(row)} |" for row in rows]


def _cell(column: Column, device: str) -> str:
    own = column.tunnels.get(device)
    if own is None:
        return "-"
    text = f"{'+' if own.median > 0 else ''}{_whole(own.median)}"
    ratio = _ratio(column, device)
    return f"{text} ({ratio.median:.2f})" if ratio and device != datapath.ENCRYPTING else text


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _ratio(column: Column, device: str) -> Overhead | None:
    try:
        return column.ratio(device)
    except ValueError:
        return None


def sentences(sweep: Results, octets: int, found: Sequence[Column]) -> list[str]:
    """Return what the table shows, how sure it is, where udptun is not the best, and the command."""
    context = sweep.context
    said = [
        f"{sweep.unit_words} per packet of {datapath.payload(octets)}: above the bare link, and in parentheses as a share of the best peer's."
        f" {sweep.label}, kernel {context['kernel']}, revision {context.get('git_revision', 'unknown')}{', changed' if context.get('git_dirty') else ''}.",
        f"{table.packets(sweep)[0].upper()}{table.packets(sweep)[1:]}." if context.get("device_options") else "",
    ]
    ratios = [(column, ratio) for column in found if SUBJECT in column.tunnels and (ratio := _ratio(column, SUBJECT))]
    if ratios:
        each = (f"{column.title} {ratio.median:.3f} ({ratio.low:.3f} to {ratio.high:.3f}, {column.best})" for column, ratio in ratios)
        said.append(f"{SUBJECT}'s share of the best peer's overhead, with its 95 % interval and the peer: {'; '.join(each)}.")
        worse = [f"{column.title} ({column.best} adds less)" for column, ratio in ratios if ratio.median > 1]
        said.append(f"{SUBJECT} is not the best in {', '.join(worse)}." if worse else f"{SUBJECT} adds least in all of them.")
    said.append(f"Measured by `{command(sweep)}`, printed by `harness/dsbench headline FILE`.")
    return [line for line in said if line]


def command(sweep: Results) -> str:
    """Return the command that measures the packets of a result again."""
    context = sweep.context
    words = ["harness/dsbench", "sweep", "--target", str(context["target"])]
    words += ["--accel", str(context["accel"])] if context.get("accel") else []
    words += ["--kernel", str(context["kernel"])] if context["target"] == "qemu" else []
    words += ["--device", *(kind for kind in context.get("devices", ()) if kind != datapath.BARE)]
    words += ["--payloads", *map(str, context.get("payloads", ()))]
    words += ["--burst", *map(str, sweep.in_bursts.bursts)]
    for name, usual in datapath.PACKET_SETTINGS.items():
        if context.get(name, usual) != usual:
            words += [f"--{name.replace('_', '-')}", str(context[name])]
    return shlex.join(words)
