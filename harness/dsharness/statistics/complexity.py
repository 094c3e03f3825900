# SPDX-License-Identifier: GPL-2.0
"""Growth of the cost of one element with n, by least squares, as Google Benchmark fits its curves.

The fit is to the cost of one element or lookup, in clock counts. Each class of growth has one coefficient c in cost = c * g(n).
Its RMS is the RMS of the residuals divided by the mean cost. O(1), O(log n) and O(n) for one element are O(n), O(n log n) and
O(n^2) for the whole operation on n elements.

Caches bend the costs. There a class is fitted a second time with its growth bent as a cost that is known to be O(1) is bent:
cost = c * g(n) * bend(n). The better fit is the fit of the class.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LEAST_SIZES = 4
LEAST_SPAN = 16
"""Minimum range of n: the classes look alike over a shorter range."""
FIRST_N = 64
"""Minimum n: below it, the fixed cost of a try outweighs its elements."""
POOR_RMS = 0.4
"""A class with a larger RMS does not fit."""


@dataclass(frozen=True)
class Growth:
    """A class of growth: its names for one element, for all n, and in Google Benchmark's files."""

    name: str
    whole: str
    google: str
    of: Callable[[float], float]


GROWTHS = (
    Growth("O(1)", "O(n)", "(1)", lambda n: 1.0),
    Growth("O(log n)", "O(n log n)", "lgN", math.log2),
    Growth("O(n)", "O(n^2)", "N", lambda n: n),
)


@dataclass(frozen=True)
class Fit:
    """The fit of one class: the coefficient in clock counts, the RMS as a share of the mean cost."""

    growth: Growth
    coefficient: float
    rms: float
    bent_rms: float = math.inf
    """The same for the class bent as caches bend it."""

    @property
    def rest(self) -> float:
        """RMS of the better fit, as a share of the mean cost."""
        return min(self.rms, self.bent_rms)


@dataclass(frozen=True)
class Complexity:
    """The fits of all classes, the best first, over `sizes` of n. Classes that tie with the best cannot be distinguished.

    If there are no fits, or none is good, `reason` says why.
    """

    fits: tuple[Fit, ...]
    sizes: tuple[int, ...]
    ties: int
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether a class fits."""
        return not self.reason

    @property
    def likely(self) -> list[Growth]:
        """The class, or all classes that cannot be distinguished, the lowest first."""
        return [growth for growth in GROWTHS if growth in [fit.growth for fit in self.fits[: self.ties]]] if self.known else []

    @property
    def word(self) -> str:
        """The class for one element in words, or "-"."""
        return " or ".join(growth.name for growth in self.likely) or "-"

    @property
    def whole(self) -> str:
        """The class for all n elements in words, or "-"."""
        return " or ".join(growth.whole for growth in self.likely) or "-"


def fit(
    costs: Sequence[tuple[int, float]], tolerance: float, last: float = math.inf, bend: Mapping[int, float] | None = None
) -> Complexity:
    """Fit the growth of `costs`, pairs of n and the counts of one element, from FIRST_N to `last`.

    Classes whose RMS is within `tolerance` of the best cannot be distinguished. Costs that are not above zero, below the clock's
    resolution, are left out. `bend` is a cost by n that is O(1) apart from caches; it is used if it has every n.
    """
    used = sorted((n, cost) for n, cost in costs if FIRST_N <= n <= last and cost > 0 and math.isfinite(cost))
    sizes = tuple(n for n, _ in used)
    span = f"from {FIRST_N}" + (f" to {last:,.0f}" if math.isfinite(last) else " on")
    if len(set(sizes)) < LEAST_SIZES:
        return Complexity((), sizes, 0, f"{len(set(sizes))} sizes {span} are above the resolution, {LEAST_SIZES} are needed")
    if sizes[-1] < LEAST_SPAN * sizes[0]:
        return Complexity((), sizes, 0, f"the sizes {span} are less than a factor of {LEAST_SPAN} apart")
    straight = bend is None or any(bend.get(n, 0) <= 0 for n in sizes)
    fits = sorted((_fitted(growth, used, None if straight else bend) for growth in GROWTHS), key=lambda found: found.rest)
    best = fits[0].rest
    ties = sum(found.rest <= best + tolerance for found in fits)
    reason = f"no class fits: the best leaves {best:.0%}" if best > POOR_RMS else ""
    return Complexity(tuple(fits), sizes, ties, reason)


def _fitted(growth: Growth, costs: Sequence[tuple[int, float]], bend: Mapping[int, float] | None) -> Fit:
    grown = [growth.of(n) for n, _ in costs]
    cost = [cost for _, cost in costs]
    coefficient, rms = _least_squares(grown, cost)
    if bend is None:
        return Fit(growth, coefficient, rms)
    _, bent_rms = _least_squares([value * bend[n] for value, (n, _) in zip(grown, costs)], cost)
    return Fit(growth, coefficient, rms, bent_rms)


def _least_squares(grown: Sequence[float], costs: Sequence[float]) -> tuple[float, float]:
    """Return the coefficient of the best fit of `grown`, and the RMS of the residuals as a share of the mean cost."""
    cost = np.array(costs)
    (coefficient,), *_ = np.linalg.lstsq(np.array(grown)[:, np.newaxis], cost, rcond=None)
    rest = cost - coefficient * np.array(grown)
    return float(coefficient), float(np.sqrt(np.mean(rest**2)) / np.mean(cost))
