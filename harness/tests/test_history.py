# SPDX-License-Identifier: GPL-2.0
"""A sweep over a series of kernels: its files, the verdicts of neighbours, and the picture."""

from __future__ import annotations

import argparse
import json
import re
from array import array
from pathlib import Path

import made_results
import pytest
from dsharness import paths
from dsharness.compare.comparison import Sweep
from dsharness.errors import HarnessError
from dsharness.history import drive, picture
from dsharness.history.picture import Step
from dsharness.results import results
from dsharness.results.results import Results
from dsharness.sweep import command
from dsharness.sweep import drive as sweeper
from dsharness.sweep.plan import Plan

KERNELS = ("6.1", "6.12", "newest")
RELEASES = ("6.1.0-56-amd64", "6.12.117+deb12-amd64", "7.3.4+deb13-amd64")


def swept(kernel: str, slower: str = "", more: int = 0) -> Results:
    """Counts of instructions on a kernel: the cell `slower` takes `more` of them an element."""
    made = made_results.make(
        (1000,), tries=3, containers=("maple", "rbtree"), kernel=RELEASES[KERNELS.index(kernel)], target="qemu", accel="icount", unit="instructions",
        devices=("veth",), payloads=(64, 1400), bursts=(8,), floors=True, date=f"2026-01-0{KERNELS.index(kernel) + 1}T03:04:05+00:00",
    )  # fmt: skip
    for cell in made.cells:
        steady = min(cell.counts) + (more * cell.elements if cell.name == slower else 0)
        cell.counts = array("q", [steady] * len(cell.counts))
    return made


def plan(*words: str) -> Plan:
    top = argparse.ArgumentParser()
    command.add_parser(top.add_subparsers())
    args = top.parse_args(["sweep", "--target", "qemu", "--accel", "icount", *(word for name in KERNELS for word in ("--kernel", name)), *words])
    checked: Plan = args.check(args)
    return checked


@pytest.fixture
def sweeps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Results | HarnessError]:
    """What the sweep of each kernel gives: find of the maple tree is slower from 6.12 on."""
    found: dict[str, Results | HarnessError] = {name: swept(name, "maple/find/1000", 0 if name == "6.1" else 9) for name in KERNELS}

    def sweep(one: Plan) -> tuple[Path, Results]:
        assert one.output and isinstance(one.kernel, str) and not one.series
        outcome = found[one.kernel]
        if isinstance(outcome, HarnessError):
            raise outcome
        results.write(outcome, one.output)
        return one.output, outcome

    monkeypatch.setattr(sweeper, "sweep", sweep)
    monkeypatch.setattr(paths, "PLOTS", tmp_path / "plots")
    return found


def test_each_kernel_has_a_file_and_neighbours_are_compared(
    sweeps: dict[str, Results | HarnessError], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert drive.run(plan("--output", str(tmp_path / "history.json"))) == 0
    said = capsys.readouterr().out
    assert {path.name for path in tmp_path.glob("*.json")} == {"history.json", *(f"history-{n}-{name}.json" for n, name in enumerate(KERNELS, 1))}
    pairs = json.loads((tmp_path / "history.json").read_text(encoding="utf-8"))["comparisons"]
    slower = [[cell["name"] for cell in pair["cells"] if cell["word"] == "slower"] for pair in pairs]
    assert slower == [["maple/find/1000"], []]
    assert re.search(r"maple/find/1000 +│ +[\d.]+ │ +↑ [\d.]+ │ +[\d.]+ │", said), said
    assert "6.1 to 6.12: " in said and re.search(r"^6\.12 to newest \(7\.3\): \d+ no change$", said, re.MULTILINE)
    assert {path.name for path in (tmp_path / "plots").iterdir()} == {"history.svg", "history.png"}


def test_a_kernel_that_fails_is_left_out(sweeps: dict[str, Results | HarnessError], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweeps["6.12"] = HarnessError("it does not build")
    assert drive.run(plan("--output", str(tmp_path / "history.json"))) == 1
    said = capsys.readouterr()
    assert "warning: 6.12 is left out: it does not build" in said.err
    assert "6.1 to newest (7.3): " in said.out
    sweeps["newest"] = HarnessError("it does not boot")
    with pytest.raises(HarnessError, match="^1 of 3 kernels could be measured: a history takes two of them$"):
        drive.run(plan("--output", str(tmp_path / "history.json")))


def test_the_picture_has_a_panel_for_each_operation_and_packets_of_usual_size(sweeps: dict[str, Results | HarnessError], tmp_path: Path) -> None:
    made = [Step(name, Sweep(tmp_path / f"{name}.json", one)) for name, one in sweeps.items() if isinstance(one, Results)]
    pairs = [drive._compared(one, other) for one, other in zip(made, made[1:])]
    drawn = picture.picture(made, pairs)
    assert [panel.title for panel in drawn.panels] == ["fill", "find", "for_each", "erase", "tx", "rx", "path"]
    assert [len(line) for line in drawn.panels[0].series.values()] == [3, 3, 0]
    one, other = (results.per_work(next(cell for cell in step.sweep.results.cells if cell.name == "veth/path/1400")).median for step in made[:2])
    assert [point.median for point in drawn.panels[-1].series["veth"][:2]] == pytest.approx([100, 100 * other / one])
    slower = drawn.panels[1]
    assert slower.low < 100 < slower.series["maple"][1].median < slower.high
    assert not drawn.notes[2:], "one compiler is no news"
    assert drawn.footnotes[0].startswith("6.1 to 6.12: maple/find/1000 +") and drawn.footnotes[1] == "6.12 to newest: nothing slower or faster."


def test_the_picture_names_compilers_that_differ_and_no_floor(sweeps: dict[str, Results | HarnessError], tmp_path: Path) -> None:
    made = [Step(name, Sweep(tmp_path / f"{name}.json", one)) for name, one in sweeps.items() if isinstance(one, Results)]
    for step, compiler in zip(made, ("gcc-12 (Debian 12.2.0-14) 12.2.0", "x86_64-linux-gnu-gcc-12 (Debian 12.2.0-14) 12.2.0", "gcc-14 (Debian 14.2.0-19) 14.2.0")):
        step.sweep.results.context["compiler"] = compiler
    floor = next(cell for cell in made[2].sweep.results.cells if cell.name == "floor/walk/1000")
    floor.counts = array("q", [9 * count for count in floor.counts])
    drawn = picture.picture(made, [drive._compared(one, other) for one, other in zip(made, made[1:])])
    assert drawn.notes[2:] == [
        "Compilers differ, and part of a change may be theirs: 6.1, 6.12: gcc (Debian 12.2.0-14) 12.2.0; newest: gcc (Debian 14.2.0-19) 14.2.0."
    ]
    assert drawn.footnotes[1] == "6.12 to newest: nothing slower or faster."
