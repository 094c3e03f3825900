# SPDX-License-Identifier: GPL-2.0
"""Intervals, outliers and tests, against scipy's own, against figures worked out by hand, and on samples of known distribution."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from dsharness.statistics import inference
from dsharness.statistics.inference import Interval, Outliers

DRAWS = 1000


@pytest.mark.parametrize("size", [5, 8, 31, 100])
def test_the_bootstrap_is_scipys(size: int) -> None:
    sample = np.random.default_rng(size).lognormal(0, 0.3, size)
    theirs = stats.bootstrap(
        (sample,), np.median, n_resamples=20_000, vectorized=True, axis=-1, method="percentile", random_state=1
    )
    ours = inference.bootstrap_medians(sample, seed=1)
    assert stats.ks_2samp(ours, theirs.bootstrap_distribution).pvalue > 1e-3
    found = inference.median_interval(sample)
    step = np.diff(np.sort(sample)).max()
    assert found.low == pytest.approx(theirs.confidence_interval.low, abs=step)
    assert found.high == pytest.approx(theirs.confidence_interval.high, abs=step)


def test_the_interval_holds_the_median_as_often_as_it_says() -> None:
    draw = np.random.default_rng(7)
    held = 0
    for _ in range(DRAWS):
        found = inference.median_interval(draw.lognormal(0, 0.5, 40))
        held += found.low <= 1 <= found.high
    assert 0.925 < held / DRAWS < 0.985


def test_samples_without_spread_are_their_interval() -> None:
    assert inference.median_interval([7.0]) == Interval(7, 7)
    assert inference.median_interval([7.0] * 20) == Interval(7, 7)
    assert inference.ratio_interval([4.0] * 9, [5.0] * 9) == Interval(1.25, 1.25)


def test_a_seed_fixes_an_interval() -> None:
    sample = np.random.default_rng(3).normal(10, 1, 30)
    assert inference.median_interval(sample, seed=4) == inference.median_interval(sample, seed=4)
    wide, narrow = inference.median_interval(sample, 0.99), inference.median_interval(sample, 0.5)
    assert wide.low < narrow.low < narrow.high < wide.high


def test_a_million_samples_are_no_burden() -> None:
    sample = np.random.default_rng(5).normal(10, 1, 1_000_000)
    found = inference.median_interval(sample)
    # the standard error of a median: 1.2533 sigma / sqrt(n)
    assert found.high - found.low == pytest.approx(2 * 1.96 * 1.2533 / 1000, rel=0.1)


def test_a_ratio_over_what_may_be_zero_has_no_bounds() -> None:
    assert inference.ratio_interval([-1.0, 0.0, 1.0, 2.0, 3.0], [1.0] * 5) == Interval(-math.inf, math.inf)


def test_outliers_are_classed_by_tukeys_fences() -> None:
    # quartiles 10 and 20: mild beyond -5 and 35, severe beyond -20 and 50
    body = [10.0, 10.0, 12.0, 15.0, 18.0, 20.0, 20.0]
    assert np.percentile(body, (25, 75)).tolist() == [11, 19]
    # quartiles 11 and 19: mild beyond -1 and 31, severe beyond -13 and 43
    assert inference.outliers(body) == Outliers(0, 0, 0, 0)
    found = inference.outliers([*body * 4, -30.0, -10.0, 36.0, 45.0, 60.0])
    assert found == Outliers(mild_low=1, mild_high=2, severe_low=1, severe_high=1)
    assert (found.mild, found.severe) == (3, 2)


def test_without_spread_whatever_differs_is_severe() -> None:
    assert inference.outliers([5.0] * 20) == Outliers(0, 0, 0, 0)
    assert inference.outliers([5.0] * 19 + [6.0]) == Outliers(0, 0, 0, 1)


def test_mann_whitney_is_scipys() -> None:
    draw = np.random.default_rng(2)
    a, b = draw.normal(10, 1, 20), draw.normal(11, 1, 25)
    assert inference.mann_whitney(a, b) == pytest.approx(stats.mannwhitneyu(a, b).pvalue)
    assert inference.mann_whitney(a, b) == pytest.approx(inference.mann_whitney(b, a))


def test_mann_whitney_of_few_samples_is_exact() -> None:
    """Ten a side that are apart: one order of all, and its mirror image. The approximation would be too large for a family of 288."""
    apart = inference.mann_whitney([*range(10)], [*range(10, 20)])
    assert apart == inference.least_p(10, 10) < 0.05 / 288 < stats.mannwhitneyu(range(10), range(10, 20)).pvalue
    assert inference.mann_whitney([*range(9), 10], [*range(10, 20)]) > apart


def test_mann_whitney_of_ties_alone() -> None:
    assert inference.mann_whitney([3.0] * 50, [3.0] * 50) == 1.0
    assert inference.mann_whitney([3.0], [3.0]) == 1.0
    # of 20 orders two are as far apart as this one, though the normal approximation says 0.03
    assert stats.mannwhitneyu([3.0] * 3, [4.0] * 3).pvalue < 0.05
    assert inference.mann_whitney([3.0] * 3, [4.0] * 3) == pytest.approx(2 / 20)


def test_the_least_p_and_what_it_takes() -> None:
    assert inference.least_p(1, 1) == 1
    assert inference.least_p(4, 4) == pytest.approx(stats.mannwhitneyu([1, 2, 3, 4], [5, 6, 7, 8]).pvalue)
    assert inference.least_size(0.05, 1) == 4
    assert inference.least_size(0.05, 64) == 7
    size = inference.least_size(0.01, 500)
    assert inference.least_p(size, size) * 500 < 0.01 <= inference.least_p(size - 1, size - 1) * 500


def test_holm_by_hand() -> None:
    assert inference.holm([]) == []
    assert inference.holm([0.04]) == [0.04]
    assert inference.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert inference.holm([0.6, 0.7]) == pytest.approx([1, 1])
    assert inference.holm([0.02, 0.0, 0.02, 1.0]) == pytest.approx([0.06, 0.0, 0.06, 1.0])
