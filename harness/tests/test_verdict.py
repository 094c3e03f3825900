# SPDX-License-Identifier: GPL-2.0
"""The words on samples of known distribution: how often they are wrong, what they find, and when they refuse.

Every rate is measured over 1000 draws with fixed seeds. A bound is the rate that is allowed plus three standard errors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from dsharness.compare import verdict
from dsharness.compare.verdict import Blocks, Comparison, Rule, Word
from dsharness.errors import HarnessError
from dsharness.statistics import inference

Values = npt.NDArray[np.float64]
Source = Callable[[np.random.Generator, int], Values]

DRAWS = 1000
ALPHA = 0.05
MOST = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / DRAWS)
CHANGES = (Word.FASTER, Word.SLOWER)

SOURCES: dict[str, Source] = {
    "normal": lambda draw, size: draw.normal(100, 5, size),
    "lognormal": lambda draw, size: 100 * draw.lognormal(0, 0.3, size),
    "bimodal": lambda draw, size: np.where(draw.random(size) < 0.5, 100, 200) * draw.normal(1, 0.02, size),
    "heavy ties": lambda draw, size: draw.integers(9, 12, size).astype(np.float64),
    "one tail": lambda draw, size: 100 + draw.pareto(1.5, size),
}


def one(before: Blocks, after: Blocks, rule: Rule, doubt: str = "") -> Comparison:
    (found,) = verdict.compare({"list/fill/500": before}, {"list/fill/500": after}, rule, doubt)
    return found


def words(source: Source, rule: Rule, factor: float = 1.0, size: int = 30, seed: int = 11) -> list[Word]:
    """The words on so many pairs of one run each, the second `factor` times the first."""
    draw = np.random.default_rng(seed)
    return [one([source(draw, size)], [factor * source(draw, size)], rule).word for _ in range(DRAWS)]


def share(found: Sequence[Word], *wanted: Word) -> float:
    return sum(word in wanted for word in found) / len(found)


@pytest.mark.parametrize("name", SOURCES)
def test_false_alarms_are_as_rare_as_alpha_says(name: str) -> None:
    # with no threshold at all the test alone keeps it
    found = words(SOURCES[name], Rule(threshold=0.0, alpha=ALPHA))
    assert share(found, *CHANGES) <= MOST, share(found, *CHANGES)


def test_a_threshold_makes_them_rarer() -> None:
    assert share(words(SOURCES["lognormal"], Rule(threshold=0.1)), *CHANGES) < 0.01


def test_false_alarms_in_a_family_of_cells() -> None:
    draw = np.random.default_rng(12)
    cells, families = 10, DRAWS // 5
    alarms = 0
    for _ in range(families):
        sides: list[dict[str, Blocks]] = [
            {f"cell/{i}": [draw.normal(100, 5, 20)] for i in range(cells)} for _ in range(2)
        ]
        alarms += any(found.word in CHANGES for found in verdict.compare(*sides, Rule(threshold=0.0)))
    assert alarms / families <= ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / families)


def loads(draw: np.random.Generator, count: int, factor: float = 1.0) -> list[Values]:
    """Loads of the modules, each with a layout of memory that all its tries share: 5 % between loads, 1 % within."""
    return [factor * draw.normal(100, 5) * draw.normal(1, 0.01, 20) for _ in range(count)]


def test_tries_of_one_load_are_no_independent_evidence() -> None:
    draw = np.random.default_rng(13)
    rule = Rule(threshold=0.0)
    blocked: list[Word] = []
    naive: list[bool] = []
    for _ in range(DRAWS):
        before, after = loads(draw, 8), loads(draw, 8)
        blocked.append(one(before, after, rule).word)
        naive.append(inference.mann_whitney(np.concatenate(before), np.concatenate(after)) < ALPHA)
        naive.append(one([np.concatenate(before)], [np.concatenate(after)], rule).p < ALPHA)
    assert share(blocked, *CHANGES) <= MOST, share(blocked, *CHANGES)
    # whoever takes all tries for independent sees changes that are none
    assert sum(naive) / DRAWS > 0.5


def in_turns(draw: np.random.Generator, rounds: int, factor: float = 1.0) -> Comparison:
    """Loads of two sides on a machine that is half as fast for some rounds on end."""
    slow = 1 + np.cumsum(draw.random(rounds) < 0.3) % 2
    before = [speed * draw.normal(100, 1) * draw.normal(1, 0.01, 10) for speed in slow]
    after = [factor * speed * draw.normal(100, 1) * draw.normal(1, 0.01, 10) for speed in slow]
    return verdict.compare({"list/fill/500": before}, {"list/fill/500": after}, Rule(threshold=0.02), in_turns=True)[0]


@pytest.mark.parametrize(
    ("after", "word"),
    [
        ([371.37] * 5 + [372.73], Word.NO_CHANGE),
        ([371.37] * 3 + [372.73] * 3, Word.INCONCLUSIVE),  # the median has moved
        ([371.37] * 3 + [371.97] * 3, Word.NO_CHANGE),  # by less than the loads are apart
        ([370.37] + [371.37] * 5, Word.INCONCLUSIVE),  # the cheapest has
        ([371.37] * 4 + [372.73], Word.INCONCLUSIVE),  # five loads have no interval
    ],
)
def test_a_load_that_found_the_allocator_in_another_state_is_no_change(after: list[float], word: Word) -> None:
    before = [372.73] + [371.37] * (len(after) - 1)
    sides = [{"xarray/fill/100": [[count] for count in loads]} for loads in (before, after)]
    (found,) = verdict.compare(*sides, Rule.of("instructions"), in_turns=True)
    assert found.word is word, found.reason


def test_counts_that_scatter_from_load_to_load_are_no_change_within_that() -> None:
    draw = np.random.default_rng(21)

    def judged(factor: float) -> Word:
        before, after = ([[count] for count in draw.normal(mean, 5, 16)] for mean in (1000, 1000 * factor))
        return verdict.compare({"maple/fill/500": before}, {"maple/fill/500": after}, Rule.of("instructions"), in_turns=True)[0].word

    same, changed = ([judged(factor) for _ in range(DRAWS)] for factor in (1, 1.015))
    assert share(same, Word.NO_CHANGE) > 0.95
    assert share(same, *CHANGES) <= MOST
    assert share(changed, Word.SLOWER) > 0.95
    assert share(changed, Word.NO_CHANGE, Word.FASTER) == 0


def test_cells_that_repeat_exactly_are_no_part_of_the_family() -> None:
    scatter = {"maple/fill/500": ([[1000.0 + number] for number in range(6)], [[1100.0 + number] for number in range(6)])}
    repeat = {f"list/find/{n}": ([[5.0]] * 6, [[5.0]] * 6) for n in range(40)}
    sides = [{name: both[side] for name, both in {**scatter, **repeat}.items()} for side in (0, 1)]
    found = {cell.name: cell for cell in verdict.compare(*sides, Rule.of("instructions"))}
    assert found["maple/fill/500"].word is Word.SLOWER, found["maple/fill/500"].reason
    assert found["maple/fill/500"].p == found["maple/fill/500"].p_adjusted
    assert {cell.word for name, cell in found.items() if name in repeat} == {Word.NO_CHANGE}


def test_loads_in_turns_see_through_what_disturbs_both() -> None:
    draw = np.random.default_rng(18)
    same = [in_turns(draw, 16) for _ in range(DRAWS)]
    changed = [in_turns(draw, 16, 1.06) for _ in range(DRAWS)]
    assert share([each.word for each in same], *CHANGES) <= MOST
    assert share([each.word for each in same], Word.NO_CHANGE) > 0.95
    assert share([each.word for each in changed], Word.SLOWER) > 0.95
    assert share([each.word for each in changed], Word.FASTER, Word.NO_CHANGE) == 0
    covered = [each.low <= 1.06 <= each.high for each in changed]
    assert 0.92 <= sum(covered) / DRAWS


def test_turns_that_nobody_disturbs_raise_no_false_alarms() -> None:
    draw = np.random.default_rng(19)
    found = []
    for _ in range(DRAWS):
        sides = [{"list/fill/500": [draw.normal(100, 5, 5) for _ in range(16)]} for _ in range(2)]
        found.append(verdict.compare(*sides, Rule(threshold=0.0), in_turns=True)[0].word)
    assert share(found, *CHANGES) <= MOST


def test_too_few_turns_are_said_to_be_too_few() -> None:
    sides: list[dict[str, Blocks]] = [
        {f"cell/{i}": [[100.0 * factor + turn, 101.0 * factor + turn] for turn in range(8)] for i in range(64)}
        for factor in (1.0, 1.1)
    ]
    found = verdict.compare(*sides, Rule(threshold=0.02), in_turns=True)
    assert {each.reason for each in found} == {
        "too few loads: with 8 and 8 no p in 64 cells can be below 0.05, it takes 12"
    }


def test_turns_below_resolution_have_no_ratio() -> None:
    (found,) = verdict.compare({"list/fill/500": [[-1.0], [2.0]] * 5}, {"list/fill/500": [[1.0], [2.0]] * 5}, Rule(threshold=0.02), in_turns=True)
    assert found.word is Word.INCONCLUSIVE


def wandering(draw: np.random.Generator, size: int) -> Values:
    """Tries of one load while another job comes and goes: slow for about five tries, then fast again."""
    slow = np.cumsum(draw.random(size) < 0.2) % 2
    return (100 + 100 * slow) * draw.normal(1, 0.02, size)


def test_what_wanders_within_a_run_is_not_believed() -> None:
    found = words(wandering, Rule.of("tsc"), size=100)
    assert share(found, *CHANGES) <= MOST, share(found, *CHANGES)


@pytest.mark.parametrize(("factor", "word"), [(1.2, Word.SLOWER), (1 / 1.2, Word.FASTER)])
def test_a_planted_change_is_found(factor: float, word: Word) -> None:
    assert share(words(SOURCES["normal"], Rule.of("tsc"), factor, size=100), word) > 0.95


def test_a_planted_change_between_loads_is_found() -> None:
    draw = np.random.default_rng(14)
    found = [one(loads(draw, 12), loads(draw, 12, 1.15), Rule(threshold=0.02)).word for _ in range(DRAWS)]
    assert share(found, Word.SLOWER) > 0.95
    assert share(found, Word.FASTER, Word.NO_CHANGE) == 0


def test_no_change_is_said_of_what_is_none() -> None:
    assert share(words(SOURCES["normal"], Rule.of("tsc"), size=100), Word.NO_CHANGE) > 0.95


def test_a_change_at_the_threshold_is_not_called_none() -> None:
    found = words(SOURCES["normal"], Rule(threshold=0.02), factor=1.02, size=100)
    # 2.5 % by the interval, and what the bootstrap of ten medians lacks
    assert share(found, Word.NO_CHANGE) < 0.1
    assert share(found, *CHANGES) < 0.1


def test_words_follow_the_direction() -> None:
    sample = np.random.default_rng(15).normal(100, 1, 40)
    slower, faster = one([sample], [sample * 2], Rule.of("tsc")), one([sample * 2], [sample], Rule.of("tsc"))
    assert (slower.word, faster.word) == (Word.SLOWER, Word.FASTER)
    assert (slower.ratio, faster.ratio) == (pytest.approx(2), pytest.approx(0.5))
    assert slower.low <= slower.ratio <= slower.high and slower.p_adjusted < 0.001
    assert slower.before == pytest.approx(np.median(sample))


def test_counts_that_repeat_are_compared_as_they_are() -> None:
    rule = Rule.of("instructions")
    same = one([[5.0] * 2], [[5.0] * 2], rule)
    assert (same.word, same.ratio, same.p, same.reason) == (Word.NO_CHANGE, 1, 1, verdict.EXACT)
    more = one([[5.0] * 2], [[5.1] * 2], rule)
    assert (more.word, more.low, more.high, more.p_adjusted) == (Word.SLOWER, 1.02, 1.02, 0)
    assert one([[5.0] * 2], [[4.9] * 2], rule).word is Word.FASTER
    assert one([[5000.0] * 2], [[5001.0] * 2], rule).word is Word.NO_CHANGE


def test_units_are_loads_or_stretches_or_tries() -> None:
    run = [[float(value) for value in range(30)]]
    assert [len(unit) for unit in verdict.units(run, run)] == [3] * 10
    assert [unit[0] for unit in verdict.units(run, run)] == list(range(0, 30, 3))
    assert len(verdict.units(run, run, exact=True)) == 30
    assert len(verdict.units([run[0][:29]], run)) == 29
    loads = [[1.0, 2.0], [3.0, 4.0], [5.0]]
    assert [list(unit) for unit in verdict.units(loads, loads)] == loads
    assert len(verdict.units(loads, run)) == 5


def test_a_few_counts_that_stray_do_not_hide_the_others() -> None:
    counts = np.full(20, 370.29)
    counts[[3, 11, 17]] = 385.0
    found = one([counts], [np.roll(counts, 2) + 0.01], Rule.of("instructions"))
    assert (found.word, found.low) == (Word.NO_CHANGE, pytest.approx(370.30 / 370.29))


def test_counts_that_repeat_try_for_try_have_not_changed() -> None:
    counts = [5.0, 5.5, 6.0, 9.0, 5.0, 5.5]
    found = one([counts], [counts], Rule.of("instructions"))
    assert (found.word, found.low, found.high, found.reason) == (Word.NO_CHANGE, 1, 1, verdict.EXACT)
    assert one([counts], [counts], Rule.of("tsc")).word is Word.INCONCLUSIVE
    assert one([counts], [counts[::-1]], Rule.of("instructions")).word is Word.INCONCLUSIVE


def test_cycles_without_spread_take_as_many_tries_as_others() -> None:
    assert one([[5.0] * 3], [[6.0] * 3], Rule.of("tsc")).word is Word.INCONCLUSIVE
    assert one([[5.0] * 20], [[6.0] * 20], Rule.of("tsc")).word is Word.SLOWER
    assert one([[5.0] * 20], [[5.0] * 20], Rule.of("tsc")).word is Word.NO_CHANGE


def test_exact_counts_in_loads_that_differ_are_not_exact() -> None:
    before, after = [[5.0] * 4, [5.2] * 4], [[5.1] * 4, [5.3] * 4]
    found = one(before, after, Rule.of("instructions"))
    assert found.word is Word.INCONCLUSIVE and found.reason.startswith("too few loads: 2 and 2")


@pytest.mark.parametrize("unit", ["tsc", "instructions"])
def test_a_single_try_shows_nothing(unit: str) -> None:
    for after in (5.0, 50.0):
        found = one([[5.0]], [[after]], Rule.of(unit))
        assert (found.word, found.p) == (Word.INCONCLUSIVE, 1.0)
        assert found.reason == "a single try shows no spread: take more tries"
    assert one([[5.0] * 30], [[5.0]], Rule.of(unit)).word is Word.INCONCLUSIVE


def test_too_few_tries_are_said_to_be_too_few() -> None:
    few = one([[5.0, 5.1, 5.2, 5.3, 5.4]], [[9.0, 9.1, 9.2, 9.3, 9.4]], Rule.of("tsc"))
    assert few.word is Word.INCONCLUSIVE
    assert few.reason == "too few tries: 5 and 5, and fewer than 6 have no interval"
    draw = np.random.default_rng(16)
    side: dict[str, Blocks] = {f"cell/{i}": [draw.normal(100, 1, 6)] for i in range(64)}
    twice: dict[str, Blocks] = {name: [2 * np.asarray(blocks[0])] for name, blocks in side.items()}
    for found in verdict.compare(side, twice, Rule.of("tsc")):
        assert found.word is Word.INCONCLUSIVE
        assert found.reason == "too few tries: with 6 and 6 no p in 64 cells can be below 0.05, it takes 7"


def test_ten_stretches_can_be_too_few() -> None:
    sample = np.random.default_rng(19).normal(100, 1, 60)
    found = one([sample], [2 * sample], Rule(threshold=0.1, alpha=1e-5))
    assert found.reason == "too few stretches of tries: with 10 and 10 no p in 1 cells can be below 1e-05, it takes 11"


def test_reasons_for_no_verdict() -> None:
    draw = np.random.default_rng(17)
    sample = draw.normal(100, 1, 100)
    straddling = one([sample], [1.1 * sample], Rule(threshold=0.1))
    assert straddling.reason == "a difference, but its interval has a part within ±10 %"
    scattered = one([draw.lognormal(0, 2, 30)], [draw.lognormal(0, 2, 30)], Rule(threshold=0.1))
    assert scattered.reason == "the interval reaches beyond ±10 %: the samples scatter too much"
    assert {straddling.word, scattered.word} == {Word.INCONCLUSIVE}


def test_below_resolution_there_is_no_ratio() -> None:
    for before, after in (([0.0] * 20, [1.0] * 20), ([1.0] * 20, [-1.0] * 20), ([0.0] * 20, [0.0] * 20)):
        for unit in ("tsc", "instructions"):
            found = one([before], [after], Rule.of(unit))
            assert found.word is Word.INCONCLUSIVE and "below the clock's resolution" in found.reason
            assert math.isnan(found.ratio) and math.isnan(found.low) and math.isnan(found.high)
    partly = one([[0.0] * 9 + [1.0] * 11], [[1.0] * 20], Rule.of("tsc"))
    assert partly.reason == "some tries are below the clock's resolution: take more elements"


def test_a_doubt_leaves_only_what_repeats_exactly() -> None:
    sample = list(np.random.default_rng(18).normal(100, 1, 40))
    for after in (sample, [2 * value for value in sample]):
        found = one([sample], [after], Rule.of("tsc"), doubt="the machine was busy")
        assert (found.word, found.reason) == (Word.INCONCLUSIVE, "the machine was busy")
    assert one([[5.0] * 9], [[6.0] * 9], Rule.of("instructions"), doubt="busy").word is Word.SLOWER


def test_the_shared_cells_in_the_order_of_the_first() -> None:
    side: dict[str, Blocks] = {name: [[1.0] * 9] for name in ("b", "a", "c")}
    other: dict[str, Blocks] = {name: [[1.0] * 9] for name in ("c", "b", "d")}
    assert [found.name for found in verdict.compare(side, other, Rule.of("tsc"))] == ["b", "c"]
    assert verdict.compare(side, {}, Rule.of("tsc")) == []


@pytest.mark.parametrize(
    ("blocks", "sentence"),
    [([[1.0, math.nan]], "a sample that is not a number"), ([[math.inf] * 9], "a sample that is not a number"),
     ([], "has no samples"), ([[1.0], []], "has no samples")],
)  # fmt: skip
def test_what_is_no_sample_is_refused(blocks: Blocks, sentence: str) -> None:
    for sides in (([[1.0]], blocks), (blocks, [[1.0]])):
        with pytest.raises(HarnessError, match=f"list/fill/500 .*{sentence}"):
            one(*sides, Rule.of("tsc"))
