# SPDX-License-Identifier: GPL-2.0
"""Agreement of two sweeps of the same thing: the ratio of one figure of each cell's comparable tries, by default the median."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..errors import HarnessError
from ..statistics import stats
from . import results
from .results import Results


@dataclass(frozen=True)
class Agreement:
    """The figures of the second sweep divided by those of the first, by cell, and the cells without a ratio."""

    ratios: dict[str, float]
    unresolved: list[str]

    @property
    def typical(self) -> float:
        """Typical difference of the cells: the geometric mean of the larger figure over the smaller, minus 1."""
        return stats.typical_change(list(self.ratios.values()))

    @property
    def worst(self) -> tuple[str, float]:
        """The cell that differs most, and its ratio."""
        return max(self.ratios.items(), key=lambda entry: stats.typical_change([entry[1]]))

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        name, ratio = self.worst
        return {
            "typical_change": self.typical,
            "worst": {"cell": name, "ratio": ratio},
            "ratios": self.ratios,
            "below_resolution": self.unresolved,
        }


def of(first: Results, second: Results, figure: str = "median", wanted: re.Pattern[str] | None = None) -> Agreement:
    """Compare two sweeps by one figure of stats.Summary. `wanted` matches the names of the cells to compare; None selects all.

    HarnessError if no cell is above the clock's resolution in both.
    """
    before, after = (
        {name: getattr(stats.summarise(values), figure) for name, values in side.items()} for side in results.comparable_samples(first, second)
    )
    unresolved = {name for sweep in (first, second) for name in sweep.context.get(results.BELOW_RESOLUTION, ())}
    shared = [name for name in before if name in after and (not wanted or wanted.search(name))]
    resolved = [name for name in shared if name not in unresolved and before[name] > 0 and after[name] > 0]
    if not resolved:
        raise HarnessError("no cell of the two sweeps is above the clock's resolution: there is nothing to compare")
    ratios = {name: after[name] / before[name] for name in resolved}
    return Agreement(ratios, [name for name in shared if name not in ratios])
