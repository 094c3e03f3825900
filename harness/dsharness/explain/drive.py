# SPDX-License-Identifier: GPL-2.0
"""Runs dsbench explain."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from .. import paths, ui
from ..errors import HarnessError
from . import annotate, folded, guest, picture, table
from .annotate import Line
from .guest import Outcome
from .plan import Request, Side
from .profile import Profile
from .symbols import Function


def run(request: Request) -> int:
    """Explain the cells, or compare two sides, and show a table for each cell. Return the exit status."""
    if request.before:
        return _compare(request.before, request.after)
    outcome = _explain(request.after)
    if request.after.plan.single:
        table.show_singles(outcome.singles, outcome.release, request.cache, request.warm)
        return 0
    for name in request.after.plan.code:
        annotate.check_runs(name, outcome.profiles, outcome.symbols.named(name))
    for profile in outcome.profiles:
        table.show(profile, outcome.release)
        if request.cache:
            table.show_misses(profile, request.cache, request.warm)
        print()
        for name in request.after.plan.code:
            _annotate(name, profile, outcome)
    print(table.INLINED)
    _write(request, outcome)
    return 0


def _annotate(name: str, profile: Profile, outcome: Outcome) -> None:
    """Show the disassembly of the functions of a name that run in a profile."""
    for function, found in _annotated(name, profile, outcome):
        table.show_annotated(function.shown, found, profile)


def _annotated(name: str, profile: Profile, outcome: Outcome) -> Iterator[tuple[Function, list[Line]]]:
    """Yield the functions of a name that run in a profile, with their instructions."""
    for function in annotate.running(profile, outcome.symbols.named(name)):
        code = outcome.code.get(function.address)
        if code is None:
            raise HarnessError(f"--annotate {name}: the guest did not send the code of this function")
        yield function, annotate.lines(function, code, profile, outcome.symbols, outcome.build)


def _write(request: Request, outcome: Outcome) -> None:
    """Write the stacks and the pictures that were asked for."""
    if request.folded:
        stacks = [(one, folded.stacks(one, outcome.nodes, outcome.symbols)) for one in outcome.profiles]
        folded.write(request.folded, stacks)
        ui.say(f"stacks: {paths.short(request.folded)}")
    if request.plot:
        for drawn in picture.draw(outcome.profiles, outcome.release, paths.PLOTS):
            ui.say(f"picture: {paths.short(drawn)}")


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
    for name in after.plan.code:
        annotate.check_runs(name, [*one.profiles, *other.profiles], [*one.symbols.named(name), *other.symbols.named(name)])
    for profile, peer in pairs:
        table.show_difference(profile, peer, (_label(before, one, profile.cell.container), _label(after, other, peer.cell.container)))
        print()
        if after.plan.code:
            show_beside(after.plan.code, (profile, one), (peer, other))
    print(table.INLINED)
    return 0


def show_beside(names: Sequence[str], *sides: tuple[Profile, Outcome]) -> None:
    """Show the functions of these names that run on each side, next to each other."""
    columns = [[(function.shown, lines) for name in names for function, lines in _annotated(name, *side)] for side in sides]
    table.show_beside(columns, [profile for profile, _ in sides])
    print()


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
