# SPDX-License-Identifier: GPL-2.0
"""The n at which elements fill a cache of the machine in a result file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ELEMENT_BYTES = 64
"""DSBENCH_ELEM_SIZE of include/dsbench/bench.h, which includes the container's link."""

HOLDING_DATA = {"Data": "d", "Unified": ""}


@dataclass(frozen=True)
class Cache:
    """A data cache: "L1d", "L2"; `level` from 1, `size` in bytes."""

    name: str
    level: int
    size: int

    @property
    def elements(self) -> int:
        """Number of elements that fill the cache, without what their container allocates."""
        return self.size // ELEMENT_BYTES


def of(context: Mapping[str, Any]) -> list[Cache]:
    """Return the caches of the first CPU in a result file's context, smallest first. Unknown caches are absent."""
    told = context.get("caches")
    entries = [entry for entry in told if isinstance(entry, dict)] if isinstance(told, list) else []
    return sorted((cache for entry in entries if (cache := _cache(entry))), key=lambda cache: cache.size)


def private(context: Mapping[str, Any]) -> Cache | None:
    """Return the largest cache below the last level, which a core usually does not share. None if unknown."""
    known = of(context)
    inner = [cache for cache in known if cache.level <= 2]
    return inner[-1] if inner else None


def _cache(entry: Mapping[str, Any]) -> Cache | None:
    """Return one entry of the context; None if it is for instructions or damaged."""
    kind, level, size = entry.get("type"), entry.get("level"), entry.get("size")
    if not isinstance(kind, str) or not isinstance(level, int) or not isinstance(size, int):
        return None
    if kind not in HOLDING_DATA or level < 1 or size < ELEMENT_BYTES:
        return None
    return Cache(f"L{level}{HOLDING_DATA[kind]}", level, size)
