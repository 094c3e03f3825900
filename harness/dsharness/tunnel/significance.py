# SPDX-License-Identifier: GPL-2.0
"""Two sets of samples: their figures, and whether they differ by more than chance."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from ..statistics import inference


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

    `change` is mean / reference's mean - 1. The p values are two-sided: the probability of sets this far apart if they have equal
    means (Welch; variances may differ) or one distribution (Mann-Whitney). None if a test does not apply: fewer than two samples, or,
    for Welch, no spread.
    """

    change: float
    welch_p: float | None
    mann_whitney_p: float | None


def figures(samples: Sequence[float]) -> Figures:
    """Return the figures of at least one sample."""
    values = np.asarray(samples, dtype=np.float64)
    sigma = float(np.std(values, ddof=1)) if values.size > 1 else 0.0
    return Figures(int(values.size), float(np.mean(values)), float(np.min(values)), float(np.max(values)), sigma)


def compare(samples: Sequence[float], reference: Sequence[float]) -> Comparison:
    """Compare two sets, each of at least one positive sample."""
    change = float(np.mean(samples)) / float(np.mean(reference)) - 1
    if min(len(samples), len(reference)) < 2:
        return Comparison(change, None, None)
    rank = inference.mann_whitney(samples, reference)
    if np.ptp(samples) == 0 and np.ptp(reference) == 0:
        return Comparison(change, None, rank)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns if a set has almost no spread.
        welch = float(stats.ttest_ind(samples, reference, equal_var=False).pvalue)
    return Comparison(change, welch, rank)
