# SPDX-License-Identifier: GPL-2.0
"""The matrix as steps for guest/tunnel.sh: tunnels without an outer checksum, then with one; for each setting all measurements."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..tunnel.devices import LINK, Device
from ..tunnel.meters import Tool
from ..tunnel.sides import Side
from ..tunnel.steps import NO_PART, Experiment, Step, Take, at, begin, inner_addresses, tunnel
from .offloads import DEFAULT, Setting
from .traffic import PYTHON, SERVERS

FEATURES = "features.py"


@dataclass(frozen=True)
class Cell:
    """One measurement. `order` is its place among all."""

    device: str
    setting: Setting
    traffic: Tool
    order: int
    round: int = 0


def part(device: str, setting: Setting) -> str:
    """Return the part that a step of guest/tunnel.sh belongs to: a device can be absent with an outer checksum alone."""
    if device == LINK:
        return NO_PART
    return f"{device}-csum" if setting.has_outer_checksum else device


def steps(what: Experiment, settings: Sequence[Setting], traffic: Sequence[Tool]) -> tuple[list[Step], list[Cell]]:
    """Return all steps, and the cells by their order. The default setting gets all kinds of traffic, every other one the first.

    Each of several rounds measures all of a setting, in an order of its own.
    """
    shuffler = random.Random(what.seed)
    made = list(begin(what, SERVERS))
    cells: list[Cell] = []
    before: Setting | None = None
    for setting in settings:
        if before is None or before.has_outer_checksum != setting.has_outer_checksum:
            made += _remake(what, before, setting)
        made += _turn(what, setting)
        devices = [name for name in (LINK, *(one.name for one in what.devices)) if setting.concerns(name)]
        pairs = [(name, kind) for name in devices for kind in (traffic if setting == DEFAULT else traffic[:1])]
        for number in range(what.rounds):
            if what.rounds > 1:
                shuffler.shuffle(pairs)
            for name, kind in pairs:
                cells.append(Cell(name, setting, kind, len(cells), number))
                made.append(_take(what, cells[-1]))
        before = setting
    return made, cells


def _remake(what: Experiment, before: Setting | None, setting: Setting) -> Iterator[Step]:
    """Return the steps that replace the tunnels of the setting before."""
    for index, device in enumerate(what.devices, start=1):
        if before is not None:
            yield from _remove(what, device, part(device.name, before))
        yield from tunnel(what, device, index, part(device.name, setting), checksum=setting.has_outer_checksum)


def _remove(what: Experiment, device: Device, of: str) -> Iterator[Step]:
    for side in (what.link.near, what.link.far):
        yield from (at(side, "try", ("ip", *words), of) for words in device.undo())


def _turn(what: Experiment, setting: Setting) -> Iterator[Step]:
    """Return the steps that set the underlay's features, and GRO of the tunnels, at both ends."""
    gro = f"rx-gro={'on' if setting.gro else 'off'}"
    for side in (what.link.near, what.link.far):
        for words in setting.features():
            yield _features(side, words, "veth0", NO_PART)
        for device in what.devices:
            yield _features(side, gro, f"dsb-{device.name}", part(device.name, setting))


def _features(side: Side, words: str, device: str, of: str) -> Step:
    return at(side, "do", (PYTHON, FEATURES, words, device), of)


def _take(what: Experiment, cell: Cell) -> Step:
    index = next((place for place, device in enumerate(what.devices, start=1) if device.name == cell.device), 0)
    address = inner_addresses(index)[1] if index else what.link.far_address
    return at(
        what.link.near, "take", cell.traffic.client(address, what.seconds), part(cell.device, cell.setting),
        take=Take(cell.round, cell.order, f"{cell.device} {cell.setting.label()}", cell.traffic),
    )  # fmt: skip
