# SPDX-License-Identifier: GPL-2.0
"""Runs dsbench explain."""

from __future__ import annotations

import dataclasses

from .. import ui
from ..errors import HarnessError
from . import guest, table
from .guest import Outcome
from .plan import Request, Side


def run(request: Request) -> int:
    """Explain the cells, or compare two sides, and show a table for each cell. Return the exit status."""
    if request.before:
        return _compare(request.before, request.after)
    outcome = _explain(request.after)
    for profile in outcome.profiles:
        table.show(profile, outcome.release)
        print()
    print(table.INLINED)
    return 0


def _explain(side: Side) -> Outcome:
    outcome = guest.run(side.plan, side.place, side.tree)
    for reason in outcome.absent:
        ui.say(f"left out: {reason}")
    return outcome


def _compare(before: Side, after: Side) -> int:
    """Show the differences of each cell that both sides have."""
    one, other = _outcomes(before, after)
    pairs = [
        (profile, peer) for profile in one.profiles for peer in other.profiles
        if (profile.cell.op, profile.cell.n) == (peer.cell.op, peer.cell.n) and _meet(before, after, profile.cell.container, peer.cell.container)
    ]  # fmt: skip
    if not pairs:
        raise HarnessError(f"{before.label} and {after.label} have no cell in common")
    for profile, peer in pairs:
        table.show_difference(profile, peer, (_label(before, one, profile.cell.container), _label(after, other, peer.cell.container)))
        print()
    print(table.INLINED)
    return 0


def _meet(before: Side, after: Side, one: str, other: str) -> bool:
    """Return whether two containers or devices are compared: those of the same name, or the only ones of both sides."""
    return one == other if before.place != after.place else True


def _outcomes(before: Side, after: Side) -> tuple[Outcome, Outcome]:
    """Return the profiles of both sides. Two containers, or two devices, share a guest."""
    if before.place != after.place:
        return _explain(before), _explain(after)
    both = dataclasses.replace(after, plan=dataclasses.replace(after.plan, cells=(*before.plan.cells, *after.plan.cells)))
    outcome = _explain(both)
    first = {cell.name for cell in before.plan.cells}
    one, other = (
        [profile for profile in outcome.profiles if (profile.cell.name in first) is wanted] for wanted in (True, False)
    )
    return dataclasses.replace(outcome, profiles=one), dataclasses.replace(outcome, profiles=other)


def _label(side: Side, outcome: Outcome, container: str) -> str:
    """Return a side for people: its container or device, its modules and its kernel."""
    return f"{container} of {side.place.revision or 'the working tree'}, kernel {outcome.release}"
