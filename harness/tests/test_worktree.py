# SPDX-License-Identifier: GPL-2.0
"""How the tests notice that they changed a file of the user's."""

from __future__ import annotations

from pathlib import Path

import worktree


def test_what_happens_to_a_file_is_noticed(tmp_path: Path) -> None:
    for name in ("plots/seed-report.svg", "results/latest.json", "README.md", "build/logs/one", "harness/__pycache__/a.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("the user's", encoding="utf-8")
    before = worktree.state(tmp_path)
    assert worktree.changes(before, worktree.state(tmp_path)) == []
    (tmp_path / "build/logs/one").write_text("a test's", encoding="utf-8")
    (tmp_path / "harness/__pycache__/b.pyc").touch()
    assert worktree.changes(before, worktree.state(tmp_path)) == []
    (tmp_path / "plots/seed-report.svg").write_text("the tests'", encoding="utf-8")
    (tmp_path / "results/latest.json").unlink()
    (tmp_path / "results/uml.json").touch()
    said = ["plots/seed-report.svg is changed", "results/latest.json is gone", "results/uml.json is new"]
    assert worktree.changes(before, worktree.state(tmp_path)) == said
    assert not any(map(worktree.is_edited, said))
    (tmp_path / "README.md").write_text("edited", encoding="utf-8")
    assert [change for change in worktree.changes(before, worktree.state(tmp_path)) if worktree.is_edited(change)] == ["README.md is changed"]
