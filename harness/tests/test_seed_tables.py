# SPDX-License-Identifier: GPL-2.0
"""The report's tables beside ours: its figures, our options, and the text from made results."""

from __future__ import annotations

import argparse
import re
from array import array

import pytest
from made_results import make

from dsharness.errors import UsageError
from dsharness.results.results import Results
from dsharness.plot import seedfigure
from dsharness.seedtables import command
from dsharness.seedtables import plan as seedtables
from dsharness.seedtables import report as seedreport
from dsharness.seedtables import view as seedview
from dsharness.sweep.plan import Plan


def plans(*argv: str) -> list[Plan]:
    top = argparse.ArgumentParser()
    command.add_parser(top.add_subparsers())
    return seedtables.checked_plans(top.parse_args(["seed-tables", *argv]))


def made() -> Results:
    """Ours with totals that are easy to find again: the container's place, then n."""
    ours = make(ops=["fill", "find", "for_each"], tries=3, seed_tables={"list": "one key"})
    for cell in ours.cells:
        place = ["list", "hashtable", "rbtree", "xarray"].index(cell.container) + 1
        cell.counts = array("q", [place * 10_000 + cell.n] * 3)
    return ours


def test_the_reports_figures() -> None:
    tables = seedreport.tables()
    assert list(tables) == ["fill", "find", "for_each"]
    assert seedreport.sizes() == [500, 1000, 2000, 4000]
    assert tables["find"]["rbtree"] == {500: 2030, 1000: 2740, 2000: 2914, 4000: 3086}
    assert all(list(rows) == ["list", "hashtable", "rbtree", "xarray"] for rows in tables.values())


def test_what_the_readings_say_of_the_report_holds() -> None:
    tables = seedreport.tables()
    each = {op: {name: [row[n] / n for n in row] for name, row in rows.items()} for op, rows in tables.items()}
    assert 121 < min(each["find"]["list"]) and max(each["find"]["list"]) < 232
    assert 92 < min(each["for_each"]["list"]) and max(each["for_each"]["list"]) < 220
    assert 231 < min(each["find"]["hashtable"][2:]) and max(each["find"]["hashtable"][2:]) < 263
    assert 21.5 < min(each["find"]["xarray"][1:]) and max(each["find"]["xarray"][1:]) < 24.5
    assert 91.5 < min(each["fill"]["xarray"][1:]) and max(each["fill"]["xarray"][1:]) < 98.5
    assert min(min(each["fill"][name]) for name in ("list", "hashtable", "rbtree")) > 1000
    assert max(tables["fill"]["rbtree"][n] / tables["fill"]["list"][n] for n in seedreport.sizes()) < 1.5


def test_each_container_is_read_once() -> None:
    named = [name for reading in seedreport.READINGS for name in reading.containers]
    assert sorted(named) == sorted(seedreport.tables()["fill"])


def test_the_plans_follow_the_readings() -> None:
    made_plans = plans("--target", "qemu", "--accel", "icount", "--tries", "9")
    assert [plan.containers for plan in made_plans] == [reading.containers for reading in seedreport.READINGS]
    for plan in made_plans:
        assert (plan.target, plan.accel, plan.tries, plan.datapath) == ("qemu", "icount", 9, None)
        assert (plan.sizes, plan.ops) == ((500, 1000, 2000, 4000), ("fill", "find", "for_each"))
        assert "order=sequential" in plan.settings
    assert {"alloc=inline", "lookups=1", "misses=100"} <= set(made_plans[0].settings)
    assert "alloc=prealloc" in made_plans[2].settings


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("--tries", "0"), "--tries is '0'"),
        (("--seed", "x"), "--seed is 'x'"),
        (("--output", "tables.txt"), "--output is 'tables.txt': allowed are names that end in .json"),
    ],
)
def test_bad_options_get_one_sentence(argv: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UsageError, match=re.escape(sentence)):
        plans(*argv)


def lines(text: str, title: str) -> list[list[str]]:
    """The rows of one table, as words."""
    table = text.split(title)[1].split("Table ")[0]
    rows = [[word for word in re.split(r"[│┃]", line) if word.strip()] for line in table.splitlines() if "│" in line]
    return [[word.strip() for word in row] for row in rows]


def test_theirs_above_ours(capsys: pytest.CaptureFixture[str]) -> None:
    seedview.show(made())
    text = capsys.readouterr().out
    rows = lines(text, "Table 2: find")
    assert rows[0] == ["the report, cycles", "list", "115,620", "133,458", "266,188", "486,098", "1"]
    assert rows[2][:-1] == ["rbtree", "2,030", "2,740", "2,914", "3,086"]
    assert rows[4] == ["ours, TSC cycles", "list", "10,500", "11,000", "12,000", "14,000", "1"]
    assert rows[6] == ["rbtree", "30,500", "31,000", "32,000", "34,000", "2.43"]
    assert text.index("Table 1: fill") < text.index("Table 2: find") < text.index("Table 3: for_each")
    for reading in seedreport.READINGS:
        assert reading.find in text


def test_instructions_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    seedview.show(make(unit="instructions", target="qemu", accel="icount", ops=["fill", "find", "for_each"]))
    text = capsys.readouterr().out
    assert "the report, cycles" in text and "ours, instructions" in text


def test_what_is_missing_or_below_the_resolution(capsys: pytest.CaptureFixture[str]) -> None:
    ours = made()
    ours.cells = [cell for cell in ours.cells if cell.container != "xarray"]
    rbtree = next(cell for cell in ours.cells if cell.name == "rbtree/find/500")
    rbtree.counts = array("q", [-4, 0, 3])
    seedview.show(ours)
    rows = lines(capsys.readouterr().out, "Table 2: find")
    assert rows[6][1] == "below res."
    assert rows[7] == ["xarray", "-", "-", "-", "-", "-"]


def test_the_picture_says_what_was_looked_up() -> None:
    picture = seedfigure.picture(made())
    assert picture is not None
    assert any("list and rbtree: one key" in note for note in picture.notes)
    other = seedfigure.picture(make())
    assert other is not None
    assert any("looks up n keys" in note for note in other.notes)
