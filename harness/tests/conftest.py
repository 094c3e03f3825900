# SPDX-License-Identifier: GPL-2.0
"""Settings of all tests: the harness's path, the markers, the workers, and how long each test took.

Two workers run the tests (pytest-xdist, --dist loadgroup). Tests that share a guest are in one group, so that the guest boots
once; a module without a group of its own is a group. build/test-times.tsv lists the seconds and CPU seconds of each test.

Tests write below build/ or a folder of their own. If a file elsewhere in the work tree has changed, all of them have failed.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import worktree  # noqa: E402
from dsharness import paths  # noqa: E402

pytest.register_assert_rewrite("guests")

TIMES = paths.BUILD / "test-times.tsv"
CPU_SECONDS = "cpu_seconds"

LONGEST_FIRST = ("test_e2e_tunnel", "test_e2e_gate", "test_e2e_modules", "test_e2e_stock", "test_lint", "test_e2e_sweep", "test_e2e_curve")
"""Modules whose tests start first, so that no worker is left with a long one at the end."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers. A make that a test starts is not a part of the make that started the tests."""
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"):
        os.environ.pop(name, None)
    config.addinivalue_line("markers", "matrix: a case that another kernel or target covers in `make test`; make test-all runs it, too")
    config.addinivalue_line("markers", "kernels: a test that builds kernels; make test-kernels runs these alone")
    config.addinivalue_line("markers", "kernel_trees: a test that builds a kernel of each version; make test-kernel-trees runs these alone")
    config.addinivalue_line("markers", "rust: a test that needs the build root for Rust; make test-rust runs these alone")
    config.addinivalue_line("markers", "debug: a test on the debug kernel; make test-debug runs these alone")
    config.addinivalue_line("markers", "xdist_group(name): tests that one worker runs, since they share a guest")


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests of a module, and let the longest modules start."""
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    rank = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Note the state of the user's files, in the process that prints the results."""
    if not hasattr(session.config, "workerinput"):
        session.config.stash[_FILES] = worktree.state(paths.ROOT)


@pytest.hookimpl(trylast=True)  # once the workers have ended
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail if the tests have changed a file of the user's. Sources may be edited meanwhile: that is a note."""
    before = session.config.stash.get(_FILES, None)
    if before is None:
        return
    _changed.extend(worktree.changes(before, worktree.state(paths.ROOT)))
    if not all(map(worktree.is_edited, _changed)) and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note the time at which a test begins, and the CPU time of this process and its children."""
    item.stash[_BEGAN] = time.monotonic(), _cpu()
    yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Add what the whole test took to its last report; junit.xml has it as a property."""
    if call.when == "teardown":
        began, cpu = item.stash[_BEGAN]
        item.user_properties += [("seconds", f"{time.monotonic() - began:.2f}"), (CPU_SECONDS, f"{_cpu() - cpu:.2f}")]
    yield


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collect the times in the process that prints the results."""
    taken = dict(report.user_properties)
    if report.when == "teardown" and CPU_SECONDS in taken:
        _taken[report.nodeid.split("@")[0]] = float(taken["seconds"]), float(taken[CPU_SECONDS])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Write the times, most CPU time first, and say how much there is in all. Name the files that should not have changed."""
    for change in _changed:
        verdict = "note" if worktree.is_edited(change) else "FAILED"
        terminalreporter.write_line(f"{verdict}: while the tests ran a file outside of build/ was touched: {change}", red=verdict == "FAILED")
    if not _taken:
        return
    paths.make_folder(TIMES.parent, "build")
    rows = sorted(_taken.items(), key=lambda row: -row[1][1])
    text = "".join(f"{cpu:.2f}\t{seconds:.2f}\t{name}\n" for name, (seconds, cpu) in rows)
    TIMES.write_text(f"cpu_seconds\tseconds\ttest\n{text}", encoding="utf-8")
    total = sum(cpu for _, (_, cpu) in rows)
    terminalreporter.write_line(f"{total / 60:.1f} CPU minutes; each test's are in {paths.short(TIMES)}")


_BEGAN = pytest.StashKey[tuple[float, float]]()
_FILES = pytest.StashKey[worktree.State]()
_changed: list[str] = []
_taken: dict[str, tuple[float, float]] = {}


def _cpu() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)
