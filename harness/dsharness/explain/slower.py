# SPDX-License-Identifier: GPL-2.0
"""What compare and ab say about cells that became slower where instructions are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..results import results
from . import causes, place
from .difference import Change
from .place import Place


def tell(
    names: Sequence[str], before: Mapping[str, Any], after: Mapping[str, Any], explain: bool, places: tuple[Place, Place] | None = None
) -> dict[str, list[Change]]:
    """Print the command that explains each slower cell, or with `explain` the functions that changed most, which are returned.

    `before` and `after` are contexts of results; `places` are where they were measured, if the contexts do not tell. Nothing is printed
    unless both count instructions, or if one is of a kernel of the user's whose place is not known: its files may have changed since.
    """
    if any((side.get("target"), side.get("unit")) != ("qemu", "instructions") for side in (before, after)):
        return {}
    if not places and any(results.KERNEL_TREE in side for side in (before, after)):
        return {}
    one, other = places or (place.of_context(before), place.of_context(after))
    if explain:
        found = causes.find(names, one, other, [f"{name}={value}" for name, value in place.unusual(after).items()])
        for line in causes.lines(found):
            print(line)
        return found
    for line in place.hints(names, one, other, place.options(after)):
        print(line)
    return {}


def add_to(document: dict[str, Any], found: Sequence[Mapping[str, list[Change]]]) -> None:
    """Add the functions that changed most to the cells of a comparison's JSON; `found` are those of each comparison."""
    for one, changes in zip(document["comparisons"], found, strict=True):
        for cell in one["cells"]:
            if cell["name"] in changes:
                cell["functions"] = [change.as_json() for change in changes[cell["name"]]]
