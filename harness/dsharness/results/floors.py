# SPDX-License-Identifier: GPL-2.0
"""What the machine can do at best, and which floor each operation is measured against.

The core times its own floors beside the containers, at the same sizes: an empty loop, a walk over an array, reads of it
in random order, and a chase of pointers through it. A tunnel's floor is the bare link.
"""

from __future__ import annotations

from collections.abc import Sequence

from . import datapath
from .samples import DATAPATH_OPS, Cell

FLOOR = "floor"
"""What the core calls the floors where containers have their names."""
OPS = ("empty", "walk", "random", "chase")

_FLOOR_OF = {"fill": "random", "find": "random", "for_each": "walk", "erase": "random"}
_FLOOR_OF_SEQUENTIAL = {**_FLOOR_OF, "fill": "walk", "erase": "walk"}
"""Where elements are inserted and erased as they lie in memory."""


def words(ops: Sequence[str], order: str) -> str:
    """Which floor these operations are measured against: "random for fill, find; walk for for_each"."""
    measured: dict[str, list[str]] = {}
    for op in ops:
        if floor := op_of(op, order):
            measured.setdefault(floor, []).append(op)
    return "; ".join(f"{floor} for {', '.join(found)}" for floor, found in measured.items())


def is_floor(cell: Cell) -> bool:
    """Whether it is one of the core's floors, which is no container."""
    return cell.container == FLOOR


def floor_of(cell: Cell, order: str) -> str | None:
    """The name of the cell that this one is measured against; None where it has no floor, is one, or is shared."""
    if cell.threads:
        return None
    if cell.op in DATAPATH_OPS:
        return None if cell.container == datapath.BARE else f"{datapath.BARE}/{cell.op}/{cell.n}"
    op = op_of(cell.op, order)
    return op and f"{FLOOR}/{op}/{cell.n}"


def op_of(op: str, order: str) -> str | None:
    """The floor, of OPS, that a container's operation is measured against; None for other operations."""
    return (_FLOOR_OF_SEQUENTIAL if order == "sequential" else _FLOOR_OF).get(op)
