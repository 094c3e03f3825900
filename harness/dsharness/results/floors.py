# SPDX-License-Identifier: GPL-2.0
"""Floors: what the machine can do at best, and which floor each operation is measured against.

The core times its own floors beside the containers, at the same sizes: an empty loop, a walk over an array, reads of the array in
random order, and a chase of pointers through it. The floor of a tunnel is the bare link.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import datapath
from .samples import DATAPATH_OPS, Cell, name_of

FLOOR = "floor"
"""The core's name of the floors in place of a container's."""
OPS = ("empty", "walk", "random", "chase")

_FLOOR_OF = {"fill": "random", "find": "random", "for_each": "walk", "erase": "random"}
_FLOOR_OF_SEQUENTIAL = {**_FLOOR_OF, "fill": "walk", "erase": "walk"}
"""The floors if elements are inserted and erased in memory order."""


def words(ops: Sequence[str], order: str) -> str:
    """Return the floors of these operations: "random for fill, find; walk for for_each"."""
    measured: dict[str, list[str]] = {}
    for op in ops:
        if floor := op_of(op, order):
            measured.setdefault(floor, []).append(op)
    return "; ".join(f"{floor} for {', '.join(found)}" for floor, found in measured.items())


def is_floor(cell: Cell) -> bool:
    """Return true for one of the core's floors, which is not a container."""
    return cell.container == FLOOR


def floor_of(cell: Cell, order: str) -> str | None:
    """Return the name of the cell that this cell is measured against; None if it has no floor, is one, or is shared."""
    if cell.threads:
        return None
    if cell.op in DATAPATH_OPS:
        return None if cell.container == datapath.BARE else name_of(datapath.BARE, cell.op, cell.n, burst=cell.burst, peers=cell.peers)
    op = op_of(cell.op, order)
    return op and f"{FLOOR}/{op}/{cell.n}"


def op_of(op: str, order: str) -> str | None:
    """Return the floor, of OPS, that a container's operation is measured against; None for other operations."""
    return (_FLOOR_OF_SEQUENTIAL if order == "sequential" else _FLOOR_OF).get(op)
