# SPDX-License-Identifier: GPL-2.0
"""Two sweeps beside each other."""

from __future__ import annotations

from array import array

import pytest
from made_results import make

from dsharness.errors import HarnessError
from dsharness.results import agreement, results


def test_a_sweep_agrees_with_itself() -> None:
    found = agreement.of(make(), make())
    assert set(found.ratios.values()) == {1.0}
    assert (len(found.ratios), found.typical, found.unresolved) == (64, 0.0, [])


def test_the_worst_cell_is_named_in_both_directions() -> None:
    slower = make()
    slower.cells[5].counts = array("q", (value * 3 for value in slower.cells[5].counts))
    name = slower.cells[5].name
    for found, ratio in ((agreement.of(make(), slower), 3), (agreement.of(slower, make()), 1 / 3)):
        assert found.worst[0] == name
        assert found.worst[1] == pytest.approx(ratio)
    assert agreement.of(make(), slower).typical == pytest.approx(3 ** (1 / 64) - 1)


def test_disturbed_tries_do_not_tell_where_others_do() -> None:
    disturbed = make()
    cell = disturbed.cells[5]
    cell.disturbed = array("b", [1, 0] * 10)
    for number in range(0, 20, 2):
        cell.counts[number] *= 3
    calm = agreement.of(make(), disturbed).ratios[cell.name]
    assert calm == pytest.approx(1, abs=0.1)
    assert agreement.of(disturbed, make()).ratios[cell.name] == pytest.approx(1 / calm)
    cell.disturbed[1] = 1
    assert agreement.of(make(), disturbed).ratios[cell.name] > 1.1, "more than half are disturbed: all count"


def test_both_sweeps_have_the_same_kind_of_tries() -> None:
    one, other = make(), make()
    for sweep, share in ((one, [1, 0] * 10), (other, [1, 1, 0, 1] * 5)):
        sweep.cells[5].disturbed = array("b", share)
        for number, disturbed in enumerate(share):
            sweep.cells[5].counts[number] = 2000 if disturbed else 1000
    before, after = results.comparable_samples(one, other)
    name = one.cells[5].name
    assert len(before[name]) == len(after[name]) == 20


def test_counts_of_instructions_are_not_disturbed() -> None:
    one, other = make(), make()
    for sweep in (one, other):
        sweep.context["unit"] = "instructions"
        sweep.cells[5].disturbed = array("b", [1, 0] * 10)
    assert len(results.comparable_samples(one, other)[0][one.cells[5].name]) == 20


def test_cells_that_the_core_found_below_resolution_have_no_ratio() -> None:
    low = make(sizes=[500])
    low.context["below_resolution"] = [low.cells[0].name]
    found = agreement.of(make(sizes=[500]), low)
    assert found.unresolved == [low.cells[0].name] and low.cells[0].name not in found.ratios


def test_cells_below_resolution_have_no_ratio() -> None:
    low = make()
    low.cells[0].counts = array("q", [0] * 20)
    found = agreement.of(make(), low)
    assert found.unresolved == [low.cells[0].name]
    assert len(found.as_json()["ratios"]) == 63


def test_nothing_in_common() -> None:
    with pytest.raises(HarnessError, match="nothing to compare"):
        agreement.of(make(sizes=[500]), make(sizes=[1000]))
