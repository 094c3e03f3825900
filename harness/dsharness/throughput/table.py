# SPDX-License-Identifier: GPL-2.0
"""Prints the throughput: a table of traffic and a table of offloads for each kernel."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column, Table

from ..console import console
from ..results.datapath import RUST, UDPTUN
from ..statistics.wording import probability
from ..tunnel.devices import LINK
from ..tunnel.table import NOTHING, interval, judged, number
from .offloads import DEFAULT, Setting
from .record import Figure, Throughput

LOG_COLUMNS = 110
COSTLY = 1.5
"""A setting that costs this factor more than the cheapest one is named below the table."""


def show(run: Throughput, out: Console | None = None) -> None:
    """Print all tables and what must be said of them."""
    out = out or console(LOG_COLUMNS)
    for kernel in run.kernels:
        out.print(f"throughput by traffic, {_unit(run)}, kernel {kernel}", _traffic(run, kernel), sep="\n")
        if run.against_c(kernel):
            out.print(f"throughput of {RUST} against that of {UDPTUN}, {run.context['rounds']} rounds, kernel {kernel}", _rust(run, kernel), sep="\n")
        if len(_settings(run, kernel)) > 1:
            out.print(f"throughput by offloads, TCP, 1 flow, {_unit(run)}, kernel {kernel}", _offloads(run, kernel), sep="\n")
    for line in notes(run):
        out.print(line)


def notes(run: Throughput) -> list[str]:
    """Return what a reader must know: costly settings first, then what is absent."""
    counted = run.kernels if run.counts_instructions else []  # time varies more than settings on a busy machine
    said = [line for kernel in counted for device in run.devices(kernel) for line in _costly(run, kernel, device)]
    said += [f"{name} is absent: {reason}" for name, reason in run.context["absent"].items()]
    measured = {device for kernel in run.kernels for device in run.devices(kernel)}
    told = [f"{name}: {words}" for name, words in run.context["device_options"].items() if name in measured]
    said += [f"Options, without an outer checksum: {'; '.join(told)}."] if told else []
    said.append("One CPU runs both ends: a figure is the work of sender and receiver together. Traffic: no outer checksum, TSO and GRO on.")
    return said


def _unit(run: Throughput) -> str:
    return "Mbit/s (instructions a byte)" if run.counts_instructions else "Mbit/s"


def _cell(run: Throughput, found: Figure | None) -> str:
    if not found:
        return NOTHING
    return f"{number(found.mbit_per_second)} ({found.per_byte:.2f})" if run.counts_instructions else number(found.mbit_per_second)


def _traffic(run: Throughput, kernel: str) -> Table:
    kinds = run.traffic(kernel)
    table = Table("interface")
    for kind in kinds:
        table.add_column(kind.title, justify="right")
    for device in run.devices(kernel):
        table.add_row(_name(device), *(_cell(run, run.find(kernel, device, DEFAULT, kind.name)) for kind in kinds))
    return table


def _rust(run: Throughput, kernel: str) -> Table:
    table = Table("traffic", *(Column(name, justify="right") for name in ("change", "95 % interval", "Welch p", "Mann-Whitney p")), "goal")
    titles = {kind.name: kind.title for kind in run.traffic(kernel)}
    for name, found in run.against_c(kernel).items():
        p = (probability(found.welch_p), probability(found.mann_whitney_p))
        table.add_row(titles[name], f"{found.change:+.3%}", interval(found), *p, judged(found))
    return table


def _settings(run: Throughput, kernel: str) -> list[Setting]:
    return list(dict.fromkeys(one.cell.setting for one in run.samples if one.kernel == kernel))


def _offloads(run: Throughput, kernel: str) -> Table:
    devices = run.devices(kernel)
    kind = _kind(run)
    table = Table("outer checksum", "TSO", "GRO")
    for device in devices:
        table.add_column(_name(device), justify="right")
    for setting in _settings(run, kernel):
        words = (setting.checksum, "on" if setting.tso else "off", "on" if setting.gro else "off")
        table.add_row(*words, *(_cell(run, run.find(kernel, device, setting, kind)) for device in devices))
    return table


def _kind(run: Throughput) -> str:
    """Return the kind of traffic that every setting has."""
    return run.traffic(run.kernels[0])[0].name


def _costly(run: Throughput, kernel: str, device: str) -> list[str]:
    costs = {setting: found.per_byte for setting in _settings(run, kernel) if (found := run.find(kernel, device, setting, _kind(run)))}
    if not costs:
        return []
    best, worst = (choose(costs, key=lambda setting: costs[setting]) for choose in (min, max))
    factor = costs[worst] / costs[best]
    if factor < COSTLY:
        return []
    return [f"{kernel}: {_name(device)} costs {factor:.1f} times as much a byte with {worst.label()} as with {best.label()}"]


def _name(device: str) -> str:
    return "bare link" if device == LINK else device
