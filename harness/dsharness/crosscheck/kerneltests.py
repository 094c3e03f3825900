# SPDX-License-Identifier: GPL-2.0
"""The kernel's own tests of its containers: taken from its source, built as they are, and what they print."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import locks, paths, ui
from ..errors import HarnessError
from ..kernel import linuxsource, onefile
from ..kernel.kernels import Kernel

RBTREE, INTERVAL, RHASHTABLE = NAMES = ("rbtree_test", "interval_tree_test", "test_rhashtable")

WARM = "-D__cold__="
"""They do all their work in module init, which older kernels mark as cold: gcc would compile it for size, unlike ours."""

LOADS = 5
"""How often each runs. Interrupts fall into their loops: the quietest of several is the one without."""

QUERIES = 100
"""Searches in the interval tree; each finds a quarter of the intervals."""

_STAMP = re.compile(r"^\[[ \d.]+\] ?")
_TROUBLE = re.compile(r"WARNING:|BUG:|Oops|Test failed|YES, failed")
_RBTREE = re.compile(r"-> test (?P<number>\d) \((?P<what>[^)]*)\): (?P<cycles>\d+) cycles")
_CYCLES = re.compile(r"-> (?P<cycles>\d+) cycles(?: \((?P<results>\d+) results\))?$")
_DURATION = re.compile(r"Duration of test: (?P<ns>\d+) ns")

RBTREE_TESTS = {"insert+delete": "latency of nnodes insert+delete", "in order": "latency of inorder traversal"}


@dataclass(frozen=True)
class Tests:
    """The tests as built for one kernel."""

    source: str
    """Which kernel source they are from, "linux-source-6.12 6.12.117-1"."""
    modules: Mapping[str, Path]
    absent: Mapping[str, str]
    """Name -> why it could not be built."""


@dataclass(frozen=True)
class Found:
    """What one test printed of one thing, of one round through all its elements."""

    ticks: int
    results: int = 0
    """What a search found."""


def make(kernel: Kernel) -> Tests:
    """Take the tests from the source of `kernel`'s version and build them. HarnessError when that cannot be had."""
    picked = linuxsource.pick(f"{kernel.version[0]}.{kernel.version[1]}", [f"lib/{name}.c" for name in NAMES], linuxsource.TESTS)
    folder = paths.make_folder(paths.BUILD / f"{kernel.target}-{kernel.release}" / "tests", "build")
    modules: dict[str, Path] = {}
    absent: dict[str, str] = {}
    with (
        locks.held(folder / ".lock", f"it builds in {folder}"),
        ui.Progress(f"building the kernel's own tests for {kernel.release}", len(NAMES), "tests") as progress,
    ):
        for name in NAMES:
            try:
                modules[name] = onefile.module(kernel, picked, name, folder, WARM)
            except HarnessError as error:
                absent[name] = str(error)
            progress.advance(name)
    return Tests(picked.source, modules, absent)


def arguments(name: str, n: int) -> list[str]:
    """Parameters of a test for `n` elements: each thing once, and none of the long checks beside them."""
    return {
        RBTREE: [f"nnodes={n}", "perf_loops=1", "check_loops=0"],
        INTERVAL: [f"nnodes={n}", "perf_loops=1", f"nsearches={QUERIES}", "search_loops=1"],
        RHASHTABLE: [f"parm_entries={n}", f"size={n}", "runs=1", "tcount=0"],
    }[name]


def parse(name: str, logs: Sequence[Sequence[str]]) -> dict[str, Found]:
    """What a test said in the kernel's log, one list of lines a load: the quietest of each thing.

    The things are "insert+delete" and "in order" of the rbtree, "insert+delete" and "search" of the interval tree, "all" of
    the rhashtable, which is in ns. HarnessError when it did not run, failed, or has no clock.
    """
    loads = [_PARSERS[name](name, [_STAMP.sub("", line).strip() for line in log]) for log in logs]
    if not loads:
        raise HarnessError(f"{name} was not run")
    return {thing: min((load[thing] for load in loads), key=lambda found: found.ticks) for thing in loads[0]}


def _rbtree(name: str, log: list[str]) -> dict[str, Found]:
    plain: dict[str, Found] = {}
    for line in _sound(name, log):
        if match := _RBTREE.search(line):
            plain.setdefault(match["what"], _clocked(name, match["cycles"]))
        elif line.startswith("augmented"):
            break
    return {thing: _get(name, plain, title) for thing, title in RBTREE_TESTS.items()}


def _interval(name: str, log: list[str]) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for line in _sound(name, log):
        if match := _CYCLES.search(line):
            thing = "search" if match["results"] else "insert+delete"
            found[thing] = _clocked(name, match["cycles"], int(match["results"] or 0))
    return {thing: _get(name, found, thing) for thing in ("insert+delete", "search")}


def _rhashtable(name: str, log: list[str]) -> dict[str, Found]:
    durations = [Found(int(match["ns"])) for line in _sound(name, log) if (match := _DURATION.search(line))]
    return {"all": _get(name, dict.fromkeys(["all"], durations[0]) if durations else {}, "all")}


_PARSERS = {RBTREE: _rbtree, INTERVAL: _interval, RHASHTABLE: _rhashtable}


def _sound(name: str, log: list[str]) -> list[str]:
    if trouble := next((line for line in log if _TROUBLE.search(line)), None):
        raise HarnessError(f"{name} of the kernel failed: {trouble}")
    return log


def _clocked(name: str, cycles: str, results: int = 0) -> Found:
    if int(cycles) == 0:
        raise HarnessError(f"{name} reads get_cycles(), which does not count on this kernel")
    return Found(int(cycles), results)


def _get(name: str, found: Mapping[str, Found], thing: str) -> Found:
    if thing not in found:
        raise HarnessError(f"{name} did not say what {thing!r} took: see the console's log")
    return found[thing]
