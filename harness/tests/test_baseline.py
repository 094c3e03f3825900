# SPDX-License-Identifier: GPL-2.0
"""The gate's verdicts and its baselines, without a guest."""

from __future__ import annotations

import argparse
import json
from array import array
from pathlib import Path
from types import SimpleNamespace

import pytest

from dsharness import options
from dsharness.errors import OTHER_BASELINE, REGRESSED, HarnessError, UsageError
from dsharness.gate import baseline, command
from dsharness.gate import drive as gaterun
from dsharness.gate.baseline import Baseline, Count, Identity, Move
from dsharness.gate.plan import GatePlan, checked_plan
from dsharness.results.samples import Cell

HERE = Identity("6.12.117+deb12-amd64", "gcc 12.2.0")
CELLS = {"rbtree/find/1000": Count(1000, 90_000, 90_000), "xarray/fill/1000": Count(1000, 370_000, 373_700)}


def made(path: Path, identity: Identity = HERE) -> Path:
    baseline.write(Baseline(identity, {"git_revision": "0123456789ab"}, CELLS), path)
    return path


@pytest.mark.parametrize(
    ("least", "move"),
    [
        (90_000, Move.SAME),
        (90_001, Move.WITHIN),
        (90_449, Move.WITHIN),
        (90_451, Move.REGRESSED),
        (89_600, Move.WITHIN),
        (89_500, Move.IMPROVED),
        (180_000, Move.REGRESSED),
    ],
)
def test_an_exact_cell_is_judged_by_the_threshold(least: int, move: Move) -> None:
    (change,) = baseline.judge({"a/find/1000": Count(1000, 90_000, 90_000)}, {"a/find/1000": Count(1000, least, least)}, 0.005)
    assert change.move is move
    assert change.ratio == pytest.approx(least / 90_000)


@pytest.mark.parametrize("n", [10, 20])
def test_a_loop_that_scatters_at_some_size_is_allowed_twice_its_noise_at_all(n: int) -> None:
    before = {"a/fill/10": Count(10, 1000, 1020), "a/fill/20": Count(10, 1000, 1000)}
    moves = {}
    for least in (1000, 1044, 1046):
        (change,) = (c for c in baseline.judge(before, {f"a/fill/{n}": Count(10, least, least)}, 0.005) if c.now)
        moves[least] = change.move
    assert moves == {1000: Move.SAME, 1044: Move.WITHIN, 1046: Move.REGRESSED}


def test_the_noise_of_one_operation_excuses_no_other() -> None:
    before = {"a/fill/10": Count(10, 1000, 1020), "a/find/10": Count(10, 1000, 1000)}
    _, change = baseline.judge(before, {"a/find/10": Count(10, 1006, 1006)}, 0.005)
    assert change.move is Move.REGRESSED


def test_packets_are_allowed_what_the_hash_secrets_of_a_boot_may_cost() -> None:
    before = {"udptun/rx/64": Count(32, 100_000, 100_000)}
    moves = [baseline.judge(before, {"udptun/rx/64": Count(32, least, least)}, 0.005)[0].move for least in (101_400, 101_600)]
    assert moves == [Move.WITHIN, Move.REGRESSED]


def test_a_burst_is_a_cell_of_its_operation() -> None:
    before = {"udptun/rx/64": Count(32, 100_000, 101_000), "udptun/rx/64/burst:64": Count(64, 100_000, 100_000)}
    moves = [baseline.judge(before, {"udptun/rx/64/burst:64": Count(64, least, least)}, 0.005)[1].move for least in (102_400, 102_600)]
    assert moves == [Move.WITHIN, Move.REGRESSED], "the noise of the operation in any burst"


def test_the_threshold_may_be_nothing() -> None:
    (change,) = baseline.judge({"a/find/10": Count(10, 100_000, 100_000)}, {"a/find/10": Count(10, 100_001, 100_001)}, 0.0)
    assert change.move is Move.REGRESSED


def test_a_lookup_count_that_changed_does_not_hide_the_cost_of_one() -> None:
    (change,) = baseline.judge({"list/find/10": Count(10, 1000, 1000)}, {"list/find/10": Count(5, 500, 500)}, 0.005)
    assert change.move is Move.SAME


def test_cells_of_one_side_are_named_and_only_those_that_are_gone_fail() -> None:
    gone, new = baseline.judge({"a/find/1": Count(1, 5, 5)}, {"b/find/1": Count(1, 5, 5)}, 0.005)
    assert (gone.name, gone.move, new.name, new.move) == ("a/find/1", Move.GONE, "b/find/1", Move.NEW)
    assert (gone.move in baseline.FAILURES, new.move in baseline.FAILURES) == (True, False)


def test_nothing_counted_is_no_division_by_zero() -> None:
    (change,) = baseline.judge({"floor/empty/4": Count(4, 0, 0)}, {"floor/empty/4": Count(4, -1, 0)}, 0.005)
    assert change.move in (Move.SAME, Move.WITHIN)


def test_the_cheapest_try_of_each_guest_counts() -> None:
    cells = [Cell("xarray", "fill", 100, 100, array("q", tries)) for tries in ([48_377, 37_140], [37_137, 60_000])]
    assert baseline.counted([[cell] for cell in cells]) == {"xarray/fill/100": Count(100, 37_137, 37_140)}


def test_it_comes_back_as_it_was_written(tmp_path: Path) -> None:
    found = baseline.find(str(made(tmp_path / "one.json")), HERE)
    assert (found.identity, found.counts) == (HERE, CELLS)
    assert found.facts["git_revision"] == "0123456789ab"


def test_a_failed_update_keeps_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = made(tmp_path / "one.json")
    before = path.read_bytes()
    monkeypatch.setattr(json, "dumps", lambda *args, **named: "{" * 1000 + str(1 // 0))
    with pytest.raises(ZeroDivisionError):
        made(path)
    assert (path.read_bytes(), [entry.name for entry in tmp_path.iterdir()]) == (before, ["one.json"])


@pytest.mark.parametrize(
    ("named", "sentence"),
    [("/proc/self/one.json", "the results folder /proc/self cannot be written"), ("a/", "the result file a is a folder: name a file")],
)
def test_an_update_that_cannot_be_kept_boots_no_guest(
    named: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    monkeypatch.setattr(gaterun, "target_of", lambda plan: SimpleNamespace(build=None))
    monkeypatch.setattr(gaterun, "identity_of", lambda build, kernel=None: HERE)
    monkeypatch.setattr(gaterun, "count_with_noise", lambda plan, target: pytest.fail("a guest was booted"))
    with pytest.raises(HarnessError, match=f"^{sentence}"):
        gaterun.update(gate_plan("--update", "--baseline", named, "--timeout", "60"))


@pytest.fixture
def slower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A baseline, and a guest that counts more for one of its cells."""
    monkeypatch.setattr(gaterun, "target_of", lambda plan: SimpleNamespace(build=None))
    monkeypatch.setattr(gaterun, "identity_of", lambda build, kernel=None: HERE)
    monkeypatch.setattr(gaterun.qemucmd, "version", lambda: "QEMU")

    def count(plan: object, target: object) -> list[Cell]:
        cells = [Cell("rbtree", "find", 1000, 1000), Cell("xarray", "fill", 1000, 1000)]
        for cell, instructions in zip(cells, (95_000, 370_000)):
            cell.add(instructions, 0)
        return cells

    monkeypatch.setattr(gaterun, "count", count)
    return str(made(tmp_path / "one.json"))


@pytest.mark.parametrize(
    ("words", "status", "cells"), [([], REGRESSED, 2), (["--filter", "/find/"], REGRESSED, 1), (["--filter", "^xarray"], 0, 1)]
)
def test_a_filter_selects_the_cells_that_the_gate_judges(
    slower: str, capsys: pytest.CaptureFixture[str], words: list[str], status: int, cells: int
) -> None:
    assert gaterun.run(gate_plan("--baseline", slower, *words)) == status
    said = capsys.readouterr().out
    assert f"{cells} cells: " in said
    assert ("slower than allowed: rbtree (find)" in said) is (status == REGRESSED)


def test_a_filter_of_the_gate_must_match_and_is_none_of_a_baseline(slower: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaterun, "count", lambda plan, target: pytest.fail("a guest was booted"))
    with pytest.raises(UsageError, match="^--filter '.list/' matches no cell of the baseline: names are such as rbtree/find/1000$"):
        gaterun.run(gate_plan("--baseline", slower, "--filter", "^list/"))
    with pytest.raises(UsageError, match="^--filter 'list' has no use with --update: a baseline has all cells$"):
        gate_plan("--update", "--filter", "list")
    with pytest.raises(UsageError, match=r"^--filter is '\(': allowed are Python's regular expressions"):
        gate_plan("--filter", "(")


def gate_plan(*words: str) -> GatePlan:
    top = argparse.ArgumentParser()
    command.add_parser(top.add_subparsers())
    return checked_plan(top.parse_args(["gate", *words]))


@pytest.mark.parametrize("other", [Identity("6.1.0-1-amd64", "gcc 12.2.0"), Identity(HERE.kernel, "gcc 13.1.0")])
def test_a_baseline_of_another_kernel_or_compiler_says_so(tmp_path: Path, other: Identity) -> None:
    with pytest.raises(HarnessError, match="is of kernel .* and gcc .*, this is .*: dsbench gate --update") as caught:
        baseline.find(str(made(tmp_path / "one.json", other)), HERE)
    assert caught.value.exit_code == OTHER_BASELINE


def test_where_only_others_are_committed_they_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baseline, "FOLDER", tmp_path)
    with pytest.raises(HarnessError, match="there is no baseline yet.* is missing: dsbench gate --update makes one") as caught:
        baseline.find(None, HERE)
    assert caught.value.exit_code == 1
    made(tmp_path / "gate-6.1.0-1-amd64-gcc-12.json")
    with pytest.raises(HarnessError, match="no baseline is of kernel 6.12.* there are 6.1.0-1-amd64-gcc-12") as caught:
        baseline.find(None, HERE)
    assert caught.value.exit_code == OTHER_BASELINE
    made(baseline.place(None, HERE))
    assert baseline.find(None, HERE).counts == CELLS


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "it is not JSON, or is truncated"),
        ('{"kind": "dsbench gate baseline", "cells"', "it is not JSON, or is truncated"),
        ("[" * 100_000, "it is not JSON, or is truncated"),
        ("[]", "it is none of the gate's"),
        ('{"context": {}, "benchmarks": []}', "it is none of the gate's"),
        ({"version": 2}, "its version is 2, this harness reads 1"),
        ({"cells": {}}, "it has no cells"),
        ({"cells": []}, "it has no cells"),
        ({"kernel": 6}, "its kernel is 6 instead of a name"),
        ({"compiler": None}, "its compiler is None instead of a name"),
        ({"cells": {"a/find/1": 7}}, "its cell a/find/1 is damaged"),
        ({"cells": {"a/find/1": {"elements": 1, "least": float("nan"), "most": 2}}}, "its cell a/find/1 is damaged"),
        ({"cells": {"a/find/1": {"elements": 0, "least": 1, "most": 2}}}, "its cell a/find/1 is damaged"),
        ({"cells": {"a/find/1": {"elements": 1, "least": 3, "most": 2}}}, "its cell a/find/1 is damaged"),
        ({"cells": {"a/find/1": {"elements": 1}}}, "its cell a/find/1 is damaged"),
    ],
)  # fmt: skip
def test_what_is_no_baseline_is_refused_in_one_sentence(tmp_path: Path, content: object, sentence: str) -> None:
    path = made(tmp_path / "one.json")
    if isinstance(content, dict):
        content = json.dumps({**json.loads(path.read_text(encoding="utf-8")), **content})
    assert isinstance(content, str)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(HarnessError) as caught:
        baseline.find(str(path), HERE)
    assert str(caught.value) == f"the baseline {path} can't be used: {sentence}"


def test_a_named_baseline_that_is_missing_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="none.json is missing: dsbench gate --update makes one"):
        baseline.find(str(tmp_path / "none.json"), HERE)


@pytest.mark.parametrize("text", ["-1", "101", "nan", "half", "", "inf"])
def test_a_threshold_out_of_range_is_one_sentence(text: str) -> None:
    with pytest.raises(UsageError, match=f"--threshold is '{text}': allowed are percentages from 0 to 100"):
        options.percentage("threshold", text)
