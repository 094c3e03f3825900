# SPDX-License-Identifier: GPL-2.0
"""The options of a curve, and going on with one that was interrupted."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from made_results import make

from dsharness import paths
from dsharness.curve import command
from dsharness.curve import plan as curve
from dsharness.curve import drive as curverun
from dsharness.curve import resume
from dsharness.errors import HarnessError, UsageError
from dsharness.results import results


def plan(*argv: str) -> curve.CurvePlan:
    top = argparse.ArgumentParser()
    command.add_parser(top.add_subparsers())
    return curve.checked_plan(top.parse_args(["curve", *argv]))


def test_defaults_reach_from_one_to_a_million() -> None:
    made = plan()
    assert made.plan.sizes[:7] == (1, 2, 5, 10, 20, 50, 100)
    assert (made.plan.sizes[-1], len(made.plan.sizes)) == (1_000_000, 19)
    assert (made.plan.datapath, made.resume, made.output) == (None, None, None)


@pytest.mark.parametrize(
    ("first", "last", "per_decade", "sizes"),
    [
        (1, 1, 3, [1]),
        (1, 10, 1, [1, 10]),
        (7, 130, 3, [7, 10, 20, 50, 100, 130]),
        (10, 100, 4, [10, 18, 32, 56, 100]),
        (1, 10, 10, [1, 2, 3, 4, 5, 6, 8, 10]),
    ],
)
def test_sizes(first: int, last: int, per_decade: int, sizes: list[int]) -> None:
    assert curve.sizes(first, last, per_decade) == sizes


def test_tries_follow_the_size() -> None:
    made = plan()
    assert [made.tries(n, icount=False) for n in (1, 5000, 20_000, 1_000_000)] == [100, 100, 25, 3]
    assert [made.tries(n, icount=True) for n in (1, 5000, 1_000_000)] == [10, 4, 2]
    assert plan("--tries", "7").tries(1_000_000, icount=True) == 7


def test_memory_follows_the_size() -> None:
    assert curve.guest_memory_mib(1) == 512
    assert 1 << 20 < curve.guest_memory_mib(1 << 24) * 1024 < 8 << 20


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("--from", "0"), "--from is '0': allowed are whole numbers from 1 to 16777216"),
        (("--from", "x"), "--from is 'x'"),
        (("--to", "1e6"), "--to is '1e6'"),
        (("--to", "16777217"), "--to is '16777217'"),
        (("--from", "100", "--to", "10"), "--to is 10: allowed are whole numbers from --from, 100, to 16777216"),
        (("--per-decade", "0"), "--per-decade is '0': allowed are whole numbers from 1 to 24"),
        (("--per-decade", "25"), "--per-decade is '25'"),
        (("--tries", "0"), "--tries is '0'"),
        (("--container", "tree"), "--container is 'tree'"),
        (("--output", "file.csv"), "--output is 'file.csv'"),
        (("--tries", "1000000"), "--tries 1000000 makes"),
    ],
)
def test_bad_options_get_one_sentence(argv: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan(*argv)
    assert str(caught.value).startswith(sentence)


def test_a_guest_larger_than_the_machine_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curve, "_free_mib", lambda: 600)
    assert plan("--to", "100000").plan.sizes[-1] == 100_000
    with pytest.raises(UsageError, match="--to is 10000000: its guest needs 3308 MiB of memory, 600 MiB are free"):
        plan("--to", "10000000")
    assert plan("--to", "10000000", "--target", "host").plan.sizes[-1] == 10_000_000


IDENTITY: dict[str, Any] = {
    "target": "uml", "accel": None, "kernel": "6.12.117", "modules": "0123456789ab", "cpu": "Example CPU 9000",
    "sizes": [500, 1000], "tries": [100, 100], "containers": ["list"], "ops": ["fill"], "settings": [], "warmup": None,
}  # fmt: skip


def interrupted(folder: Path, **context: Any) -> Path:
    path = folder / "curve.json"
    told = {"sizes": [500], "containers": ["list"], "ops": ["fill"], "tries": 3, "complete": False, "curve": IDENTITY}
    results.write(make(**{**told, **context}), path)
    return path


def test_the_identity_has_words_for_all_of_it() -> None:
    assert set(resume.WORDS) == set(IDENTITY)


@pytest.mark.parametrize("wanted", [None, True])
def test_the_same_curve_goes_on(wanted: bool | None, tmp_path: Path) -> None:
    path = interrupted(tmp_path)
    link = tmp_path / "curve-latest.json"
    link.symlink_to(path.name)
    for output in (path, None):
        chosen = resume.chosen(output, link, IDENTITY, wanted)
        assert chosen is not None
        assert (chosen[0], [cell.name for cell in chosen[1].cells]) == (path, ["list/fill/500"])


def test_another_curve_is_named_and_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = interrupted(tmp_path)
    other = {**IDENTITY, "kernel": "6.1.0", "settings": ["seed=2"], "sizes": [1, 2], "tries": [9, 9]}
    words = "is another, with kernel 6.12.117 instead of 6.1.0, sizes 500 1000 instead of 1 2, parameters none instead of seed=2"
    assert resume.chosen(None, path, other, None) is None
    assert f"{words}: a new one begins" in capsys.readouterr().err
    with pytest.raises(HarnessError, match=words):
        resume.chosen(None, path, other, True)
    with pytest.raises(HarnessError, match="name another --output, or say --anew to overwrite it"):
        resume.chosen(path, path, other, None)
    assert resume.chosen(path, path, other, False) is None


@pytest.mark.parametrize("key", IDENTITY)
def test_whatever_differs_makes_another_curve(key: str, tmp_path: Path) -> None:
    path = interrupted(tmp_path)
    with pytest.raises(HarnessError, match=resume.WORDS[key]):
        resume.unfinished(path, {**IDENTITY, key: "other"})


def test_a_finished_curve_is_none_to_go_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = interrupted(tmp_path, complete=True)
    assert resume.chosen(None, path, IDENTITY, None) is None
    assert capsys.readouterr().err == ""
    with pytest.raises(HarnessError, match="is finished"):
        resume.chosen(None, path, IDENTITY, True)


def test_a_sweep_is_no_curve(tmp_path: Path) -> None:
    path = interrupted(tmp_path, curve=None)
    with pytest.raises(HarnessError, match="is of no curve"):
        resume.chosen(None, path, IDENTITY, True)


@pytest.mark.parametrize("left", [0, 40, 3000])
def test_a_damaged_file(left: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = interrupted(tmp_path)
    path.write_text(path.read_text()[:left])
    assert resume.chosen(None, path, IDENTITY, None) is None
    assert "can't be used" in capsys.readouterr().err
    with pytest.raises(HarnessError, match="can't be used"):
        resume.chosen(None, path, IDENTITY, True)
    with pytest.raises(HarnessError, match="--anew"):
        resume.chosen(path, path, IDENTITY, None)


def test_nothing_to_go_on_with(tmp_path: Path) -> None:
    absent = tmp_path / "curve-latest.json"
    assert resume.chosen(None, absent, IDENTITY, None) is None
    with pytest.raises(HarnessError, match="there is no curve to go on with"):
        resume.require(absent)


@pytest.mark.parametrize(("complete", "named", "found"), [(False, False, [500, 1000]), (True, False, []), (False, True, [500, 1000])])
def test_two_that_go_on_with_one_file_do_so_in_turns(
    complete: bool, named: bool, found: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second gets what the first one added, or begins a curve of its own when the first one finished it."""
    monkeypatch.setattr(paths, "RESULTS", tmp_path)
    path = interrupted(tmp_path)
    (tmp_path / curve.LATEST).symlink_to(path.name)
    made = plan(*(["--output", str(path)] if named else []))
    target: Any = SimpleNamespace(name="uml", accel=None, kernel=SimpleNamespace(release="6.12.117", state="6.12.117", arch="um", facts=None), warnings=[], cpu=None)
    seen: list[tuple[Path, list[int]]] = []

    def take() -> None:
        with curverun.taken(made, target, IDENTITY) as (file, begun):
            seen.append((file, begun.context["n"]))

    with curverun.taken(made, target, IDENTITY) as (file, begun):
        assert (file, begun.sizes) == (path, [500])
        second = threading.Thread(target=take)
        second.start()
        second.join(0.3)
        assert not seen
        interrupted(tmp_path, sizes=[500, 1000], complete=complete)
    second.join()
    assert seen[0][1] == found and (seen[0][0] == path) is not complete
    assert all(entry.name.startswith(".") for entry in tmp_path.iterdir() if entry.suffix not in (".json", ".csv"))


def test_two_that_begin_a_file_of_one_name_do_so_in_turns(tmp_path: Path) -> None:
    path = tmp_path / "curve.json"
    made = plan("--output", str(path))
    target: Any = SimpleNamespace(name="uml", accel=None, kernel=SimpleNamespace(release="6.12.117", state="6.12.117", arch="um", facts=None), warnings=[], cpu=None)
    seen: list[list[int]] = []

    def take() -> None:
        with curverun.taken(made, target, IDENTITY) as (_, begun):
            seen.append(begun.context["n"])

    with curverun.taken(made, target, IDENTITY) as (_, begun):
        assert begun.context["n"] == []
        second = threading.Thread(target=take)
        second.start()
        second.join(0.3)
        interrupted(tmp_path)
    second.join()
    assert seen == [[500]]
