# SPDX-License-Identifier: GPL-2.0
"""Generated results of a known distribution, for the tests of the code that reads, writes and draws results."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from dsharness.results import datapath
from dsharness.results.results import SCHEMA_VERSION, Results
from dsharness.results.samples import DATAPATH_OPS, Cell

CONTAINERS = ("hashtable", "list", "rbtree", "xarray")
ALL_CONTAINERS = (*CONTAINERS, "maple", "rhashtable", "llist", "idr", "sorted_array")
OPS = ("fill", "find", "for_each", "erase")
ABSENT = (("llist", "find"), ("sorted_array", "erase"))

# Counts per element at n = 1000, and the exponent of their growth with n.
_COSTS = {
    ("hashtable", "fill"): (31.0, 0.05), ("hashtable", "find"): (24.0, 0.08),
    ("hashtable", "for_each"): (19.0, 0.06), ("hashtable", "erase"): (22.0, 0.05),
    ("list", "fill"): (9.0, 0.02), ("list", "find"): (1900.0, 1.05),
    ("list", "for_each"): (12.5, 0.05), ("list", "erase"): (11.0, 0.04),
    ("rbtree", "fill"): (180.0, 0.2), ("rbtree", "find"): (170.0, 0.25),
    ("rbtree", "for_each"): (35.0, 0.08), ("rbtree", "erase"): (140.0, 0.15),
    ("maple", "fill"): (900.0, 0.05), ("maple", "find"): (90.0, 0.1),
    ("maple", "for_each"): (35.0, 0.02), ("maple", "erase"): (430.0, 0.05),
    ("rhashtable", "fill"): (29.0, 0.05), ("rhashtable", "find"): (36.0, 0.08),
    ("rhashtable", "for_each"): (38.0, 0.06), ("rhashtable", "erase"): (30.0, 0.05),
    ("llist", "fill"): (6.9, 0.02), ("llist", "for_each"): (12.1, 0.05), ("llist", "erase"): (10.5, 0.04),
    ("idr", "fill"): (60.0, 0.05), ("idr", "find"): (13.0, 0.04),
    ("idr", "for_each"): (28.0, 0.02), ("idr", "erase"): (35.0, 0.03),
    ("sorted_array", "fill"): (310.0, 0.2), ("sorted_array", "find"): (150.0, 0.25),
    ("sorted_array", "for_each"): (1.5, 0.05),
    ("xarray", "fill"): (110.0, 0.05), ("xarray", "find"): (37.0, 0.04),
    ("xarray", "for_each"): (21.0, 0.02), ("xarray", "erase"): (95.0, 0.03),
}  # fmt: skip


# Counts per element of the floors at n = 1000, and the exponent of their growth with n.
_FLOORS = {"empty": (1.1, 0.0), "walk": (1.6, 0.02), "random": (2.7, 0.05), "chase": (10.5, 0.1)}


DEVICES = ("veth", "udptun", "vxlan", "geneve", "bareudp", "fou", "wireguard")
PAYLOADS = (64, 512, 1400, 64400)
PACKETS = 32

# Counts per packet without payload, and per octet of payload.
_PACKET_COSTS = {
    "veth": (2900.0, 0.05), "udptun": (6400.0, 0.06), "vxlan": (8500.0, 0.07), "geneve": (8100.0, 0.07),
    "bareudp": (9300.0, 0.07), "fou": (8400.0, 0.07), "wireguard": (14000.0, 4.5),
}  # fmt: skip
_SHARES = {"tx": 0.45, "rx": 0.5, "path": 1.0}


def make(
    sizes: Sequence[int] = (500, 1000, 2000, 4000),
    tries: int = 20,
    containers: Sequence[str] = CONTAINERS,
    ops: Sequence[str] = OPS,
    seed: int = 1,
    devices: Sequence[str] = (),
    payloads: Sequence[int] = PAYLOADS,
    bursts: Sequence[int] = (),
    threads: Sequence[int] = (),
    floors: bool = False,
    **context: Any,
) -> Results:
    """A complete sweep, optionally with the datapath of `devices`, in bursts, too, with floors, and shared by `threads` readers.

    `context` overrides fields of the context.
    """
    draw = random.Random(seed)
    cells = []
    for n in sizes:
        for container in containers:
            for op in ops:
                if (container, op) in ABSENT:
                    continue
                elements = min(n, 64) if (container, op) == ("list", "find") else n
                cells.append(_elements(draw, Cell(container, op, n, elements), _COSTS[container, op], tries))
        if floors:
            cells += [_elements(draw, Cell("floor", op, n, n), cost, tries) for op, cost in _FLOORS.items()]
    cells += [
        _shared(draw, container, op, n, readers, tries)
        for n in sizes
        for container in containers
        for op in ("find", "for_each")
        for readers in threads
    ]
    cells += [
        _packets(draw, device, op, octets, tries, burst)
        for octets in payloads
        for device in devices
        for burst in (0, *datapath.bursts_of(octets, bursts))
        for op in DATAPATH_OPS
    ]
    return Results(
        {
            "schema_version": SCHEMA_VERSION,
            "complete": True,
            "target": "uml",
            "accel": None,
            "kernel": "6.12.117",
            "unit": "tsc",
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
            "absent_ops": ["/".join(absent) for absent in ABSENT if absent[0] in containers and absent[1] in ops],
            "cells": [cell.name for cell in cells],
            **context,
        },
        cells,
    )


SHARING = {
    "list": {"readers": "rcu_read_lock", "writer": "spin_lock"},
    "hashtable": {"readers": "rcu_read_lock", "writer": "spin_lock"},
    "rbtree": {"readers": "read_lock", "writer": "write_lock"},
    "xarray": {"readers": "rcu_read_lock", "writer": "xa_lock"},
}


def _shared(draw: random.Random, container: str, op: str, n: int, threads: int, tries: int) -> Cell:
    """The time of readers under a lock grows with their number, the time of readers under RCU does not."""
    cell = Cell(container, op, n, n, threads=threads)
    cost = _COSTS[container, op][0] * (threads**1.5 if container == "rbtree" else 1.0)
    for _ in range(tries):
        cycles = round(cost * n * (1 + draw.expovariate(30)))
        passes = 1 + 25_000_000 // cycles
        cell.add(cycles, 0, passes * cycles, passes * n * threads, 10)
    return cell


def _elements(draw: random.Random, cell: Cell, cost: tuple[float, float], tries: int) -> Cell:
    for _ in range(tries):
        spread = 1 + draw.expovariate(30)
        cell.counts.append(round(cost[0] * (cell.n / 1000) ** cost[1] * spread * cell.elements))
        cell.disturbed.append(int(draw.random() < 0.02))
    return cell


def _packets(draw: random.Random, device: str, op: str, octets: int, tries: int, burst: int) -> Cell:
    fixed, growth = _PACKET_COSTS.get(device, (5000.0, 0.06))
    cell = Cell(device, op, octets, max(PACKETS, burst), burst=burst)
    fixed *= 1 if device == "udptun" else 1.2 if burst == 1 else 0.9
    for _ in range(tries):
        cell.counts.append(round((fixed + growth * octets) * _SHARES[op] * (1 + draw.expovariate(30)) * cell.elements))
        cell.disturbed.append(int(draw.random() < 0.02))
    return cell
