# SPDX-License-Identifier: GPL-2.0
"""The overhead of a packet over the bare link, of each device, with its 95 % interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..results import datapath, results
from ..results.results import Results
from ..results.samples import name_of

SUBJECT = datapath.UDPTUN


@dataclass(frozen=True)
class Overhead:
    """What a packet costs more than over the bare link, in counts: the difference of medians, and of the ends of their intervals."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Column:
    """One operation in one burst: the whole cost over the bare link, and the overhead of each tunnel."""

    op: str
    burst: int
    bare: float
    tunnels: Mapping[str, Overhead]

    @property
    def title(self) -> str:
        """Its heading."""
        return f"{self.op}, burst {self.burst}"

    @property
    def peers(self) -> dict[str, Overhead]:
        """The tunnels that udptun is compared with."""
        return {name: one for name, one in self.tunnels.items() if name not in (*datapath.OWN, datapath.ENCRYPTING)}

    @property
    def best(self) -> str:
        """The peer that adds least; "" without peers."""
        return min(self.peers, key=lambda name: self.peers[name].median, default="")

    def ratio(self, device: str) -> Overhead:
        """Return the overhead of a device divided by that of the best peer. ValueError without a peer that adds anything."""
        own, best = self.tunnels[device], self.tunnels.get(self.best)
        if best is None or best.low <= 0:
            raise ValueError(device)
        if device == self.best:
            return Overhead(1.0, 1.0, 1.0)
        return Overhead(own.median / best.median, own.low / best.high, own.high / best.low)


def columns(sweep: Results, octets: int) -> list[Column]:
    """Return the columns of a payload: each operation in the shortest and in the longest burst. Cells below resolution are left out."""
    cells = {cell.name: cell for cell in sweep.cells if sweep.is_resolved(cell)}
    bursts = sorted({min(sweep.in_bursts.bursts), max(sweep.in_bursts.bursts)}) if sweep.in_bursts.cells else []
    found = []
    for op in sweep.in_bursts.ops:
        for burst in bursts:
            link = cells.get(name_of(datapath.BARE, op, octets, burst=burst))
            if not link:
                continue
            bare, around = results.per_work(link).median, results.median_interval(link)
            tunnels = {}
            for device in sweep.in_bursts.containers:
                cell = cells.get(name_of(device, op, octets, burst=burst))
                if cell and device != datapath.BARE:
                    interval = results.median_interval(cell)
                    tunnels[device] = Overhead(results.per_work(cell).median - bare, interval.low - around.high, interval.high - around.low)
            found.append(Column(op, burst, bare, tunnels))
    return found
