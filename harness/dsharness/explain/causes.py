# SPDX-License-Identifier: GPL-2.0
"""The functions that changed most in cells that became slower, for compare, ab and gate."""

from __future__ import annotations

from collections.abc import Sequence

from .. import ui
from ..errors import HarnessError
from ..kernel import trees
from ..results import datapath
from . import cells, difference, guest
from .difference import Change
from .place import Place, explainable
from .plan import DEFAULT_TRIES, TIMEOUT_SECONDS, ExplainPlan
from .profile import Profile

MOST = 3
"""Number of functions to name for each cell."""


def find(names: Sequence[str], before: Place, after: Place, settings: Sequence[str] = ()) -> dict[str, list[Change]]:
    """Return the functions that changed most, for each cell that can be explained. A failure is a warning: the verdicts stand."""
    wanted = explainable(names)
    if not wanted or before == after:
        return {}
    try:
        one, other = (_profiles(wanted, place, settings) for place in (before, after))
    except HarnessError as error:
        ui.warn(f"the slower cells cannot be explained: {error}")
        return {}
    shared = [name for name in wanted if name in one and name in other]
    return {name: [change for change in difference.changes(one[name], other[name])[:MOST] if change.difference] for name in shared}


def lines(found: dict[str, list[Change]]) -> list[str]:
    """Return a line for each cell."""
    return [
        f"{name}: " + (", ".join(f"{change.function} {change.difference:+,.2f}" for change in changes) or "no function changed")
        for name, changes in found.items()
    ]


def _profiles(names: Sequence[str], place: Place, settings: Sequence[str]) -> dict[str, Profile]:
    tree = trees.find(place.revision) if place.revision else trees.working()
    packets = tuple(word for word in settings if word.partition("=")[0] in datapath.PACKET_SETTINGS)
    others = tuple(word for word in settings if word not in packets)
    plan = ExplainPlan(tuple(cells.find(names, tree.containers)), DEFAULT_TRIES, others, float(TIMEOUT_SECONDS), packets=packets)
    return {one.cell.name: one for one in guest.run(plan, place, tree).profiles}
