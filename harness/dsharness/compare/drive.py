# SPDX-License-Identifier: GPL-2.0
"""Compares result files with the first, shows the verdicts, keeps and draws them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from .. import paths, ui
from ..errors import REGRESSED
from ..explain import slower
from ..explain.difference import Change
from ..explain.place import Place
from ..results import results
from . import comparison, picture, table, verdict
from .comparison import Comparisons
from .plan import ComparisonPlan

PICTURE = "compare"
LISTED = 6
"""Maximum number of cells to list where --fail-on finds some."""


def run(plan: ComparisonPlan) -> int:
    """Compare each file with the first. Return the exit status: no verdict fails the command unless --fail-on names it."""
    first, *others = [comparison.Sweep(path, results.read(path)) for path in plan.files]
    found = [
        comparison.compare(first, other, plan.threshold, plan.alpha, plan.across, plan.trust_busy, plan.cells) for other in others
    ]
    causes = []
    for one in found:
        table.show(one)
        causes.append(tell(one, plan.explain))
    path = plan.json or results.new_path("compare", None)
    paths.make_folder(path.parent, "results")
    document = comparison.document(found)
    slower.add_to(document, causes)
    results.write_document(document, path)
    ui.say(f"comparison: {paths.short(path)}")
    for number, one in enumerate(found, start=1):
        name = PICTURE if len(found) == 1 else f"{PICTURE}-{number}"
        for drawn in picture.draw(one, plan.pictures, name):
            ui.say(f"picture: {paths.short(drawn)}")
    return status(found, plan.fail_on)


def tell(found: Comparisons, explain: bool, places: tuple[Place, Place] | None = None) -> dict[str, list[Change]]:
    """Say how to explain the slower cells where instructions are counted, or with `explain`, what made them slower."""
    names = [cell.name for cell in found.cells if cell.word is verdict.Word.SLOWER]
    return slower.tell(names, found.before.results.context, found.after.results.context, explain, places)


def status(found: Sequence[Comparisons], fail_on: Collection[str]) -> int:
    """Return the exit status, and name the cells whose verdict is one of `fail_on`."""
    failed = 0
    for one in found:
        for word in verdict.Word:
            names = [cell.name for cell in one.cells if cell.word is word and word.value in fail_on]
            if names:
                more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
                ui.say(f"--fail-on {word.value}: {', '.join(names[:LISTED])}{more} in {one.after.path}")
                failed = REGRESSED
    return failed
