# SPDX-License-Identifier: GPL-2.0
"""Fits on curves whose growth is known, and where there is nothing to be said."""

from __future__ import annotations

import json
import math
import random
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest
from made_results import make

from dsharness.results import caches, results
from dsharness.results import fits as curvefits
from dsharness.statistics import complexity

SIZES = [round(step * 10**decade) for decade in range(6) for step in (1, 2, 5)]
CURVES: dict[str, Callable[[int], float]] = {
    "O(1)": lambda n: 37.0,
    "O(log n)": lambda n: 9.5 * math.log2(n),
    "O(n)": lambda n: 2.25 * n,
}


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("noise", [0.0, 0.03, 0.1])
def test_each_class_is_found(name: str, noise: float) -> None:
    draw = random.Random(7)
    for _ in range(50):
        found = complexity.fit([(n, CURVES[name](n) * (1 + noise * draw.gauss(0, 1))) for n in SIZES], tolerance=0.05)
        assert (found.word, found.known) == (name, True)
        assert found.whole == {"O(1)": "O(n)", "O(log n)": "O(n log n)", "O(n)": "O(n^2)"}[name]
        assert found.fits[0].rms <= 5 * noise + 1e-9  # for O(n) the few largest costs make the most of it
    exact = complexity.fit([(n, CURVES[name](n)) for n in SIZES], tolerance=0.05).fits[0]
    assert exact.coefficient == pytest.approx(CURVES[name](1 if name != "O(log n)" else 2))


def test_the_rms_is_google_benchmarks() -> None:
    costs = [(64, 10.0), (128, 12.0), (1024, 11.0), (2048, 11.0)]
    constant = next(fit for fit in complexity.fit(costs, 0.05).fits if fit.growth.name == "O(1)")
    assert constant.coefficient == pytest.approx(11.0)
    assert constant.rms == pytest.approx(math.sqrt(2 / 4) / 11)


def test_what_ties_is_said() -> None:
    found = complexity.fit([(n, 100 + 8 * math.log2(n)) for n in SIZES], tolerance=0.2)
    assert (found.word, found.whole) == ("O(1) or O(log n)", "O(n) or O(n log n)")
    assert complexity.fit([(n, 100 + 8 * math.log2(n)) for n in SIZES], tolerance=0.0).word == found.fits[0].growth.name


def test_small_sizes_and_those_beyond_the_caches_do_not_count() -> None:
    bent = [(n, 26.0 / n + 3 + (0 if n <= 16384 else n / 100)) for n in SIZES]
    found = complexity.fit(bent, tolerance=0.05, last=16384)
    assert found.word == "O(1)"
    assert (found.sizes[0], found.sizes[-1]) == (100, 10_000)


@pytest.mark.parametrize(
    ("costs", "reason"),
    [
        ([], "0 sizes from 64 on are above the resolution, 4 are needed"),
        ([(n, 5.0) for n in (1, 2, 5, 10, 20, 50)], "0 sizes from 64 on"),
        ([(100, 5.0), (1000, 5.0), (100_000, 5.0)], "3 sizes from 64 on"),
        ([(100, 5.0), (1000, 0.0), (10_000, -1.0), (100_000, math.nan), (20_000, 5.0)], "2 sizes from 64 on"),
        ([(500, 5.0), (1000, 5.0), (2000, 5.0), (4000, 5.0)], "the sizes from 64 on are less than a factor of 16 apart"),
        ([(100, 1.0), (1000, 900.0), (10_000, 1.0), (100_000, 900.0)], "no class fits: the best leaves"),
    ],
)
def test_where_nothing_can_be_said(costs: list[tuple[int, float]], reason: str) -> None:
    found = complexity.fit(costs, tolerance=0.05)
    assert (found.known, found.word) == (False, "-")
    assert found.reason.startswith(reason)


def test_points_below_the_resolution_are_left_out() -> None:
    costs = [(n, -3.0 if n < 500 else 6.0) for n in SIZES]
    found = complexity.fit(costs, tolerance=0.05)
    assert (found.word, found.sizes[0]) == ("O(1)", 500)


CACHES = [
    {"type": "Data", "level": 1, "size": 32768, "num_sharing": 1},
    {"type": "Instruction", "level": 1, "size": 32768, "num_sharing": 1},
    {"type": "Unified", "level": 2, "size": 1 << 20, "num_sharing": 1},
    {"type": "Unified", "level": 3, "size": 32 << 20, "num_sharing": 2},
]


def test_caches_that_hold_elements() -> None:
    context = {"caches": [CACHES[3], *CACHES[:3]]}
    assert [(cache.name, cache.elements) for cache in caches.of(context)] == [("L1d", 512), ("L2", 16384), ("L3", 524288)]
    private = caches.private(context)
    assert private is not None and private.name == "L2"


@pytest.mark.parametrize(
    "told", [None, [], "32K", [None], [{"type": "Data"}], [{"type": ["Data"], "level": 1, "size": 1 << 15}],
             [{"type": "Data", "level": 1, "size": 0}], [{"type": "Data", "level": "1", "size": "32K"}]]
)  # fmt: skip
def test_caches_that_are_not_told_are_absent(told: object) -> None:
    assert caches.of({"caches": told}) == caches.of({}) == []
    assert caches.private({"caches": told}) is None
    assert curvefits.last_n({"caches": told, "unit": "tsc"}) == math.inf


def test_cycles_are_fitted_within_the_private_cache() -> None:
    assert curvefits.last_n({"caches": CACHES, "unit": "tsc"}) == 16384
    assert curvefits.last_n({"caches": CACHES, "unit": "instructions"}) == math.inf
    assert "L2" in curvefits.explained({"caches": CACHES, "unit": "tsc"}, [])


def test_a_curves_file_has_google_benchmarks_rows(tmp_path: Path) -> None:
    curve = make(sizes=SIZES, tries=3, curve={"sizes": SIZES})
    for cell in curve.cells:
        per_element = CURVES["O(log n)" if cell.container == "rbtree" else "O(1)"](max(cell.n, 2))
        cell.counts = array("q", [round(per_element * cell.elements)] * 3)
    path = tmp_path / "curve.json"
    results.write(curve, path)
    rows = {row["name"]: row for row in json.loads(path.read_text())["benchmarks"]}
    big_o, rms = rows["rbtree/find_BigO"], rows["rbtree/find_RMS"]
    assert (big_o["big_o"], big_o["time_unit"], big_o["aggregate_name"], big_o["run_type"]) == ("lgN", "ns", "BigO", "aggregate")
    assert big_o["real_coefficient"] == big_o["cpu_coefficient"] == pytest.approx(9.5 / 2.5, rel=0.01)
    assert (rms["aggregate_name"], rms["aggregate_unit"], rms["complexity"]) == ("RMS", "percentage", "O(log n)")
    assert rms["rms"] < 0.02 < rms["rms_of"]["O(1)"]
    assert rows["list/fill_BigO"]["big_o"] == "(1)"
    assert results.read(path).cells == curve.cells


def test_a_sweep_has_none(tmp_path: Path) -> None:
    path = tmp_path / "sweep.json"
    results.write(make(), path)
    assert "BigO" not in path.read_text()
