# SPDX-License-Identifier: GPL-2.0
"""The rows of the tunnel's comparison: what a packet costs more over udptun_rust, and over udptun, than over the bare link.

The link's median is subtracted from each try of both drivers. All rows are one family for Holm's correction.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ..compare import verdict
from ..compare.verdict import Comparison, Rule
from ..results import results
from ..results.datapath import BARE, OWN, RUST, SEGMENT, UDPTUN
from ..results.results import Results
from ..results.samples import DATAPATH_OPS, name_of

GOAL = 1.10
"""The largest ratio of overheads that the driver in Rust is to have."""


@dataclass(frozen=True)
class Row:
    """One operation, payload and burst. `burst` is 0 for a GSO packet, which is a burst of its own."""

    op: str
    octets: int
    burst: int
    link: float
    """The bare link's cost of a packet."""
    found: Comparison
    """Before is the overhead of udptun, after that of udptun_rust."""

    @property
    def meets_goal(self) -> bool:
        """Whether the ratio of overheads is at most GOAL."""
        return self.found.ratio <= GOAL


def rows(swept: Results, by: Rule) -> list[Row]:
    """Return a row for each operation, payload and burst that the link and both drivers have."""
    samples = results.comparable_samples(swept, swept)[0]
    medians = {cell.name: results.per_work(cell).median for cell in swept.cells if swept.is_resolved(cell)}
    places = {
        name_of(RUST, op, octets, burst=burst): (op, octets, burst)
        for op in DATAPATH_OPS for octets in swept.context.get("payloads", ())
        for burst in (swept.context.get("bursts", ()) if octets <= SEGMENT else (0,))
        if all(name_of(device, op, octets, burst=burst) in medians for device in (BARE, *OWN))
    }  # fmt: skip
    links = {name: medians[name_of(BARE, op, octets, burst=burst)] for name, (op, octets, burst) in places.items()}
    sides = [
        {name: [[count - links[name] for count in samples[name_of(device, op, octets, burst=burst)]]] for name, (op, octets, burst) in places.items()}
        for device in (UDPTUN, RUST)
    ]
    compared = verdict.compare(sides[0], sides[1], by)
    return [Row(*place, links[name], found) for (name, place), found in zip(places.items(), compared)]


def means(some: Sequence[Row]) -> dict[str, float]:
    """Return the geometric mean of the ratios of each operation."""
    found = {op: [row.found.ratio for row in some if row.op == op and math.isfinite(row.found.ratio)] for op in DATAPATH_OPS}
    return {op: statistics.geometric_mean(ratios) for op, ratios in found.items() if ratios}
