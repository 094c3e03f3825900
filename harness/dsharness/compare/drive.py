# SPDX-License-Identifier: GPL-2.0
"""Compares result files with the first, shows the verdicts, keeps and draws them."""

from __future__ import annotations

from .. import paths, ui
from ..results import results
from . import comparison, picture, table
from .plan import ComparisonPlan

PICTURE = "compare"


def run(plan: ComparisonPlan) -> int:
    """Compare each file with the first. The verdicts never fail the command; what cannot be compared does."""
    first, *others = [comparison.Sweep(path, results.read(path)) for path in plan.files]
    found = [comparison.compare(first, other, plan.threshold, plan.alpha, set(plan.across), plan.trust_busy) for other in others]
    for one in found:
        table.show(one)
    path = plan.json or results.new_path("compare", None)
    paths.make_folder(path.parent, "results")
    results.write_document(comparison.document(found), path)
    ui.say(f"comparison: {paths.short(path)}")
    for number, one in enumerate(found, start=1):
        name = PICTURE if len(found) == 1 else f"{PICTURE}-{number}"
        for drawn in picture.draw(one, plan.pictures, name):
            ui.say(f"picture: {paths.short(drawn)}")
    return 0
