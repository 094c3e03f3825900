# SPDX-License-Identifier: GPL-2.0
"""Runs dsbench sweep, and profiles its cells if asked to.

A sweep knows nothing of profiles, which are made with its parts.
"""

from __future__ import annotations

from .. import ui
from ..errors import HarnessError
from ..kernel import trees
from ..results import results
from ..results.results import Costs, Results
from ..sweep import drive as sweeper
from ..sweep.plan import Plan
from . import guest
from .cells import Wanted
from .place import Place, explainable
from .plan import DEFAULT_TRIES, ExplainPlan
from .profile import Profile


def run(plan: Plan) -> int:
    """Sweep, profile the cells if the plan says so, and show the medians. Return the exit status."""
    path, swept = sweeper.sweep(plan)
    if plan.explain:
        try:
            swept.costs = _costs(plan, swept)
            results.write(swept, path)
        except HarnessError as error:
            sweeper.show(plan, path, swept)
            raise HarnessError(f"the sweep is kept in {path}, its cells are not explained: {error}", error.exit_code) from error
    sweeper.show(plan, path, swept)
    return 0


def _costs(plan: Plan, swept: Results) -> dict[str, Costs]:
    """Profile each cell that readers do not share, with the parameters of the sweep."""
    names = explainable([cell.name for cell in swept.cells])
    wanted = [Wanted(cell.container, cell.op, cell.n, named=False, burst=cell.burst) for cell in swept.cells if cell.name in names]
    settings = tuple(word for word in plan.settings if word.partition("=")[0] not in ("containers", "ops", "threads", "writes", "patience"))
    packets = plan.datapath.packets if plan.datapath else ()
    asked = ExplainPlan(tuple(wanted), DEFAULT_TRIES, settings, plan.timeout, packets=packets)
    outcome = guest.run(asked, Place(plan.kernel), trees.working())
    for reason in outcome.absent:
        ui.say(f"not explained: {reason}")
    return {one.cell.name: _cost(one) for one in outcome.profiles}


def _cost(one: Profile) -> Costs:
    by_function = {name: one.each(share.instructions) for name, share in one.functions.items()}
    return Costs(by_function, one.each(one.loads), one.each(one.stores), one.each(one.lines))
