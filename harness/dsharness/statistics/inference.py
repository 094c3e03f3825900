# SPDX-License-Identifier: GPL-2.0
"""Inference from samples: intervals, outliers, and whether two sets differ by more than chance.

No sample is dropped, and a seed makes every bootstrap repeatable.
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
EXACT_SIZE = 20
"""Samples a side up to which a Mann-Whitney p is exact, if no two are equal. For ten a side, the normal approximation is never below
0.00018: too much for a family of 275 cells, whatever their difference."""
MILD, SEVERE = 1.5, 3.0
"""Tukey's fences, in interquartile ranges beyond the quartiles."""


@dataclass(frozen=True)
class Interval:
    """An interval from `low` to `high`, in the unit of the samples."""

    low: float
    high: float


@dataclass(frozen=True)
class Outliers:
    """Number of samples beyond the fences. A severe outlier does not count as mild."""

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
    """Return the percentile bootstrap interval of the median of at least one sample. Without spread it is the single value."""
    return _percentiles(bootstrap_medians(values, seed), confidence)


def ratio_interval(
    before: Sequence[float] | Values, after: Sequence[float] | Values, confidence: float = 0.95, seed: int = 1
) -> Interval:
    """Return the interval of median(after) / median(before), each resampled on its own; infinite if a median may be zero."""
    below, above = bootstrap_medians(before, seed), bootstrap_medians(after, seed + 1)
    if below.min() <= 0:
        return Interval(-math.inf, math.inf)
    return _percentiles(above / below, confidence)


def outliers(values: Sequence[float] | Values) -> Outliers:
    """Classify outliers: mild from 1.5, severe from 3 interquartile ranges on."""
    sample = np.asarray(values, dtype=np.float64)
    first, third = np.percentile(sample, (25, 75))
    spread = stats.iqr(sample)
    severe_low, severe_high = (int(n) for n in _beyond(sample, first - SEVERE * spread, third + SEVERE * spread))
    low, high = (int(n) for n in _beyond(sample, first - MILD * spread, third + MILD * spread))
    return Outliers(low - severe_low, high - severe_high, severe_low, severe_high)


def mann_whitney(a: Sequence[float] | Values, b: Sequence[float] | Values) -> float:
    """Return the two-sided p value of the Mann-Whitney U test.

    1.0 if all samples are equal. Never below what the sizes can show, which the normal approximation with ties would be.
    """
    one, other = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    values = np.unique(np.concatenate((one, other))).size
    if values == 1:
        return 1.0
    exact = values == one.size + other.size and max(one.size, other.size) <= EXACT_SIZE
    p = float(stats.mannwhitneyu(one, other, alternative="two-sided", method="exact" if exact else "auto").pvalue)
    return max(p, least_p(one.size, other.size))


def signed_rank(differences: Sequence[float] | Values) -> float:
    """Return the two-sided p value of Wilcoxon's signed rank test of pairs.

    Pairs without a difference are ignored: 1.0 if there are no others. Never below what the number of pairs can show, as for mann_whitney().
    """
    values = np.asarray(differences, dtype=np.float64)
    unlike = values[values != 0]
    if not unlike.size:
        return 1.0
    return max(float(stats.wilcoxon(unlike).pvalue), least_p_of_pairs(unlike.size))


def least_p_of_pairs(pairs: int) -> float:
    """Return the smallest p value of signed_rank(): all signs alike, in either direction."""
    return min(1.0, 2.0 ** (1 - pairs))


def least_p(a: int, b: int) -> float:
    """Return the smallest p value of mann_whitney() for sets of these sizes: one of all orders, and its mirror image."""
    return min(1.0, 2 / math.comb(a + b, a))


def least_size(alpha: float, family: int, paired: bool = False) -> int:
    """Return the number of samples per side that one of `family` cells needs to be significant after Holm's correction."""
    size = 1
    while (least_p_of_pairs(size) if paired else least_p(size, size)) * family >= alpha:
        size += 1
    return size


def holm(p: Sequence[float]) -> list[float]:
    """Return the p values after Holm's step-down correction, which bounds the probability of any false alarm in the family."""
    count = len(p)
    adjusted, highest = [1.0] * count, 0.0
    for rank, place in enumerate(sorted(range(count), key=lambda place: p[place])):
        highest = max(highest, min(1.0, (count - rank) * p[place]))
        adjusted[place] = highest
    return adjusted


def bootstrap_medians(values: Sequence[float] | Values, seed: int) -> Values:
    """Return the medians of RESAMPLES resamples: the distribution of scipy.stats.bootstrap, at a cost that hardly grows with the size."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    low, high = _middle_ranks(ordered.size, seed)
    return np.asarray((ordered[low] + ordered[high]) / 2, dtype=np.float64)


@functools.lru_cache(maxsize=64)
def _middle_ranks(size: int, seed: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the ranks that end up in the middle of each resample. They depend on the size alone.

    A resample is `size` uniform draws of ranks, and the k-th of these has a beta distribution. So it is drawn directly, and for an
    even size also the next one, which is the minimum of the remaining draws.
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
