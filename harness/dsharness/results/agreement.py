# SPDX-License-Identifier: GPL-2.0
"""How well two sweeps of the same thing agree: the ratio of one figure of each cell's telling tries, the median as a rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import HarnessError
from ..statistics import stats
from . import results
from .results import Results


@dataclass(frozen=True)
class Agreement:
    """The second sweep's figures over the first's, by cell, and the cells that have no ratio."""

    ratios: dict[str, float]
    unresolved: list[str]

    @property
    def typical(self) -> float:
        """By how much the cells typically differ: the geometric mean of the larger over the smaller, less 1."""
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


def of(first: Results, second: Results, figure: str = "median") -> Agreement:
    """Compare two sweeps by one figure of stats.Summary.

    HarnessError when no cell of both is above the clock's resolution.
    """
    before, after = (
        {name: getattr(stats.summarise(values), figure) for name, values in side.items()} for side in results.comparable_samples(first, second)
    )
    shared = [name for name in before if name in after]
    resolved = [name for name in shared if before[name] > 0 and after[name] > 0]
    if not resolved:
        raise HarnessError("no cell of the two sweeps is above the clock's resolution: there is nothing to compare")
    ratios = {name: after[name] / before[name] for name in resolved}
    return Agreement(ratios, [name for name in shared if name not in ratios])
