# SPDX-License-Identifier: GPL-2.0
"""Two sets of samples: their figures, and whether they differ by more than chance."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from ..statistics import inference

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Figures:
    """The figures of the paper's tables, in the unit of the samples. `sigma` is that of a sample (n - 1)."""

    count: int
    mean: float
    min: float
    max: float
    sigma: float


@dataclass(frozen=True)
class Comparison:
    """Samples against a reference.

    `change` is mean / reference's mean - 1, `low` to `high` its 95 % interval. The p values are two-sided: the probability of sets
    this far apart if they have equal means (Welch; variances may differ) or one distribution (Mann-Whitney). None if an interval or
    a test does not apply: fewer than two samples, or, for Welch's test, no spread.
    """

    change: float
    welch_p: float | None
    mann_whitney_p: float | None
    low: float | None = None
    high: float | None = None


def figures(samples: Sequence[float]) -> Figures:
    """Return the figures of at least one sample."""
    values = np.asarray(samples, dtype=np.float64)
    sigma = float(np.std(values, ddof=1)) if np.ptp(values) else 0.0
    return Figures(int(values.size), float(np.mean(values)), float(np.min(values)), float(np.max(values)), sigma)


def compare(samples: Sequence[float], reference: Sequence[float]) -> Comparison:
    """Compare two sets, each of at least one positive sample."""
    change = float(np.mean(samples)) / float(np.mean(reference)) - 1
    if min(len(samples), len(reference)) < 2:
        return Comparison(change, None, None)
    rank = inference.mann_whitney(samples, reference)
    low, high = _interval(samples, reference)
    if np.ptp(samples) == 0 and np.ptp(reference) == 0:
        return Comparison(change, None, rank, low, high)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns if a set has almost no spread.
        welch = float(stats.ttest_ind(samples, reference, equal_var=False).pvalue)
    return Comparison(change, welch, rank, low, high)


def _interval(samples: Sequence[float], reference: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the change: Welch's, of the logarithm of the ratio of the means (delta method)."""
    sets = [np.asarray(values, dtype=np.float64) for values in (samples, reference)]
    parts = [float(np.var(values, ddof=1) / np.mean(values) ** 2 / values.size) for values in sets]
    error, ratio = sum(parts), float(np.mean(sets[0]) / np.mean(sets[1]))
    if not error:
        return ratio - 1, ratio - 1
    freedom = error**2 / sum(part**2 / (values.size - 1) for part, values in zip(parts, sets))
    reach = float(stats.t.ppf(0.5 + CONFIDENCE / 2, freedom)) * math.sqrt(error)
    return ratio * math.exp(-reach) - 1, ratio * math.exp(reach) - 1
