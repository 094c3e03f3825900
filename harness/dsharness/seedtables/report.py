# SPDX-License-Identifier: GPL-2.0
"""The report that this suite follows: its Tables 1 to 3, and our reading of what it leaves open.

*Linux Kernel Support for Rust, Final Report* (Virginia Tech). It gives the total of clock cycles that a C module took on a Fedora
VM, and says that elements are allocated as they are inserted. It does not say which keys were looked up.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass

from .. import paths

TABLES = paths.REFERENCE / "seed_tables.csv"
NAME = "Linux Kernel Support for Rust, Final Report (Virginia Tech)"


@dataclass(frozen=True)
class Reading:
    """How the numbers of some containers were probably measured: options of a sweep, and the reason."""

    containers: tuple[str, ...]
    options: tuple[str, ...]
    find: str
    why: str


READINGS = (
    Reading(
        ("list", "rbtree"),
        ("--alloc", "inline", "--lookups", "1", "--misses", "100"),
        "one key that is not there",
        "the list's find is 121 to 231 cycles an element, its for_each 92 to 220: one pass, where n lookups would be n/2 of "
        "them; rbtree's is 226 to 275 cycles for each of log2 n levels: one descent",
    ),
    Reading(
        ("hashtable",),
        ("--alloc", "inline"),
        "n keys",
        "from n = 2000 on its find costs what its for_each does, 231 to 262 cycles an element: each was touched once",
    ),
    Reading(
        ("xarray",),
        ("--alloc", "prealloc"),
        "n keys",
        "n = 500 apart, its find is 22 to 24 cycles times n, too much for one lookup, and its fill 92 to 98, where the others' "
        "is above 1,000: no element was allocated",
    ),
)
COMMON = ("--order", "sequential")
"""All containers seem to have been filled in key order: rbtree's fill is less than half more expensive than the list's."""


def tables() -> dict[str, dict[str, dict[int, int]]]:
    """Return the report's totals in cycles: by operation in the order of its tables, by container, by n."""
    lines = [line for line in TABLES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    found: dict[str, dict[str, dict[int, int]]] = {}
    for row in csv.DictReader(lines):
        totals = {int(name): int(value) for name, value in row.items() if name.isdigit()}
        found.setdefault(row["op"], {})[row["container"]] = totals
    return found


def sizes() -> list[int]:
    """The report's n, smallest first."""
    return sorted({n for rows in tables().values() for row in rows.values() for n in row})
