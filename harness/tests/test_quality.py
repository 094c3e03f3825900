# SPDX-License-Identifier: GPL-2.0
"""What dsbench quality says of figures that hit or miss their target, and what it knows of a busy machine."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from array import array
from pathlib import Path
from typing import Any

import pytest
from made_results import make

from dsharness import paths
from dsharness.errors import HarnessError, UsageError
from dsharness.quality import command
from dsharness.quality import drive as qualityrun
from dsharness.quality import plan as quality
from dsharness.quality import planted, repeat, repeatcommand
from dsharness.quality.drive import Outcome
from dsharness.quality.plan import QualityPlan
from dsharness.sweep import drive as sweeper
from dsharness.sweep import otherprocesses
from dsharness.sweep.otherprocesses import Account, Watch

IDLE = Account(others=0.02, stolen=0.0, load=0.5, names=())
BUSY = Account(others=1.1, stolen=0.04, load=3.2, names=("cc1 0.80",))
SPIN = "import time; end = time.monotonic() + 60\nwhile time.monotonic() < end: pass"


def test_what_misses_its_target_on_a_busy_machine_is_inconclusive_and_says_why() -> None:
    busy, shared = qualityrun._spoilt(BUSY, 0.0), qualityrun._spoilt(IDLE, 0.2)
    cpus = os.cpu_count()
    assert busy == f"meanwhile other processes took 1.10 of {cpus} CPUs (cc1 0.80), the hypervisor took 0.04, load 3.2"
    assert shared == "20.0% of the tries shared their core with others, or were interrupted"
    assert qualityrun._spoilt(BUSY, 0.2) == f"{busy}; {shared}"
    assert qualityrun._spoilt(IDLE, 0.01) == ""
    missed = qualityrun._in_cycles("cycles", "2%", "8.00%", False, busy)
    assert (missed.outcome, missed.reason) == (Outcome.INCONCLUSIVE, busy)
    assert qualityrun._in_cycles("cycles", "2%", "8.00%", False, "").outcome is Outcome.MISSED
    assert qualityrun._in_cycles("cycles", "2%", "1.00%", True, busy).outcome is Outcome.MET


def test_a_process_of_somebody_else_is_seen_and_our_own_is_not() -> None:
    # a grandchild whose parent has ended is nobody's child here: it counts as another's
    start = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {SPIN!r}], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid)"
    watch = Watch()
    started = int(subprocess.run([sys.executable, "-c", start], capture_output=True, check=True, text=True).stdout)
    try:
        time.sleep(3)
        account = watch.account()
    finally:
        os.kill(started, 9)
    assert account.others > 0.05
    assert account.load >= 0 and account.stolen >= 0


def test_time_of_ended_children_is_our_own() -> None:
    before = otherprocesses._own()
    subprocess.run([sys.executable, "-c", "sum(range(10_000_000))"], check=True)
    assert otherprocesses._own() - before > 0.01


def test_an_unknown_goal_is_one_sentence() -> None:
    with pytest.raises(UsageError, match="--only is 'speed': allowed are instructions, cycles, ab, planted"):
        plan("--only", "speed")


def plan(*words: str) -> QualityPlan:
    top = argparse.ArgumentParser()
    command.add_parser(top.add_subparsers())
    return quality.checked_plan(top.parse_args(["quality", *words]))


def test_a_filter_must_leave_the_planted_slowdown_in() -> None:
    with pytest.raises(UsageError, match="^--filter '.list/' leaves out xarray/find/1000, which the goal planted needs: say --only instructions cycles ab$"):
        plan("--filter", "^list/")
    assert plan("--filter", "^list/", "--only", "ab", "cycles").goals == ("ab", "cycles")
    assert plan("--filter", "/find/").goals == quality.GOALS
    assert plan().cells is None


def test_a_filter_selects_the_cells_that_repeat_compares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    kind: dict[str, Any] = {"sizes": [500], "tries": 12, "containers": ["list", "rbtree"], "floors": True}
    made = iter([(tmp_path / "a.json", make(**kind)), (tmp_path / "b.json", make(**kind, seed=2, date="later"))])
    monkeypatch.setattr(sweeper, "sweep", lambda plan: next(made))
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    top = argparse.ArgumentParser()
    repeatcommand.add_parser(top.add_subparsers())
    args = top.parse_args(["repeat", "--container", "list", "rbtree", "--sizes", "500", "--filter", "^rbtree/f"])
    assert repeat.run(args.check(args)) == 0
    said = capsys.readouterr().out
    assert "geometric mean over 3 cells" in said and "3 cells: 3 no change" in said
    assert re.findall(r"^│ (\w+) +│ (\w+)", said, re.MULTILINE) == [("fill", "rbtree"), ("find", "rbtree"), ("for_each", "rbtree")]


def test_a_filter_selects_the_cells_of_each_goal(monkeypatch: pytest.MonkeyPatch) -> None:
    kind: dict[str, Any] = {"sizes": [500], "tries": 12, "containers": ["list", "xarray"], "unit": "instructions"}
    sweeps = make(**kind), make(**kind, date="later")
    spoilt = next(cell for cell in sweeps[1].cells if cell.name == "list/fill/500")
    spoilt.counts = array("q", (2 * count for count in spoilt.counts))
    monkeypatch.setattr(qualityrun, "_sweeps", lambda *words: sweeps)
    for measure in (qualityrun.instructions, qualityrun.cycles):
        assert [goal.outcome is Outcome.MET for goal in measure(None)][-1] is False
        assert [goal.outcome for goal in measure(re.compile("^xarray/"))] == [Outcome.MET] * len(measure(None))
    assert "4 cells: worst" in qualityrun.instructions(re.compile("^xarray/"))[0].what


def test_planting_changes_one_line_of_the_container(tmp_path: Path) -> None:
    source = tmp_path / planted.SOURCE
    source.parent.mkdir(parents=True)
    source.write_bytes((paths.ROOT / planted.SOURCE).read_bytes())
    before = source.read_text(encoding="utf-8").splitlines()
    planted.plant(tmp_path)
    after = source.read_text(encoding="utf-8").splitlines()
    assert [line for line in after if line not in before] == ['\t\tasm volatile("nop; nop; nop");']
    source.write_text("int other;\n", encoding="utf-8")
    with pytest.raises(HarnessError, match="nothing can be planted"):
        planted.plant(tmp_path)
