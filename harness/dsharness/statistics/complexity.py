# SPDX-License-Identifier: GPL-2.0
"""How the cost of one element grows with n: least squares, as Google Benchmark fits its curves.

What is fitted is the cost of one element or lookup, in clock counts. Each class of growth has one coefficient c in
cost = c * g(n); its RMS is that of what is left over, divided by the mean cost. O(1), O(log n) and O(n) for one element
are O(n), O(n log n) and O(n^2) for the whole operation on n of them.

Where caches bend the costs, a class is tried a second time with its growth bent as they bend a cost that is known to be
O(1): cost = c * g(n) * bend(n). The better of the two says how well the class fits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

LEAST_SIZES = 4
LEAST_SPAN = 16
"""Over a shorter range of n the classes look alike."""
FIRST_N = 64
"""Below, what a try costs at any n outweighs its elements."""
POOR_RMS = 0.4
"""A class that leaves so much over is none."""


@dataclass(frozen=True)
class Growth:
    """A class of growth: its name for one element, for all n, and in Google Benchmark's files."""

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
    """One class fitted: the coefficient in clock counts, the RMS as a share of the mean cost."""

    growth: Growth
    coefficient: float
    rms: float
    bent_rms: float = math.inf
    """The same where the class is bent as caches bend it."""

    @property
    def rest(self) -> float:
        """What it leaves over at best, as a share of the mean cost."""
        return min(self.rms, self.bent_rms)


@dataclass(frozen=True)
class Complexity:
    """All classes fitted, the best first, over `sizes` of n; those that tie with the best are not told apart.

    Without fits, or where none is good, `reason` says why.
    """

    fits: tuple[Fit, ...]
    sizes: tuple[int, ...]
    ties: int
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a class to name."""
        return not self.reason

    @property
    def likely(self) -> list[Growth]:
        """The class, or all of those that are not told apart, the lowest first."""
        return [growth for growth in GROWTHS if growth in [fit.growth for fit in self.fits[: self.ties]]] if self.known else []

    @property
    def word(self) -> str:
        """The class for one element in words, or "-"."""
        return " or ".join(growth.name for growth in self.likely) or "-"

    @property
    def whole(self) -> str:
        """The class for all n of them in words, or "-"."""
        return " or ".join(growth.whole for growth in self.likely) or "-"


def fit(
    costs: Sequence[tuple[int, float]], tolerance: float, last: float = math.inf, bend: Mapping[int, float] | None = None
) -> Complexity:
    """The growth of `costs`, pairs of n and the counts of one element, fitted from FIRST_N to `last`.

    Classes whose RMS is within `tolerance` of the best are not told apart. Costs that are not above zero, below the
    clock's resolution, are left out. `bend` has a cost by n that is O(1) but for caches; it is used where it has every n.
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
    """The coefficient of `grown` that fits best, and the RMS of what it leaves over as a share of the mean cost."""
    cost = np.array(costs)
    (coefficient,), *_ = np.linalg.lstsq(np.array(grown)[:, np.newaxis], cost, rcond=None)
    rest = cost - coefficient * np.array(grown)
    return float(coefficient), float(np.sqrt(np.mean(rest**2)) / np.mean(cost))
