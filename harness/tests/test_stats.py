# SPDX-License-Identifier: GPL-2.0
"""Statistics against figures worked out by hand."""

from __future__ import annotations

import math

import pytest

from dsharness.statistics import stats


def test_summary_of_a_small_sample() -> None:
    summary = stats.summarise([4, 1, 3, 2, 10])
    assert (summary.count, summary.min, summary.max) == (5, 1, 10)
    assert (summary.median, summary.mean) == (3, 4)
    assert summary.p10 == pytest.approx(1.4)
    assert summary.p90 == pytest.approx(4 + 0.6 * 6)
    assert summary.p99 == pytest.approx(4 + 0.96 * 6)
    assert summary.mad == 1
    assert summary.stddev == pytest.approx(math.sqrt(50 / 4))
    assert summary.cv == pytest.approx(math.sqrt(50 / 4) / 4)


def test_an_even_count_has_its_median_between() -> None:
    assert stats.summarise([1, 2, 4, 8]).median == 3


def test_one_sample_is_all_of_its_figures() -> None:
    summary = stats.summarise([7])
    assert {summary.min, summary.p10, summary.median, summary.mean, summary.p99, summary.max} == {7}
    assert (summary.mad, summary.stddev, summary.cv) == (0, 0, 0)


def test_no_cv_without_a_mean() -> None:
    assert math.isnan(stats.summarise([-1, 1]).cv)


def test_typical_change_counts_both_ways_alike() -> None:
    assert stats.typical_change([1, 1]) == 0
    assert stats.typical_change([2, 0.5]) == pytest.approx(1)
    assert stats.typical_change([1.21, 1]) == pytest.approx(0.1)
