# SPDX-License-Identifier: GPL-2.0
"""Where n elements fill a cache of the machine that a result file is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ELEMENT_BYTES = 64
"""DSBENCH_ELEM_SIZE of include/dsbench/bench.h, the container's link in it."""

HOLDING_DATA = {"Data": "d", "Unified": ""}


@dataclass(frozen=True)
class Cache:
    """A cache for data: "L1d", "L2"; `level` from 1, `size` in bytes."""

    name: str
    level: int
    size: int

    @property
    def elements(self) -> int:
        """How many elements fill it, without what their container allocates beside them."""
        return self.size // ELEMENT_BYTES


def of(context: Mapping[str, Any]) -> list[Cache]:
    """The first CPU's caches, smallest first, from a result file's context; what it does not tell is absent."""
    told = context.get("caches")
    entries = [entry for entry in told if isinstance(entry, dict)] if isinstance(told, list) else []
    return sorted((cache for entry in entries if (cache := _cache(entry))), key=lambda cache: cache.size)


def private(context: Mapping[str, Any]) -> Cache | None:
    """The largest cache below the last level: what a core is likely to have for itself. None: not known."""
    known = of(context)
    inner = [cache for cache in known if cache.level <= 2]
    return inner[-1] if inner else None


def _cache(entry: Mapping[str, Any]) -> Cache | None:
    """One entry of the context; None when it is for instructions or damaged."""
    kind, level, size = entry.get("type"), entry.get("level"), entry.get("size")
    if not isinstance(kind, str) or not isinstance(level, int) or not isinstance(size, int):
        return None
    if kind not in HOLDING_DATA or level < 1 or size < ELEMENT_BYTES:
        return None
    return Cache(f"L{level}{HOLDING_DATA[kind]}", level, size)
