# SPDX-License-Identifier: GPL-2.0
"""The kernel's own tests of its containers: taken from its source, built unchanged, and parsed."""

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
"""The tests work in module init, which older kernels mark as cold: gcc would optimise it for size, unlike our modules."""

LOADS = 5
"""Number of loads of each. Interrupts hit their loops: the quietest of several loads has none."""

QUERIES = 100
"""Searches in the interval tree. Each finds a quarter of the intervals."""

_STAMP = re.compile(r"^\[[ \d.]+\] ?")
_TROUBLE = re.compile(r"WARNING:|BUG:|Oops|Test failed|YES, failed")
_RBTREE = re.compile(r"-> test (?P<number>\d) \((?P<what>[^)]*)\): (?P<cycles>\d+) cycles")
_CYCLES = re.compile(r"-> (?P<cycles>\d+) cycles(?: \((?P<results>\d+) results\))?$")
_DURATION = re.compile(r"Duration of test: (?P<ns>\d+) ns")

RBTREE_TESTS = {"insert+delete": "latency of nnodes insert+delete", "in order": "latency of inorder traversal"}


@dataclass(frozen=True)
class Tests:
    """The tests built for one kernel."""

    source: str
    """Name and version of their kernel source, "linux-source-6.12 6.12.117-1"."""
    modules: Mapping[str, Path]
    absent: Mapping[str, str]
    """Test -> why it could not be built."""


@dataclass(frozen=True)
class Found:
    """Figure that a test printed for one operation, for one round through all elements."""

    ticks: int
    results: int = 0
    """What a search found."""


def make(kernel: Kernel) -> Tests:
    """Take the tests from the source of `kernel`'s version and build them. HarnessError if the source cannot be obtained."""
    picked = onefile.pick(kernel, [f"lib/{name}.c" for name in NAMES], linuxsource.TESTS)
    folder = paths.make_folder(paths.objects() / kernel.builds / "tests", "build")
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
    """Return the parameters of a test for `n` elements: each operation once, and none of the long checks."""
    return {
        RBTREE: [f"nnodes={n}", "perf_loops=1", "check_loops=0"],
        INTERVAL: [f"nnodes={n}", "perf_loops=1", f"nsearches={QUERIES}", "search_loops=1"],
        RHASHTABLE: [f"parm_entries={n}", f"size={n}", "runs=1", "tcount=0"],
    }[name]


def parse(name: str, logs: Sequence[Sequence[str]]) -> dict[str, Found]:
    """Parse the output of a test in the kernel's log, a list of lines for each load. The quietest figure of each operation counts.

    The operations are "insert+delete" and "in order" of the rbtree, "insert+delete" and "search" of the interval tree, "all" of the
    rhashtable, in ns. HarnessError if the test did not run, failed, or has no clock.
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
