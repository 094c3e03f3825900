# SPDX-License-Identifier: GPL-2.0
"""Tables at any width: no name and no figure is cut."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

import pytest
from made_results import make
from rich.table import Table

from dsharness import paths
from dsharness.commands.doctor import Finding, State
from dsharness.console import console
from dsharness.results import results
from dsharness.results.table import figure

DSBENCH = paths.HARNESS / "dsbench"
TABLES = Path(__file__).with_name("alltables.py")
WIDTHS = (20, 40, 60, 80, 100, 200)


def on_terminal(columns: int, argv: list[str | Path]) -> list[str]:
    """Return the lines that a command prints on a terminal of this width, without colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {**{name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}, "TERM": "xterm"}
    with subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(theirs)
        said = b""
        try:
            while chunk := os.read(ours, 65536):
                said += chunk
        except OSError:  # Linux's answer once the last writer has closed the terminal
            pass
    os.close(ours)
    assert process.returncode == 0
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", said.decode()).replace("\r", "").split("\n")


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_comparison_cuts_nothing(tmp_path: Path, columns: int) -> None:
    kind = {"sizes": [500], "tries": 12, "containers": ("list", "sorted_array")}
    before, after = make(**kind), make(**kind, seed=2, date="later")
    for name, sweep in (("a.json", before), ("b.json", after)):
        results.write(sweep, tmp_path / name)
    argv = [DSBENCH, "compare", tmp_path / "a.json", tmp_path / "b.json", "--json", tmp_path / "c.json", "--output", tmp_path]
    lines = on_terminal(columns, argv)
    table = lines[1:next(place for place, line in enumerate(lines) if re.match(r"\d+ cells: ", line))]
    assert not any("…" in line for line in lines)
    assert max(map(len, table)) <= columns
    assert bool(re.search("[│┃]", table[1])) is (columns >= 100)
    if columns < 40:
        folded = "".join(table).replace(" ", "")
        assert all(cell.name in folded for cell in before.cells)
        return
    words = " ".join(table).split()
    for cell in json.loads((tmp_path / "c.json").read_text())["comparisons"][0]["cells"]:
        for shown in (cell["name"], figure(cell["before"]), figure(cell["after"]), *cell["word"].split()):
            assert shown in words


def words_of(lines: list[str]) -> set[str]:
    """The words of tables, without what draws their boxes."""
    return set(re.sub("[─-╿]", " ", "\n".join(lines)).split())


@pytest.fixture(scope="module")
def all_words() -> set[str]:
    """The words of all tables on a terminal that has room for each."""
    return words_of(on_terminal(400, ["/usr/bin/python3", TABLES]))


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_no_table_cuts_a_name_or_a_figure(all_words: set[str], columns: int) -> None:
    lines = on_terminal(columns, ["/usr/bin/python3", TABLES])
    assert not [line for line in lines if "…" in line]
    assert {"sorted_array/for_each/4000", "28,125.00", "2,362,336", "1,000,000", "rcu_read_lock"} <= all_words
    assert all_words - words_of(lines) == set()


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_doctor_breaks_its_lines_between_words(columns: int) -> None:
    found = [Finding("cache, unused", State.OK, "755 MiB in 1 kernels and build roots: harness/dsbench clean --unused removes them"), Finding("packages: plot", State.OK, "")]
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from dsharness.commands import doctor; from dsharness.commands.doctor import *;"
        f"doctor.findings = lambda probe: {found!r}; doctor.run(argparse.Namespace(probe=False))"
    ).replace(repr(State.OK), "State.OK")
    lines = on_terminal(columns, ["/usr/bin/python3", "-I", "-c", code, paths.HARNESS])
    assert max(map(len, lines)) <= columns
    assert " ".join(" ".join(lines).split()) == f"cache, unused ok {found[0].detail} packages: plot ok make plots works here"


def test_prose_is_wrapped_between_words(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("what", "found")
    table.add_row("a/name/that/is/never/cut/at/all", "a sentence with many words " * 8)
    console(80).print(table)
    printed = capsys.readouterr().out
    assert "a/name/that/is/never/cut/at/all" in printed
    assert max(map(len, printed.splitlines())) <= 80
    assert set(re.findall(r"\w+", printed.replace("a/name/that/is/never/cut/at/all", ""))) == set("what found a sentence with many words".split())


def test_a_log_shows_every_column_beside_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    headings = [f"n={1 << place}" for place in range(24)]
    table = Table("container", *headings)
    table.add_row("sorted_array", *(f"{1 << place}.50" for place in range(24)))
    console(80).print(table)
    row = next(line for line in capsys.readouterr().out.splitlines() if "sorted_array" in line)
    assert re.findall(r"[\d.]+", row) == [f"{1 << place}.50" for place in range(24)]
