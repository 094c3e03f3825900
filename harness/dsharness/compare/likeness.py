# SPDX-License-Identifier: GPL-2.0
"""Checks whether two sweeps are of one kind, so that their figures may be compared, and lists the fields that differ.

A field that one of the two lacks is not compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..results import environment

if TYPE_CHECKING:  # the command line imports KINDS without numpy
    from ..results.results import Results

KINDS: Mapping[str, tuple[str, ...]] = {
    "target": ("target", "accel"),
    "unit": ("unit", "clock"),
    "machine": ("cpu_model", "core_types"),
    "kernel": ("kernel", "arch"),
    "config": ("config", "mitigations"),
    "boot": ("boot_parameters",),
    "compiler": ("compiler",),
    "guest": ("guest_memory_mib", "guest_parameters"),
    "packets": ("hash", "sink_gro", "protocol", "device_options"),
    "options": ("order", "erase_order", "alloc", "seed", "lookups", "misses", "writes", "patience"),
}
"""Fields of the context that must agree, by the names of --across."""


@dataclass(frozen=True)
class Difference:
    """A field that differs between two sweeps."""

    kind: str
    field: str
    before: Any
    after: Any

    def __str__(self) -> str:
        if isinstance(self.before, list) and isinstance(self.after, list):
            return f"{self.name} ({_only(self.before, self.after)} in the first alone, {_only(self.after, self.before)} in the second)"
        if isinstance(self.before, dict) and isinstance(self.after, dict):
            return f"{self.name} ({_unlike(self.before, self.after)})"
        return f"{self.name} ({self.before} and {self.after})"

    @property
    def name(self) -> str:
        """The field's name for people."""
        return self.field.replace("boot_p", "boot p").replace("core_t", "core t")


def differences(before: Results, after: Results) -> list[Difference]:
    """Return the fields that differ. The CPU does not matter where an emulator counts instructions."""
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
    """Return why the cycles of one of the sweeps are not reliable, and what to do; "" if there is no known reason."""
    if before.unit != after.unit:
        return "cycles and instructions are different things: their ratio is no change"
    if before.unit == "instructions":
        return ""
    for which, sweep in (("first", before), ("second", after)):
        for what, remedy in environment.disturbances(sweep.context).items():
            return f"in the {which} sweep {what}: {remedy}"
    return ""


def compiler(sweep: Results) -> str:
    """Return the compiler of a sweep's kernel and its version, without the path of its program; "unknown" if the results have none."""
    value = str(sweep.context.get("compiler") or "unknown")
    program, _, version = value.partition(" ")
    return f"gcc {version}" if "gcc" in program else version or value


def _same(sweep: Results, field: str) -> Any:
    """Return the value of a field as it is compared, regardless of the order of facts and of the path of the compiler."""
    value = sweep.context[field]
    if field == "compiler":
        return compiler(sweep)
    return sorted(map(str, value)) if isinstance(value, list) else value


def _lengths(before: Results, after: Results) -> list[Difference]:
    """Return the cells that have the same name but tries of different lengths."""
    elements = {cell.name: cell.elements for cell in after.cells}
    return [
        Difference("options", f"elements of a try of {cell.name}", cell.elements, elements[cell.name])
        for cell in before.cells
        if elements.get(cell.name, cell.elements) != cell.elements
    ]


def _unlike(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return the entries that differ, with both values."""
    names = [name for name in dict.fromkeys((*before, *after)) if before.get(name) != after.get(name)]
    return ", ".join(f"{name}: {before.get(name, 'nothing')!r} and {after.get(name, 'nothing')!r}" for name in names)


def _only(values: list[Any], others: list[Any]) -> str:
    """Return the values that the other list lacks."""
    return " ".join(str(value) for value in values if value not in others) or "nothing"
