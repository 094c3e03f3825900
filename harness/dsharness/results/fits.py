# SPDX-License-Identifier: GPL-2.0
"""The complexities of a curve's cells, and their rows in a result file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..statistics import complexity
from ..statistics.complexity import Complexity
from . import caches, floors
from .samples import ELEMENT, INSTRUCTIONS, NANOSECONDS, TSC, Cell

TOLERANCE = {INSTRUCTIONS: 0.05, TSC: 0.1, NANOSECONDS: 0.1}
"""Classes with an RMS this close cannot be distinguished, since cycles are noisy."""
TOLERANCE_BLIND = 0.3
"""The same for cycles if it is unknown how caches bend them."""
CHASE = (floors.FLOOR, "chase")
"""A dependent chase of pointers: O(1) for one element apart from caches."""

Series = tuple[str, str]
"""A container and an operation."""


def last_n(context: Mapping[str, Any]) -> float:
    """Return the largest n that is fitted.

    Instructions do not depend on caches. Cycles do: beyond the private cache, the cost of a miss grows with n for every container,
    and a curve over all n would show that as complexity.
    """
    cache = caches.private(context) if context["unit"] != INSTRUCTIONS else None
    return cache.elements if cache else math.inf


def fits(context: Mapping[str, Any], cells: Sequence[Cell]) -> dict[Series, Complexity]:
    """Return the complexity of each container and operation, in the order of their first cells."""
    costs: dict[Series, list[tuple[int, float]]] = {}
    for cell in cells:
        if cell.work == ELEMENT and not cell.threads:
            median = float(np.median(np.asarray(cell.counts, dtype=np.float64))) / cell.elements
            costs.setdefault((cell.container, cell.op), []).append((cell.n, median))
    last = last_n(context)
    bend = _bend(context, cells)
    tolerance = _tolerance(context, bend)
    return {series: complexity.fit(points, tolerance, last, bend) for series, points in costs.items()}


def _bend(context: Mapping[str, Any], cells: Sequence[Cell]) -> dict[int, float] | None:
    """Return the effect of caches on a cost that is O(1), by n; None if it is unknown or does not matter."""
    found = {cell.n: float(np.median(cell.counts)) / cell.elements for cell in cells if (cell.container, cell.op) == CHASE}
    return found if found and context["unit"] != INSTRUCTIONS else None


def _tolerance(context: Mapping[str, Any], bend: Mapping[int, float] | None) -> float:
    return TOLERANCE_BLIND if context["unit"] != INSTRUCTIONS and bend is None else TOLERANCE[context["unit"]]


def explained(context: Mapping[str, Any], cells: Sequence[Cell]) -> str:
    """Return one sentence on what was fitted."""
    last = last_n(context)
    if context["unit"] == INSTRUCTIONS:
        span = f"from n = {complexity.FIRST_N} on"
    elif math.isfinite(last):
        cache = caches.private(context)
        assert cache
        span = f"from n = {complexity.FIRST_N} to {last:,.0f}: beyond, the elements leave {cache.name}, which bends every curve"
    else:
        span = f"from n = {complexity.FIRST_N} on; this machine does not tell its caches, which bend every curve"
    bend = _bend(context, cells)
    bent = ", as it is or bent as caches bend a chase of pointers," if bend else ""
    return (
        f"Fitted: the median cost of one element or lookup, {span}. The share is the RMS of what the best class{bent} leaves "
        f"over; classes within {_tolerance(context, bend):.0%} of it are not told apart."
    )


def rows(context: Mapping[str, Any], cells: Sequence[Cell]) -> Iterator[dict[str, Any]]:
    """Return Google Benchmark's rows `…_BigO` and `…_RMS` of the best fit of each series, with the ties in fields of our own."""
    ns = 1e6 / float(context["clock_khz"])
    for (container, op), found in fits(context, cells).items():
        ours = {"container": container, "op": op, "complexity": found.word, "reason": found.reason}
        run_name = f"{container}/{op}"
        common = {"run_name": run_name, "run_type": "aggregate", "repetitions": 1, "threads": 1}
        if not found.fits:
            continue
        best = found.fits[0]
        yield {
            "name": f"{run_name}_BigO",
            **common,
            "aggregate_name": "BigO",
            "aggregate_unit": "time",
            "cpu_coefficient": round(best.coefficient * ns, 6),
            "real_coefficient": round(best.coefficient * ns, 6),
            "big_o": best.growth.google,
            "time_unit": "ns",
            **ours,
            f"{context['unit']}_coefficient": round(best.coefficient, 6),
            "n": list(found.sizes),
        }
        yield {
            "name": f"{run_name}_RMS",
            **common,
            "aggregate_name": "RMS",
            "aggregate_unit": "percentage",
            "rms": round(best.rms, 6),
            **ours,
            "rms_of": {fit.growth.name: round(fit.rest, 6) for fit in found.fits},
        }
