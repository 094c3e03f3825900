# SPDX-License-Identifier: GPL-2.0
"""How a sweep divides its tries among guests, merges them again, and which stages it refuses."""

from __future__ import annotations

import csv
import dataclasses
import os
import signal
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from made_results import make

from dsharness import signals
from dsharness.errors import HarnessError
from dsharness.results import results
from dsharness.results.results import Results
from dsharness.results.samples import Cell, Header, Report, Run, merged
from dsharness.sweep import otherprocesses
from dsharness.sweep import drive as sweeper
from dsharness.sweep.drive import SweepRecorder
from dsharness.sweep.plan import plan_of
from dsharness.sweep.stream import StageResult


@pytest.mark.parametrize(
    ("name", "tries", "shares"),
    [("uml", 100, [25] * 4), ("uml", 41, [11, 10, 10, 10]), ("uml", 20, [10, 10]), ("uml", 19, [19]), ("uml", 1, [1]),
     ("qemu", 100, [100]), ("host", 100, [100])],
)  # fmt: skip
def test_guests_of_uml_share_the_tries(name: str, tries: int, shares: list[int]) -> None:
    assert sweeper._shares(tries, SimpleNamespace(name=name)) == shares  # type: ignore[arg-type]


@pytest.mark.parametrize(("guests", "thousandths"), [(1, 10), (2, 14), (4, 20)])
def test_the_precision_of_a_guest_is_that_of_the_sweep_times_the_root_of_the_guests(guests: int, thousandths: int) -> None:
    assert sweeper._guest_precision(10, guests) == thousandths
    assert sweeper._guest_precision(0, guests) == 0
    assert sweeper._guest_precision(1000, guests) == 1000


def cell(container: str, elements: int, *cycles: int) -> Cell:
    return Cell(container, "find", 100, elements, array("q", cycles), array("b", [0] * len(cycles)))


def test_tries_of_several_guests_become_one_cell_in_their_order() -> None:
    first = [cell("list", 100, 1, 2), cell("rbtree", 100, 3)]
    found = merged(first, [cell("rbtree", 100, 4, 5), cell("xarray", 100, 6)])
    assert [(one.container, list(one.counts), len(one.disturbed)) for one in found] == [
        ("list", [1, 2], 2), ("rbtree", [3, 4, 5], 3), ("xarray", [6], 1),
    ]  # fmt: skip
    assert list(first[1].counts) == [3]


def test_tries_of_readers_keep_all_that_is_known_of_them() -> None:
    of_readers = [Cell("list", "find", 100, 100, threads=1) for _ in range(2)]
    for number, one in enumerate(of_readers):
        one.add(5, 0, elapsed=10 + number, reads=100, writes=number)
    (found,) = merged(of_readers[:1], of_readers[1:])
    assert [list(series) for series in (found.counts, found.elapsed, found.reads, found.writes)] == [[5, 5], [10, 11], [100, 100], [0, 1]]


def test_tries_of_other_lengths_are_not_put_together() -> None:
    with pytest.raises(HarnessError, match="list/find/100 had tries over 100 elements, and then over 50"):
        merged([cell("list", 100, 1)], [cell("list", 50, 1)])


def test_cells_with_different_numbers_of_tries_are_written_and_read(tmp_path: Path) -> None:
    made = make(sizes=[500], tries=20)
    for place, one in enumerate(made.cells):
        one.counts, one.disturbed = one.counts[: 10 + place % 3], one.disturbed[: 10 + place % 3]
    results.write(made, tmp_path / "sweep.json")
    assert [len(one.counts) for one in results.read(tmp_path / "sweep.json").cells] == [len(one.counts) for one in made.cells]
    rows = list(csv.DictReader((tmp_path / "sweep.csv").open(encoding="utf-8")))
    assert [int(row["tries"]) for row in rows] == [len(one.counts) for one in made.cells]


def script(target: str, accel: str | None, *options: str) -> list[str]:
    plan = dataclasses.replace(plan_of("--target", target, "--no-datapath", "--container", "list", *options), tries=25)
    return sweeper._script(plan, SimpleNamespace(name=target, accel=accel, kernel=SimpleNamespace(rust=False)))[0][4:7]  # type: ignore[arg-type]


def test_the_first_run_of_a_guest_alone_warms_up_for_long() -> None:
    assert script("uml", None) == ["tries=25 precision=10 containers=list", "", "warmup=100"]
    assert script("qemu", "icount") == ["tries=25 precision=10 containers=list", "warmup=5", "warmup=5"]
    assert script("uml", None, "--warmup", "7", "--tries", "9") == ["tries=25 containers=list", "warmup=7", "warmup=7"]


def run_of(**settings: object) -> Run:
    return Run(1, {name: str(value) for name, value in settings.items()})


def test_the_context_keeps_the_tries_and_precision_of_the_sweep_and_the_warm_up_of_the_first_run(tmp_path: Path) -> None:
    context: dict[str, Any] = {**make(complete=False).context, "n": [], "cells": [], "tries": 100, "precision": 10, "guests": 4}
    recorder = SweepRecorder(tmp_path / "sweep.json", Results(context, []), ["500", "1000"])
    for size, warmup, misses in ((500, 500, 0), (1000, 100, 5)):
        made = stage(size, OLD)
        assert made.report
        report = dataclasses.replace(made.report, runs=(run_of(tries=25, precision=20, warmup=warmup, patience=3, misses=misses),))
        recorder.add(dataclasses.replace(made, report=report))
    kept = results.read(recorder.path).context
    assert {name: kept.get(name) for name in ("tries", "precision", "warmup", "patience", "misses")} == {
        "tries": 100, "precision": 10, "warmup": 500, "patience": 3, "misses": None,
    }  # fmt: skip


def stage(size: int, revision: str) -> StageResult:
    header = {"revision": revision, "unit": "tsc", "clock_khz": "2500000", "clock_overhead": "61"}
    return StageResult(str(size), Report(Header(tuple(header.items())), (), ()), make(sizes=[size], tries=3).cells)


def recorder_of(path: Path, *awaited: int, guests: int = 1) -> SweepRecorder:
    context = {**make(complete=False).context, "n": [], "cells": [], "guests": guests}
    return SweepRecorder(path, Results(context, []), [str(size) for size in awaited])


OLD, NEW = "0123456-dirty+0123456789ab", "0123456-dirty+ba9876543210"


def test_a_guest_with_other_modules_is_refused_and_the_stages_before_are_kept(tmp_path: Path) -> None:
    recorder = recorder_of(tmp_path / "sweep.json", 500, 1000, 2000)
    recorder.add(stage(500, OLD))
    recorder.add(stage(1000, OLD))
    with pytest.raises(HarnessError) as caught:
        recorder.add(stage(2000, NEW))
    assert str(caught.value) == f"the modules were rebuilt during the sweep, {NEW} after {OLD}: the stages before are kept"
    kept = results.read(recorder.path)
    assert (kept.sizes, kept.context["dsbench_revision"], kept.context["complete"]) == ([500, 1000], OLD, False)


def test_modules_that_git_merely_calls_otherwise_are_the_same(tmp_path: Path) -> None:
    recorder = recorder_of(tmp_path / "sweep.json", 500, 1000)
    recorder.add(stage(500, OLD))
    recorder.add(stage(1000, "fedcba9+0123456789ab"))
    assert recorder.complete and results.read(recorder.path).context["dsbench_revision"] == OLD


def test_a_container_that_was_not_loaded_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorder = recorder_of(tmp_path / "sweep.json", 500)
    made = stage(500, OLD)
    assert made.report
    header = Header((*made.report.header.entries, ("not_loaded", "maple, run 1: modprobe ended with status 1")))
    recorder.add(dataclasses.replace(made, report=dataclasses.replace(made.report, header=header)))
    recorder.close(None)
    assert results.read(recorder.path).context["not_loaded"] == {"maple": "modprobe ended with status 1"}
    assert "maple is missing, since its module could not be loaded: modprobe ended with status 1" in capsys.readouterr().err


@pytest.fixture
def handled() -> Iterator[None]:
    """Signals as the harness handles them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *signals.ENDING)}
    signals.install()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "ending"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, signals.EndedError), (signal.SIGQUIT, signals.EndedError)])
def test_a_signal_while_a_stage_is_written_loses_no_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], handled: None, number: signal.Signals, ending: type[BaseException]
) -> None:
    written = results.write

    def interrupted(found: Results, path: Path) -> None:
        written(found, path)
        os.kill(os.getpid(), number)
        time.sleep(0.01)

    recorder = recorder_of(tmp_path / "sweep.json", 500, 1000)
    monkeypatch.setattr(results, "write", interrupted)
    with pytest.raises(ending):
        recorder.add(stage(500, OLD))
    recorder.close(None)
    assert f"the sweep is incomplete: 1 of 2 sizes are kept in {recorder.path}, marked complete=false" in capsys.readouterr().err
    assert results.read(recorder.path).sizes == [500]


def test_what_is_kept_of_several_guests_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorder = recorder_of(tmp_path / "sweep.json", *(500, 1000) * 4, guests=4)
    for size in (500, 1000, 500):
        recorder.add(stage(size, OLD))
    recorder.close(None)
    said = f"2 of 2 sizes are kept in {recorder.path} (n=500 by 2 of 4, n=1000 by 1 of 4 guests), marked complete=false"
    assert said in capsys.readouterr().err


def test_without_a_stage_an_older_file_is_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorder = recorder_of(tmp_path / "sweep.json", 500)
    recorder.close(None)
    assert "no size was finished: there is no result file" in capsys.readouterr().err
    results.write(make(), recorder.path)
    recorder.close(None)
    assert f"no size was finished: {recorder.path} is as it was" in capsys.readouterr().err


def test_results_tell_of_their_machine_from_the_first_stage_on(tmp_path: Path) -> None:
    recorder = recorder_of(tmp_path / "sweep.json", 500, 1000)
    recorder.add(stage(500, OLD), ["CPUs take turns"])
    assert results.read(recorder.path).context["warnings"] == ["CPUs take turns"]
    recorder.add(stage(1000, OLD), ["CPUs take turns"])
    assert results.read(recorder.path).context["warnings"] == ["CPUs take turns"]


@pytest.mark.parametrize("old", [OLD, "0123456"])
def test_what_goes_on_with_a_file_has_its_modules(old: str, tmp_path: Path) -> None:
    recorder_of(tmp_path / "curve.json", 500, 1000).add(stage(500, old))
    recorder = SweepRecorder(tmp_path / "curve.json", results.read(tmp_path / "curve.json"), ["1000"])
    with pytest.raises(HarnessError, match="the modules were rebuilt during the sweep"):
        recorder.add(stage(1000, NEW))
    recorder.add(stage(1000, old))
    assert recorder.complete


def test_the_idlest_cpu_is_one_that_we_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([{0: 100, 1: 100}, {0: 103, 1: 130}])
    monkeypatch.setattr(otherprocesses, "LOOK_SECONDS", 0)
    monkeypatch.setattr(otherprocesses, "_idle", lambda: next(looks))
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1, 2})
    assert otherprocesses.idlest_cpu() == 1
    monkeypatch.undo()
    assert set(otherprocesses._idle()) >= {0}
