# SPDX-License-Identifier: GPL-2.0
"""Results of a known distribution, for the tests of what reads, writes and draws them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from dsharness.results import SCHEMA_VERSION, Results
from dsharness.samples import Cell

CONTAINERS = ("hashtable", "list", "rbtree", "xarray")
OPS = ("fill", "find", "for_each", "erase")

# Counts an element at n = 1000, and how it grows with n.
_COSTS = {
    ("hashtable", "fill"): (31.0, 0.05), ("hashtable", "find"): (24.0, 0.08),
    ("hashtable", "for_each"): (19.0, 0.06), ("hashtable", "erase"): (22.0, 0.05),
    ("list", "fill"): (9.0, 0.02), ("list", "find"): (1900.0, 1.05),
    ("list", "for_each"): (12.5, 0.05), ("list", "erase"): (11.0, 0.04),
    ("rbtree", "fill"): (180.0, 0.2), ("rbtree", "find"): (170.0, 0.25),
    ("rbtree", "for_each"): (35.0, 0.08), ("rbtree", "erase"): (140.0, 0.15),
    ("xarray", "fill"): (110.0, 0.05), ("xarray", "find"): (37.0, 0.04),
    ("xarray", "for_each"): (21.0, 0.02), ("xarray", "erase"): (95.0, 0.03),
}  # fmt: skip


def make(
    sizes: Sequence[int] = (500, 1000, 2000, 4000),
    tries: int = 20,
    containers: Sequence[str] = CONTAINERS,
    ops: Sequence[str] = OPS,
    seed: int = 1,
    **context: Any,
) -> Results:
    """A complete sweep; `context` overrides fields of its context."""
    draw = random.Random(seed)
    cells = []
    for n in sizes:
        for container in containers:
            for op in ops:
                cost, growth = _COSTS[container, op]
                cell = Cell(container, op, n, min(n, 64) if (container, op) == ("list", "find") else n)
                for _ in range(tries):
                    spread = 1 + draw.expovariate(30)
                    cell.cycles.append(round(cost * (n / 1000) ** growth * spread * cell.elements))
                    cell.disturbed.append(int(draw.random() < 0.02))
                cells.append(cell)
    return Results(
        {
            "schema_version": SCHEMA_VERSION,
            "complete": True,
            "target": "uml",
            "accel": None,
            "kernel": "6.12.117",
            "unit": "cycles",
            "clock": "rdtsc between lfence, rdtscp and lfence",
            "clock_khz": 2_500_000,
            "clock_overhead": 61,
            "dsbench": "0.1.0",
            "date": "2026-01-02T03:04:05+00:00",
            "cpu_model": "Example CPU 9000 @ 2.50GHz",
            "git_revision": "0123456789ab",
            "git_dirty": False,
            "order": "shuffled",
            "alloc": "prealloc",
            "seed": 1,
            "n": list(sizes),
            "tries": tries,
            "warnings": [],
            "cells": [cell.name for cell in cells],
            **context,
        },
        cells,
    )
