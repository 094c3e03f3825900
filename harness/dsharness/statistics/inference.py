# SPDX-License-Identifier: GPL-2.0
"""What samples say about what they were drawn from: intervals, outliers, and whether two sets differ by more than chance.

Nothing here drops a sample, and nothing draws at random: a seed fixes every bootstrap.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Values = npt.NDArray[np.float64]

RESAMPLES = 1999
MILD, SEVERE = 1.5, 3.0
"""Tukey's fences: so many interquartile ranges beyond the quartiles."""


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`, in the unit of the samples."""

    low: float
    high: float


@dataclass(frozen=True)
class Outliers:
    """How many samples lie beyond the fences; a severe one is not counted as mild, too."""

    mild_low: int
    mild_high: int
    severe_low: int
    severe_high: int

    @property
    def mild(self) -> int:
        """On either side."""
        return self.mild_low + self.mild_high

    @property
    def severe(self) -> int:
        """On either side."""
        return self.severe_low + self.severe_high


def median_interval(values: Sequence[float] | Values, confidence: float = 0.95, seed: int = 1) -> Interval:
    """The percentile bootstrap's interval of the median of at least one sample; without spread it is the one value."""
    return _percentiles(bootstrap_medians(values, seed), confidence)


def ratio_interval(
    before: Sequence[float] | Values, after: Sequence[float] | Values, confidence: float = 0.95, seed: int = 1
) -> Interval:
    """The interval of median(after) / median(before), each resampled by itself; infinite where a median may be zero."""
    below, above = bootstrap_medians(before, seed), bootstrap_medians(after, seed + 1)
    if below.min() <= 0:
        return Interval(-math.inf, math.inf)
    return _percentiles(above / below, confidence)


def outliers(values: Sequence[float] | Values) -> Outliers:
    """Class what lies beyond the fences: mild from 1.5, severe from 3 interquartile ranges on."""
    sample = np.asarray(values, dtype=np.float64)
    first, third = np.percentile(sample, (25, 75))
    spread = stats.iqr(sample)
    severe_low, severe_high = (int(n) for n in _beyond(sample, first - SEVERE * spread, third + SEVERE * spread))
    low, high = (int(n) for n in _beyond(sample, first - MILD * spread, third + MILD * spread))
    return Outliers(low - severe_low, high - severe_high, severe_low, severe_high)


def mann_whitney(a: Sequence[float] | Values, b: Sequence[float] | Values) -> float:
    """Mann and Whitney's U, two-sided: the chance of sets at least this far apart if both come from one distribution.

    1.0 when all samples are one value. Never below what the sizes can show: with ties the normal approximation would be.
    """
    one, other = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if np.ptp(np.concatenate((one, other))) == 0:
        return 1.0
    p = float(stats.mannwhitneyu(one, other, alternative="two-sided").pvalue)
    return max(p, least_p(one.size, other.size))


def signed_rank(differences: Sequence[float] | Values) -> float:
    """Wilcoxon's signed rank test, two-sided: the chance of pairs at least this far apart if neither side tends to be larger.

    Pairs that do not differ say nothing: 1.0 when there are no others. Never below what the number of pairs can show, as for mann_whitney().
    """
    values = np.asarray(differences, dtype=np.float64)
    unlike = values[values != 0]
    if not unlike.size:
        return 1.0
    return max(float(stats.wilcoxon(unlike).pvalue), least_p_of_pairs(unlike.size))


def least_p_of_pairs(pairs: int) -> float:
    """The smallest p that signed_rank() can give: all signs alike, one way or the other."""
    return min(1.0, 2.0 ** (1 - pairs))


def least_p(a: int, b: int) -> float:
    """The smallest p that mann_whitney() can give for sets of these sizes: one order of all that there are, and its mirror."""
    return min(1.0, 2 / math.comb(a + b, a))


def least_size(alpha: float, family: int, paired: bool = False) -> int:
    """How many samples a side must have so that one of `family` cells can be significant after Holm's correction."""
    size = 1
    while (least_p_of_pairs(size) if paired else least_p(size, size)) * family >= alpha:
        size += 1
    return size


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down correction: each p as if it had been the only test, for the chance of any false alarm in all."""
    count = len(p)
    adjusted, highest = [1.0] * count, 0.0
    for rank, place in enumerate(sorted(range(count), key=lambda place: p[place])):
        highest = max(highest, min(1.0, (count - rank) * p[place]))
        adjusted[place] = highest
    return adjusted


def bootstrap_medians(values: Sequence[float] | Values, seed: int) -> Values:
    """The medians of RESAMPLES resamples: scipy.stats.bootstrap's distribution, at a cost that hardly grows with the size."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    low, high = _middle_ranks(ordered.size, seed)
    return np.asarray((ordered[low] + ordered[high]) / 2, dtype=np.float64)


@functools.lru_cache(maxsize=64)
def _middle_ranks(size: int, seed: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Which ranks of a sample end up in the middle of each resample: that depends on its size alone.

    A resample is `size` uniform draws of ranks, and the k-th of so many uniform draws has a beta distribution: so it is
    drawn at once, and for an even size the one after it, which is the least of those that are left.
    """
    draw = np.random.default_rng(seed)
    k = (size + 1) // 2
    first = draw.beta(k, size + 1 - k, RESAMPLES)
    second = first if size % 2 else first + (1 - first) * draw.beta(1, size - k, RESAMPLES)
    low, high = (np.minimum((size * place).astype(np.intp), size - 1) for place in (first, second))
    return low, high


def _percentiles(distribution: Values, confidence: float) -> Interval:
    tail = 50 * (1 - confidence)
    low, high = np.percentile(distribution, (tail, 100 - tail))
    return Interval(float(low), float(high))


def _beyond(sample: Values, low: float, high: float) -> tuple[int, int]:
    return int(np.count_nonzero(sample < low)), int(np.count_nonzero(sample > high))
