# SPDX-License-Identifier: GPL-2.0
"""Run the mutants: each in a copy of the project below build/mutants, against the suites that must notice it.

One copy runs the KUnit suites in a guest, the other one runs tests of the harness, side by side.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .. import paths, targets, ui
from ..errors import HarnessError
from .catalogue import Mutant, read_all

SECONDS = 300.0
"""Least time for one mutant; one that hangs is noticed."""
PATIENCE = 5
"""Time for one mutant, in multiples of what the tests take without a fault: a busy machine must not pass for a test that notices."""
CLEAN_SECONDS = 3600.0
"""Time for all tests of a group without a fault."""

COPIED = ("modules", "include", "harness", "Makefile", "README.md", "LICENSE", ".gitignore")

_KUNIT_FAILURE = re.compile(r"\[FAILED\] (\w+)")
_PYTEST_FAILURE = re.compile(r"^(?:FAILED|ERROR) \S*?(\w+\.py::[^\s\[]+)", re.MULTILINE)
_BUILD_FAILURE = re.compile(r"^.*\berror: .*$|^ERROR: modpost.*$", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: killed by a test, or survived."""

    mutant: Mutant
    killer: str
    """The test that noticed; empty if none did."""

    @property
    def is_fault(self) -> bool:
        """Whether the suites have a gap: the mutant survived without a reason, or an equivalent one did not."""
        return bool(self.killer) == bool(self.mutant.equivalent)


def run(words: Sequence[str]) -> int:
    """Run the mutants and print a line for each. Return 0 if all were killed that had to be, else 3."""
    mutants = read_all(words)
    for mutant in mutants:
        mutant.check(paths.ROOT)
    started = time.monotonic()
    groups = [[m for m in mutants if not m.tests], [m for m in mutants if m.tests]]
    if groups[0]:
        targets.get("uml")  # a kernel that is built first is not within the time of a mutant
    with ui.Progress("planting faults", total=len(mutants), unit="mutants", estimate=True) as progress, ThreadPoolExecutor(len(groups)) as pool:
        jobs = [pool.submit(_run_group, name, group, progress) for name, group in zip(("kunit", "pytest"), groups) if group]
        outcomes = [outcome for job in jobs for outcome in job.result()]
    gaps = [outcome for outcome in outcomes if outcome.is_fault]
    killed = sum(bool(outcome.killer) for outcome in outcomes)
    minutes = (time.monotonic() - started) / 60
    argued = sum(bool(outcome.mutant.equivalent) and not outcome.killer for outcome in outcomes)
    print(f"{len(outcomes)} mutants: {killed} killed, {argued} equivalent, {len(gaps)} unexplained, in {minutes:.0f} minutes")
    for gap in gaps:
        print(f"unexplained: {gap.mutant.file}: {gap.mutant.name}")
    return 3 if gaps else 0


def _run_group(name: str, mutants: Sequence[Mutant], progress: ui.Progress) -> list[Outcome]:
    """Run mutants in one copy of the project, one after the other. HarnessError if the tests fail without any fault."""
    copy = _copied(paths.BUILD / "mutants" / name)
    started = time.monotonic()
    if killer := _killer(copy, sorted({test for mutant in mutants for test in mutant.tests}), CLEAN_SECONDS):
        raise HarnessError(f"the tests fail without any fault: {killer}; mend that first")
    seconds = limit(time.monotonic() - started)
    outcomes = []
    for mutant in mutants:
        outcomes.append(_run_one(copy, mutant, seconds))
        progress.advance(mutant.name)
    return outcomes


def limit(clean: float) -> float:
    """Return the seconds that a mutant may take if the tests take `clean` seconds without a fault."""
    return max(SECONDS, PATIENCE * clean)


def _copied(folder: Path) -> Path:
    """Return a copy of the project; its build folder stays from run to run."""
    for name in COPIED:
        source, target = paths.ROOT / name, folder / name
        if target.is_dir():
            shutil.rmtree(target)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return folder


def _run_one(copy: Path, mutant: Mutant, seconds: float) -> Outcome:
    source = copy / mutant.file
    text = source.read_text(encoding="utf-8")
    source.write_text(mutant.applied(text), encoding="utf-8")
    try:
        outcome = Outcome(mutant, _killer(copy, mutant.tests, seconds))
    finally:
        source.write_text(text, encoding="utf-8")
    how = f"killed by {outcome.killer}" if outcome.killer else f"survived{': ' if mutant.equivalent else ''}{mutant.equivalent}"
    print(f"{mutant.file}: {mutant.name}: {how}", flush=True)
    return outcome


def _killer(copy: Path, tests: Sequence[str], seconds: float) -> str:
    """Run the suites in the copy, all of KUnit without `tests`. Return the first test that fails, or "".

    A run that takes longer than `seconds` fails. HarnessError if the mutant does not build.
    """
    if tests:
        argv = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *(str(copy / "harness/tests" / t) for t in tests)]
    else:
        argv = [str(copy / "harness/dsbench"), "kunit"]
    # The copy builds below its own folder, wherever this dsbench writes.
    environment = {name: value for name, value in os.environ.items() if name != paths.OUTPUT_VARIABLE}
    try:
        answer = subprocess.run(argv, cwd=copy, env=environment, check=False, capture_output=True, encoding="utf-8", errors="replace", timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"the time limit of {seconds:.0f} s"
    if answer.returncode == 0:
        return ""
    output = answer.stdout + answer.stderr
    if not tests and (error := _BUILD_FAILURE.search(output)):
        raise HarnessError(f"a mutant does not build: {error[0].strip()}")
    found = (_PYTEST_FAILURE if tests else _KUNIT_FAILURE).search(output)
    return found[1] if found else output.strip().splitlines()[-1]
