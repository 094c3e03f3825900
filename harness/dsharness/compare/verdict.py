# SPDX-License-Identifier: GPL-2.0
"""Verdicts: two sets of samples of a cell, a noise threshold and an alpha give one of four words.

A ratio is after / before, so a ratio above 1 is slower. The threshold t is a band around 1, from 1/(1+t) to 1+t.

  slower, faster  the 95 % interval of the ratio of medians lies entirely outside the band, and the p value of the Mann-Whitney
                  test, corrected by Holm for all compared cells, is below alpha
  no change       the interval lies entirely within the band
  inconclusive    all other cases, with the reason: absence of evidence is not evidence of absence

Samples taken close together share the machine's other load, and all samples of one load of the modules share one memory layout.
So the units that are resampled and tested are the medians of loads, if both sides have several loads; otherwise the medians of
ten stretches of tries in their order; and single tries only if there are fewer than thirty. One load a side cannot show what
differs between loads, so there the threshold must be larger than that difference.

Loads that alternate share the machine's other load with their neighbour of the other side. There each ratio of neighbours is a
unit: the ratio and its interval are the median of these and its interval, and Wilcoxon's signed rank test gives p.

Counts of instructions do not depend on the machine's other load: each try of a load is a unit. Counts may repeat exactly: two
values without spread, from at least two tries, are compared as they are, and so are counts that are the same on both sides try
for try. They leave nothing to chance, so these cells are no part of the family. A load that finds the allocator in another state
counts a few instructions more, on either side: if the medians and the cheapest loads of both sides agree, that is no change. It is
also no change if there are enough loads to show a change, and the interval exceeds the threshold by no more than the loads of either
side differ, without a tenth of them at either end.
"""

from __future__ import annotations

import enum
import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import HarnessError
from ..statistics import inference
from ..statistics.inference import Interval, Values

Blocks = Sequence[Sequence[float]]
"""Samples per element, in the order in which they were taken, grouped by load of the modules."""

STRETCHES, LEAST_STRETCH = 10, 3
"""Number of stretches, and minimum number of tries in each: a median of fewer tries is a mean."""
LEAST_UNITS = 6
"""Fewer units have no 95 % interval: the range of five contains the median in 94 % of cases."""
EXACT = "the counts repeat exactly"
SAME_LOADS = "median and cheapest load agree"
LIKE_LOADS = "both sides differ by less than loads of one side do"


class Word(enum.Enum):
    """What became of a cell."""

    NO_CHANGE = "no change"
    FASTER = "faster"
    SLOWER = "slower"
    INCONCLUSIVE = "inconclusive"


BELOW_RESOLUTION = "below the clock's resolution: take more elements"
"""Reason of a cell without a ratio."""


@dataclass(frozen=True)
class Rule:
    """The rule of a change: a ratio beyond 1 ± `threshold` (0.1 is 10 %), with a probability of error below `alpha`."""

    threshold: float
    alpha: float = 0.05
    exact: bool = False
    """Whether no other load disturbs a sample, so that samples without spread are conclusive."""

    @classmethod
    def of(cls, unit: str) -> Rule:
        """Return the defaults for one run per side: 10 % for cycles, the difference of two runs of one build; 0.1 % for instructions."""
        return cls(threshold=0.001, exact=True) if unit == "instructions" else cls(threshold=0.1)

    @property
    def band(self) -> Interval:
        """The ratios that are no change."""
        return Interval(1 / (1 + self.threshold), 1 + self.threshold)

    def holds(self, before: float, after: float) -> bool:
        """Whether `after` is no change from `before`. Both are above 0."""
        return self.band.low <= after / before <= self.band.high

    @property
    def tolerance(self) -> str:
        """The threshold for people: "±10 %"."""
        return f"±{100 * self.threshold:.3g} %"


@dataclass(frozen=True)
class Comparison:
    """One cell on both sides: medians of the samples, their ratio after / before with its 95 % interval, and the verdict.

    Ratio and interval are NaN if a median is below the clock's resolution. The ratio of alternating loads is the median of the
    ratios of neighbours.
    """

    name: str
    before: float
    after: float
    ratio: float
    low: float
    high: float
    p: float
    p_adjusted: float
    word: Word
    reason: str


def compare(
    before: Mapping[str, Blocks], after: Mapping[str, Blocks], rule: Rule, doubt: str = "", in_turns: bool = False
) -> list[Comparison]:
    """Compare the cells that both sides have, in the order of `before`. Those whose counts scatter are one family for Holm's correction.

    `doubt` is why samples that scatter are not reliable, for instance a busy machine: then only exact counts get a verdict.
    `in_turns` means that each load was taken next to the load with the same index on the other side.
    HarnessError if a sample is not a number, or a cell has none.
    """
    pairs = [_Pair(name, blocks, after[name], rule, in_turns) for name, blocks in before.items() if name in after]
    by_chance = [pair for pair in pairs if not pair.exact]
    adjusted = dict(zip(by_chance, inference.holm([pair.p for pair in by_chance])))
    return [pair.judged(adjusted.get(pair, pair.p), len(by_chance), doubt) for pair in pairs]


def units(blocks: Blocks, others: Blocks, exact: bool = False) -> list[Values]:
    """The independent units of one side, paired with the other: loads, stretches of tries, or tries."""
    if min(len(blocks), len(others)) > 1:
        return [np.asarray(block, dtype=np.float64) for block in blocks]
    samples = pooled(blocks)
    stretched = samples.size >= STRETCHES * LEAST_STRETCH and not exact
    return np.array_split(samples, STRETCHES if stretched else samples.size)


def pooled(blocks: Blocks) -> Values:
    """All samples of one side."""
    return np.fromiter(itertools.chain.from_iterable(blocks), dtype=np.float64)


class _Pair:
    """One cell on both sides, tested but not yet judged."""

    def __init__(self, name: str, before: Blocks, after: Blocks, rule: Rule, in_turns: bool = False) -> None:
        self.rule = rule
        sides = [_checked(name, blocks) for blocks in (before, after)]
        self.medians = [float(np.median(side)) for side in sides]
        self.exact = rule.exact and _repeat(*sides)
        self.single = min(side.size for side in sides) == 1
        pieces = (units(before, after, rule.exact), units(after, before, rule.exact))
        one, other = ([float(np.median(piece)) for piece in side] for side in pieces)
        self.sizes = (len(one), len(other))
        loads = min(len(before), len(after)) > 1
        self.called = "loads" if loads else "tries" if sum(self.sizes) == sum(map(len, sides)) else "stretches of tries"
        self.turns = _turns(one, other) if in_turns and loads else None
        self.same_loads = rule.exact and loads and _same_loads(one, other, rule)
        self.noise = min(_noise(one), _noise(other)) if rule.exact and loads else 0.0
        self.p = self._p(one, other)
        ratio, low, high = self._ratio(one, other)
        before_median, after_median = self.medians
        self.figures = Comparison(
            name, before_median, after_median, ratio, low, high, self.p, 1.0, Word.INCONCLUSIVE, ""
        )

    def _p(self, one: list[float], other: list[float]) -> float:
        """Return the probability of such a difference if there is none. Counts that repeat leave nothing to chance."""
        if self.exact:
            return 1.0 if self.medians[0] == self.medians[1] else 0.0
        return inference.mann_whitney(one, other) if self.turns is None else inference.signed_rank(self.turns)

    def _ratio(self, one: list[float], other: list[float]) -> tuple[float, float, float]:
        """Return the ratio of medians and its interval, which always contains the ratio."""
        before, after = self.medians
        if min(before, after) <= 0:
            return math.nan, math.nan, math.nan
        ratio = after / before
        if self.exact:
            return ratio, ratio, ratio
        if self.turns is not None:
            ratio, logarithms = math.exp(float(np.median(self.turns))), inference.median_interval(self.turns)
            found = Interval(math.exp(logarithms.low), math.exp(logarithms.high))
        else:
            found = inference.ratio_interval(one, other)
        return ratio, min(ratio, found.low), max(ratio, found.high)

    def judged(self, p_adjusted: float, family: int, doubt: str) -> Comparison:
        """Return the comparison with its verdict and reason."""
        word, reason = self._word(p_adjusted, family, doubt)
        return replace(self.figures, p_adjusted=p_adjusted, word=word, reason=reason)

    def _word(self, p: float, family: int, doubt: str) -> tuple[Word, str]:
        low, high, band = self.figures.low, self.figures.high, self.rule.band
        within = band.low <= low and high <= band.high
        beyond = low > band.high or high < band.low
        side = Word.SLOWER if self.figures.ratio > 1 else Word.FASTER
        if math.isnan(self.figures.ratio):
            return Word.INCONCLUSIVE, BELOW_RESOLUTION
        if self.exact:
            return (Word.NO_CHANGE if within else side), EXACT
        if self.single:
            return Word.INCONCLUSIVE, "a single try shows no spread: take more tries"
        if doubt:
            return Word.INCONCLUSIVE, doubt
        if min(self.sizes) < LEAST_UNITS:
            return Word.INCONCLUSIVE, f"too few {self.called}: {self._counted}, and fewer than {LEAST_UNITS} have no interval"
        if not math.isfinite(high):
            return Word.INCONCLUSIVE, "some tries are below the clock's resolution: take more elements"
        if self.same_loads:
            return Word.NO_CHANGE, SAME_LOADS
        if within:
            return Word.NO_CHANGE, f"the interval is within {self.rule.tolerance}"
        if beyond and p < self.rule.alpha:
            return side, f"the interval is beyond {self.rule.tolerance}"
        noisy = replace(self.rule, threshold=self.rule.threshold + self.noise).band
        if not beyond and self._least_p * family < self.rule.alpha and noisy.low <= low and high <= noisy.high:
            return Word.NO_CHANGE, f"{LIKE_LOADS}, {100 * self.noise:.2g} %"
        return Word.INCONCLUSIVE, self._doubtful(beyond, p, family)

    def _doubtful(self, beyond: bool, p: float, family: int) -> str:
        """Return why a ratio that may have changed has no verdict."""
        alpha = self.rule.alpha
        if self._least_p * family >= alpha:
            needed = inference.least_size(alpha, family, paired=self.turns is not None)
            return (
                f"too few {self.called}: with {self._counted} no p in {family} cells can be below {alpha:g}, "
                f"it takes {needed}"
            )
        if beyond:
            return f"p is not below {alpha:g}"
        if p < alpha:
            return f"a difference, but its interval has a part within {self.rule.tolerance}"
        return f"the interval reaches beyond {self.rule.tolerance}: the samples scatter too much"

    @property
    def _least_p(self) -> float:
        """Return the smallest p value that this number of units can have."""
        return inference.least_p(*self.sizes) if self.turns is None else inference.least_p_of_pairs(self.sizes[0])

    @property
    def _counted(self) -> str:
        return " and ".join(map(str, self.sizes))


def _same_loads(one: Sequence[float], other: Sequence[float], rule: Rule) -> bool:
    """Return true if enough loads of both sides have the same median and the same cheapest load."""
    enough = min(len(one), len(other)) >= LEAST_UNITS and min(*one, *other) > 0
    return enough and rule.holds(min(one), min(other)) and rule.holds(statistics.median(one), statistics.median(other))


def _noise(loads: Sequence[float]) -> float:
    """Return the range of one side's loads without a tenth at either end, as a share of their median."""
    low, median, high = np.percentile(loads, (10, 50, 90))
    return float((high - low) / median) if median > 0 else 0.0


def _turns(one: Sequence[float], other: Sequence[float]) -> Values | None:
    """Return the logarithms of the ratios of neighbours; None if the loads are not paired, or a pair has no ratio."""
    if len(one) != len(other) or min(*one, *other) <= 0:
        return None
    ratios: Values = np.log(np.asarray(other, dtype=np.float64) / np.asarray(one, dtype=np.float64))
    return ratios


def _repeat(one: Values, other: Values) -> bool:
    """Return true if a count is the same whenever it was taken: on each side, or try for try on both."""
    steady = all(side.size > 1 and np.ptp(side) == 0 for side in (one, other))
    return steady or (one.size > 1 and np.array_equal(one, other))


def _checked(name: str, blocks: Blocks) -> Values:
    """Return all samples of one side. HarnessError unless they are numbers and there is at least one."""
    samples = pooled(blocks)
    if not samples.size or not all(len(block) for block in blocks):
        raise HarnessError(f"{name} has no samples: there is nothing to compare")
    if not np.isfinite(samples).all():
        raise HarnessError(f"{name} has a sample that is not a number: it cannot be compared")
    return samples
