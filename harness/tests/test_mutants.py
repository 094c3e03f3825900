# SPDX-License-Identifier: GPL-2.0
"""The catalogue of mutants: each applies to today's source, and a gap in the tests is reported as one."""

from __future__ import annotations

from pathlib import Path

import pytest
from dsharness import paths
from dsharness.errors import HarnessError
from dsharness.mutants import catalogue, drive
from dsharness.mutants.catalogue import Mutant

LEAST = 60


def test_every_mutant_applies_to_todays_source() -> None:
    mutants = catalogue.read_all()
    assert len(mutants) >= LEAST
    for mutant in mutants:
        mutant.check(paths.ROOT)
    assert {mutant.file.partition("/")[0] for mutant in mutants} == {"modules", "harness"}
    for name in {test for mutant in mutants for test in mutant.tests}:
        assert (paths.HARNESS / "tests" / name).is_file(), name


def test_a_mutant_whose_source_has_changed_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("return x;\nreturn x;\n", encoding="utf-8")
    with pytest.raises(HarnessError, match="'twice' does not apply to a.c: its old text occurs 2 times instead of once"):
        Mutant("twice", "a.c", "return x;", "return y;").check(tmp_path)
    with pytest.raises(HarnessError, match="'gone' does not apply: b.c does not exist"):
        Mutant("gone", "b.c", "x", "y").check(tmp_path)


def test_words_select_by_name_and_by_file() -> None:
    assert {mutant.file for mutant in catalogue.read_all(["stats.c"])} == {"modules/core/stats.c"}
    with pytest.raises(HarnessError, match="no mutant has nonsense in its name or file"):
        catalogue.read_all(["nonsense"])


@pytest.mark.parametrize(
    ("killer", "reason", "is_gap"),
    [("", "", True), ("test_x", "", False), ("", "it does the same", False), ("test_x", "it does the same", True)],
)
def test_a_survivor_needs_a_reason(killer: str, reason: str, is_gap: bool) -> None:
    assert drive.Outcome(Mutant("m", "f", "a", "b", reason), killer).is_fault is is_gap


def test_a_busy_machine_gives_mutants_more_time() -> None:
    assert (drive.limit(10), drive.limit(200)) == (drive.SECONDS, 1000)


def test_a_killed_and_a_surviving_mutant_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The real runner on a catalogue of two: one that test_inference.py notices, one in a docstring that nothing can notice."""
    file = "harness/dsharness/statistics/inference.py"
    (tmp_path / "two.toml").write_text(
        f'[tests]\n"{file}" = ["test_inference.py"]\n'
        f'[[mutant]]\nname = "noticed"\nfile = "{file}"\nold = "tail = 50 *"\nnew = "tail = 90 *"\n'
        f'[[mutant]]\nname = "unnoticed"\nfile = "{file}"\nold = "No sample is dropped"\nnew = "No sample is lost"\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(catalogue, "FOLDER", tmp_path)
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    assert drive.run([]) == 3
    output = capsys.readouterr().out
    assert f"{file}: noticed: killed by test_inference.py::" in output
    assert f"{file}: unnoticed: survived" in output
    assert "2 mutants: 1 killed, 0 equivalent, 1 unexplained" in output
