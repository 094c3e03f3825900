# SPDX-License-Identifier: GPL-2.0
"""Which windows belong to which try of which cell.

The core says how many instructions each try took, the plugin how many each window had. A try is one or several windows in a row whose
sum, less the clock's own cost in each, is exactly its count.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from ..results.samples import Cell
from .symbols import Function, Symbols
from .windows import Window

CORE, TUNNEL = "dsbench", "dsbench_tunnel"
SLICE = "dsbench_time_slice"
"""The function that reads the clock around an operation."""
EMPTY = "nothing"
"""The operation of empty slices. Many in a row measure the clock's own cost, at the start of each run."""
LEAST_EMPTY = 500


@dataclass(frozen=True)
class Slice:
    """A window around an operation."""

    window: Window
    operation: Function


def slices(windows: Sequence[Window], symbols: Symbols) -> list[Slice]:
    """Return the windows that are slices of tries, with their operations."""
    frames = symbols.named(SLICE, CORE)
    found = []
    known: dict[int, Slice | None] = {}
    for window in windows:
        if id(window) not in known:
            inside = any(frame.address <= window.begin < frame.end for frame in frames)
            operation = _operation(window, symbols) if inside else None
            known[id(window)] = Slice(window, operation) if operation else None
        if one := known[id(window)]:
            found.append(one)
    return found


def _operation(window: Window, symbols: Symbols) -> Function | None:
    """Return the function that the slice calls: the first function of a module of ours that begins in it."""
    for block in window.first:
        function = symbols.at(block.address)
        if function.address == block.address and function.module.startswith(CORE) and function.name != SLICE:
            return function
    return None


def runs(found: Sequence[Slice]) -> list[list[Slice]]:
    """Return the slices of each run of the core: the empty slices in a row, of the module's load or of a run, begin it."""
    parts: list[list[Slice]] = []
    for empty, group in itertools.groupby(found, key=lambda one: one.operation.name == EMPTY):
        members = list(group)
        if empty and len(members) >= LEAST_EMPTY:
            parts.append([])
        elif parts:
            parts[-1] += members
    return parts


def module_of(cell: Cell, packet: bool, floor: bool) -> str:
    """Return the module that has the operations of a cell."""
    return TUNNEL if packet else CORE if floor else f"{CORE}_{cell.container}"


def of_cell(cell: Cell, module: str, run: Sequence[Slice], overhead: int) -> list[list[Window]]:
    """Return the windows of each try of a cell, of an operation in `module`; an empty list for a try that none add up to.

    `overhead` is the clock's own cost in each slice, in instructions.
    """
    by_operation: dict[Function, list[Window]] = {}
    for one in run:
        if one.operation.module == module:
            by_operation.setdefault(one.operation, []).append(one.window)
    candidates = [(operation, _matched(cell.counts, windows, overhead)) for operation, windows in by_operation.items()]
    if not candidates:
        return [[] for _ in cell.counts]
    return max(candidates, key=lambda pair: (sum(map(bool, pair[1])), cell.op in pair[0].name))[1]


def _matched(counts: Sequence[int], windows: Sequence[Window], overhead: int) -> list[list[Window]]:
    """Return the windows of each count, in order: the earliest ones whose sum it is, and as few of them as possible."""
    sums = [0, *itertools.accumulate(window.instructions - overhead for window in windows)]
    found: list[list[Window]] = []
    begin = 0
    for count in counts:
        latest: dict[int, int] = {}
        match: tuple[int, int] | None = None
        for end in range(begin + 1, len(sums)):
            latest[sums[end - 1]] = end - 1
            if (start := latest.get(sums[end] - count)) is not None:
                match = start, end
                break
        if match:
            begin = match[1]
        found.append(list(windows[slice(*match)]) if match else [])
    return found
