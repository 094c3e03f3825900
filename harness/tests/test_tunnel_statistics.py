# SPDX-License-Identifier: GPL-2.0
"""The evaluation's figures and tests, against values worked out by other means."""

from __future__ import annotations

import itertools
import math
import random
import statistics

import pytest
from dsharness.tunnel.significance import compare, figures
from scipy import stats

FAST = [934.3, 934.1, 934.5, 934.2, 934.6]
SLOW = [915.8, 915.6, 916.1, 915.9, 914.2]


def test_figures_are_those_of_a_sample() -> None:
    found = figures(SLOW)
    assert (found.count, found.min, found.max) == (5, 914.2, 916.1)
    assert found.mean == pytest.approx(statistics.mean(SLOW))
    assert found.sigma == pytest.approx(statistics.stdev(SLOW))


def test_one_sample_has_no_spread_and_no_test() -> None:
    assert figures([3.0]).sigma == 0
    assert figures([42.68] * 7).sigma == 0, "a mean that is rounded makes no spread"
    found = compare([3.0], [2.0])
    assert (found.change, found.welch_p, found.mann_whitney_p) == (0.5, None, None)


def test_welch_is_welchs_formula() -> None:
    a, b = (statistics.variance(values) / len(values) for values in (SLOW, FAST))
    t = (statistics.mean(SLOW) - statistics.mean(FAST)) / math.sqrt(a + b)
    freedom = (a + b) ** 2 / (a**2 / (len(SLOW) - 1) + b**2 / (len(FAST) - 1))
    found = compare(SLOW, FAST)
    assert found.welch_p == pytest.approx(2 * stats.t.sf(abs(t), freedom))
    assert found.change == pytest.approx(statistics.mean(SLOW) / statistics.mean(FAST) - 1)


@pytest.mark.parametrize("shift", [0.0, 18.45, 18.55, 25.0])
def test_mann_whitney_is_the_count_of_all_arrangements(shift: float) -> None:
    other = [value + shift for value in SLOW]
    both = other + FAST

    def u(chosen: tuple[int, ...]) -> int:
        rest = [index for index in range(len(both)) if index not in chosen]
        return sum(both[i] > both[j] for i in chosen for j in rest)

    all_u = [u(chosen) for chosen in itertools.combinations(range(len(both)), len(other))]
    mine = u(tuple(range(len(other))))
    tail = min(sum(value <= mine for value in all_u), sum(value >= mine for value in all_u)) / len(all_u)
    assert compare(other, FAST).mann_whitney_p == pytest.approx(min(1.0, 2 * tail))


def test_the_interval_of_a_change_covers_it_as_often_as_it_says() -> None:
    """2,000 experiments with a true change of -2 %: about 95 % of the intervals contain it."""
    draw = random.Random(1)
    hits = 0
    for _ in range(2000):
        found = compare([draw.gauss(980, 9) for _ in range(8)], [draw.gauss(1000, 3) for _ in range(12)])
        assert found.low is not None and found.high is not None and found.low < found.change < found.high
        hits += found.low <= -0.02 <= found.high
    assert 0.935 <= hits / 2000 <= 0.965


def test_the_interval_without_spread_is_the_change() -> None:
    found = compare([99.0, 99.0], [100.0, 100.0])
    assert found.low == found.high == found.change == pytest.approx(-0.01)
    assert compare([3.0], [2.0, 2.0]).low is None


def test_sets_without_spread_have_no_welch() -> None:
    assert compare([2.0, 2.0], [2.0, 2.0]).welch_p is None
    assert compare([2.0, 2.0, 2.0], [1.0, 1.0, 1.0]).welch_p is None
