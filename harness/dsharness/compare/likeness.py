# SPDX-License-Identifier: GPL-2.0
"""Whether two sweeps are of one kind, so that their figures may be compared, and in what they differ if not.

A field that one of the two does not have says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..results import environment

if TYPE_CHECKING:  # it needs numpy, which the command line that names KINDS must do without
    from ..results.results import Results

KINDS: Mapping[str, tuple[str, ...]] = {
    "target": ("target", "accel"),
    "unit": ("unit", "clock"),
    "machine": ("cpu_model",),
    "kernel": ("kernel", "arch"),
    "config": ("config",),
    "compiler": ("compiler",),
    "options": ("order", "erase_order", "alloc", "seed", "lookups", "misses", "writes", "patience"),
}
"""The fields of a context that have to agree, by the names that --across knows them by."""


@dataclass(frozen=True)
class Difference:
    """A field that is not the same in two sweeps."""

    kind: str
    field: str
    before: Any
    after: Any

    def __str__(self) -> str:
        if isinstance(self.before, list) and isinstance(self.after, list):
            return f"{self.field} ({_only(self.before, self.after)} in the first alone, {_only(self.after, self.before)} in the second)"
        return f"{self.field} ({self.before} and {self.after})"


def differences(before: Results, after: Results) -> list[Difference]:
    """What is not the same in both; of machines that emulate and count instructions, the CPU does not matter."""
    counted = before.unit == after.unit == "instructions"
    found = [
        Difference(kind, field, before.context[field], after.context[field])
        for kind, fields in KINDS.items()
        if not (kind == "machine" and counted)
        for field in fields
        if field in before.context and field in after.context and _same(before, field) != _same(after, field)
    ]
    return found + _lengths(before, after)


def doubt(before: Results, after: Results) -> str:
    """Why the cycles of one of the two cannot be believed, and what to do; "" when nothing is known."""
    if before.unit != after.unit:
        return "cycles and instructions are different things: their ratio is no change"
    if before.unit == "instructions":
        return ""
    for which, sweep in (("first", before), ("second", after)):
        for what, remedy in environment.disturbances(sweep.context).items():
            return f"in the {which} sweep {what}: {remedy}"
    return ""


def _same(sweep: Results, field: str) -> Any:
    """A field's value as it is compared: the order of facts does not matter, nor the name that a compiler is called by."""
    value = sweep.context[field]
    if field == "compiler":
        return str(value).partition(" ")[2] or value
    return sorted(map(str, value)) if isinstance(value, list) else value


def _lengths(before: Results, after: Results) -> list[Difference]:
    """Cells whose tries are of different lengths, though they have one name."""
    elements = {cell.name: cell.elements for cell in after.cells}
    return [
        Difference("options", f"elements of a try of {cell.name}", cell.elements, elements[cell.name])
        for cell in before.cells
        if elements.get(cell.name, cell.elements) != cell.elements
    ]


def _only(values: list[Any], others: list[Any]) -> str:
    """Those values that the others lack."""
    return " ".join(str(value) for value in values if value not in others) or "nothing"
