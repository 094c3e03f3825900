# SPDX-License-Identifier: GPL-2.0
"""Compares sweeps with a first one: a verdict on each cell that both have, and a summary."""

from __future__ import annotations

import collections
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import HarnessError
from ..results import floors, results
from ..results.results import Results
from ..results.samples import DATAPATH_OPS
from ..statistics import stats
from . import likeness, verdict
from .likeness import Difference
from .verdict import Blocks, Comparison, Rule, Word

SCHEMA_VERSION = 1
KIND = "comparison"
SHOWN = 3
"""Maximum number of differences that a refusal lists."""


@dataclass(frozen=True)
class Sweep:
    """A result file and its content."""

    path: Path
    results: Results


@dataclass(frozen=True)
class Comparisons:
    """Two sweeps, cell by cell. `only_before` and `only_after` name the cells that the other sweep lacks."""

    before: Sweep
    after: Sweep
    rule: Rule
    cells: list[Comparison]
    differences: list[Difference]
    only_before: list[str]
    only_after: list[str]
    in_turns: bool = False
    """Whether the loads of both sides alternated, so that each has a neighbour of the other side."""

    @property
    def counts(self) -> dict[Word, int]:
        """Number of cells with each verdict."""
        found = collections.Counter(cell.word for cell in self.cells)
        return {word: found[word] for word in Word}

    @property
    def reasons(self) -> dict[str, int]:
        """Reasons of the inconclusive cells, the most frequent first."""
        found = collections.Counter(cell.reason for cell in self.cells if cell.word is Word.INCONCLUSIVE)
        return dict(found.most_common())

    @property
    def resolved(self) -> list[Comparison]:
        """The cells that have a ratio."""
        return [cell for cell in self.cells if math.isfinite(cell.ratio)]

    @property
    def geometric_mean(self) -> float:
        """Geometric mean of the ratios; NaN if there are none."""
        ratios = [cell.ratio for cell in self.resolved]
        return float(np.exp(np.mean(np.log(ratios)))) if ratios else math.nan

    @property
    def typical_change(self) -> float:
        """Typical change of a median in either direction; NaN if there are no ratios."""
        ratios = [cell.ratio for cell in self.resolved]
        return stats.typical_change(ratios) if ratios else math.nan


def compare(
    before: Sweep,
    after: Sweep,
    threshold: float | None = None,
    alpha: float | None = None,
    across: Collection[str] = (),
    trusting: bool = False,
    wanted: re.Pattern[str] | None = None,
) -> Comparisons:
    """Compare two sweeps. `across` names the kinds of likeness.KINDS that may differ. `trusting` accepts cycles of a busy machine.
    `wanted` matches the names of the cells to compare; None selects all.

    Threshold and alpha are shares; None selects the unit's. HarnessError if the sweeps are the same, differ in a field that must
    agree, or have no such cell in common.
    """
    _refuse_the_same(before, after)
    found = likeness.differences(before.results, after.results)
    _refuse([difference for difference in found if difference.kind not in across], before.path, after.path)
    one, other = samples(before.results, after.results)
    if not one.keys() & other.keys():
        raise HarnessError(f"{before.path} and {after.path} have no cell in common: there is nothing to compare")
    selected, rest = _selected(one, wanted), _selected(other, wanted)
    if not selected.keys() & rest.keys():
        raise HarnessError(f"--filter {wanted.pattern if wanted else ''!r} matches no cell that {before.path} and {after.path} have in common")
    doubt = likeness.doubt(before.results, after.results)
    if trusting and before.results.unit == after.results.unit:
        doubt = ""
    rule = _rule(before.results, after.results, threshold, alpha)
    cells = verdict.compare(selected, rest, rule, doubt)
    if not trusting and not rule.exact:
        unselected = {name: blocks for name, blocks in one.items() if name not in selected and _is_floor(name)}
        cells = _held_against_floors(cells, verdict.compare(unselected, other, rule, doubt))
    unresolved = {name for side in (before, after) for name in side.results.context.get(results.BELOW_RESOLUTION, ())}
    return Comparisons(
        before,
        after,
        rule,
        [_without_ratio(cell) if cell.name in unresolved else cell for cell in cells],
        found,
        [name for name in selected if name not in rest],
        [name for name in rest if name not in selected],
    )


def _without_ratio(cell: Comparison) -> Comparison:
    """Return a cell that the core found below the clock's resolution on one side."""
    return replace(cell, ratio=math.nan, low=math.nan, high=math.nan, word=Word.INCONCLUSIVE, reason=verdict.BELOW_RESOLUTION)


def samples(before: Results, after: Results) -> tuple[dict[str, Blocks], dict[str, Blocks]]:
    """Return the comparable samples of each cell as one block: the file does not record which guest made a try."""
    one, other = results.comparable_samples(before, after)
    return {name: [values] for name, values in one.items()}, {name: [values] for name, values in other.items()}


def _selected(blocks: dict[str, Blocks], wanted: re.Pattern[str] | None) -> dict[str, Blocks]:
    return {name: values for name, values in blocks.items() if not wanted or wanted.search(name)}


def _is_floor(name: str) -> bool:
    return name.split("/")[0] == floors.FLOOR


def _held_against_floors(cells: Sequence[Comparison], unselected: Sequence[Comparison] = ()) -> list[Comparison]:
    """Withdraw the verdicts at each n whose floor has changed. A floor is the same loop on both sides, so the machine has changed.

    `unselected` are floors that are not among the cells.
    """
    moved: dict[str, Comparison] = {}
    for cell in (*cells, *unselected):
        n = cell.name.split("/")[2]
        if _is_floor(cell.name) and cell.word in (Word.FASTER, Word.SLOWER):
            moved[n] = max(cell, moved.get(n, cell), key=lambda one: abs(math.log(one.ratio)))
    return [_doubted(cell, moved) for cell in cells]


def _doubted(cell: Comparison, moved: Mapping[str, Comparison]) -> Comparison:
    container, op, n = cell.name.split("/")[:3]
    floor = moved.get(n)
    if not floor or container == floors.FLOOR or op in DATAPATH_OPS or cell.word is Word.INCONCLUSIVE:
        return cell
    reason = f"{floor.name}, the same loop on both sides, is {floor.ratio:.2f} of what it was: the machine changed, repeat both"
    return replace(cell, word=Word.INCONCLUSIVE, reason=reason)


def document(found: Sequence[Comparisons]) -> dict[str, Any]:
    """Return the comparisons as the content of a JSON file."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "before": _origin(found[0].before),
        "comparisons": [_as_json(one) for one in found],
    }


def _as_json(found: Comparisons) -> dict[str, Any]:
    return {
        "after": _origin(found.after),
        "threshold": found.rule.threshold,
        "alpha": found.rule.alpha,
        "in_turns": found.in_turns,
        "differences": [asdict(difference) for difference in found.differences],
        "only_before": found.only_before,
        "only_after": found.only_after,
        "counts": {word.value: count for word, count in found.counts.items()},
        "geometric_mean": _number(found.geometric_mean),
        "typical_change": _number(found.typical_change),
        "cells": [_cell(cell) for cell in found.cells],
    }


def _origin(sweep: Sweep) -> dict[str, Any]:
    """Which sweep it was."""
    context = sweep.results.context
    fields = ("target", "accel", "kernel", "unit", "date", "cpu_model", "git_revision", "git_dirty", "complete")
    return {"file": str(sweep.path), **{field: context[field] for field in fields if field in context}}


def _cell(cell: Comparison) -> dict[str, Any]:
    values: dict[str, Any] = {**asdict(cell), "word": cell.word.value}
    return {name: _number(value) if isinstance(value, float) else value for name, value in values.items()}


def _number(value: float) -> float | None:
    """Return None for NaN and infinity, which JSON lacks."""
    return value if math.isfinite(value) else None


def _rule(before: Results, after: Results, threshold: float | None, alpha: float | None) -> Rule:
    """Return the rule of the unit, or the wider one of two units, with the user's threshold and alpha."""
    rule = max((Rule.of(sweep.unit) for sweep in (before, after)), key=lambda rule: rule.threshold)
    wanted = {name: value for name, value in (("threshold", threshold), ("alpha", alpha)) if value is not None}
    return replace(rule, **wanted)


def _refuse_the_same(before: Sweep, after: Sweep) -> None:
    """HarnessError if both paths lead to the same sweep."""
    one, other = (
        [sweep.results.context.get(field) for field in ("date", "host_name")] for sweep in (before, after)
    )
    if before.path.resolve() == after.path.resolve() or (one == other and before.results.cells == after.results.cells):
        raise HarnessError(f"{before.path} and {after.path} are the same sweep: name two of them")


def _refuse(unlike: Sequence[Difference], before: Path, after: Path) -> None:
    """HarnessError if there are differences that --across does not allow."""
    if not unlike:
        return
    more = f" and {len(unlike) - SHOWN} more" if len(unlike) > SHOWN else ""
    said = ", ".join(map(str, unlike[:SHOWN])) + more
    kinds = ",".join(dict.fromkeys(difference.kind for difference in unlike))
    raise HarnessError(
        f"{before} and {after} differ in {said}: compare sweeps of one kind, or compare them anyway with --across {kinds}"
    )
