# SPDX-License-Identifier: GPL-2.0
"""What git says of the checkout, whatever the user's settings and environment are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from dsharness import git, paths
from dsharness.errors import HarnessError, UsageError
from dsharness.kernel import trees


def run_git(folder: Path, *args: str) -> str:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    return subprocess.run(["git", "-C", folder, *who, *args], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with two commits and a tag."""
    root = tmp_path / "project"
    root.mkdir()
    run_git(root, "init", "-q")
    for number in ("1", "2"):
        (root / "file").write_text(number, encoding="utf-8")
        run_git(root, "add", "file")
        run_git(root, "commit", "-q", "-m", number)
    run_git(root, "tag", "v1")
    monkeypatch.setattr(paths, "ROOT", root)
    return root


def test_a_revision_has_twelve_digits_whatever_the_settings(project: Path) -> None:
    head = run_git(project, "rev-parse", "HEAD")
    assert git.described() == head[:12]
    run_git(project, "config", "core.abbrev", "20")
    assert git.described() == head[:12]
    (project / "file").write_text("3", encoding="utf-8")
    assert git.described() == f"{head[:12]}-dirty"


def test_variables_of_a_hook_lead_nowhere_else(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    run_git(other, "init", "-q")
    head = run_git(project, "rev-parse", "HEAD")
    for name, value in (("GIT_DIR", other / ".git"), ("GIT_WORK_TREE", other), ("GIT_INDEX_FILE", other / "index")):
        monkeypatch.setenv(name, str(value))
    assert git.described() == head[:12]


def test_a_tarball_inside_another_repository_has_no_revision(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = project / "dsbench-0.1.0"
    inside.mkdir()
    monkeypatch.setattr(paths, "ROOT", inside)
    assert git.described() == ""
    assert trees.described() == "unknown"
    with pytest.raises(HarnessError, match="is no git checkout of its own but a folder of"):
        trees.find("HEAD")


def test_a_shallow_clone_says_so(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "clone", "-q", "--depth", "1", f"file://{project}", tmp_path / "shallow"], check=True)
    monkeypatch.setattr(paths, "ROOT", tmp_path / "shallow")
    with pytest.raises(UsageError, match="revision 'HEAD~1' is unknown: .*shallow clone: git fetch --unshallow"):
        trees.find("HEAD~1")
    monkeypatch.setattr(paths, "ROOT", project)
    with pytest.raises(UsageError, match="revision 'HEAD~9' is unknown: [^;]*$"):
        trees.find("HEAD~9")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
@pytest.mark.parametrize("language", ["en", "de"])
def test_a_checkout_of_another_user_says_so(project: Path, monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("LANGUAGE", language)
    monkeypatch.delenv("SUDO_UID", raising=False)
    for path in (project, project / ".git"):
        os.chown(path, 4242, 4242)
    assert git.described() == ""
    with pytest.raises(HarnessError, match="git does not trust .*, which belongs to another user: git config --global --add safe"):
        trees.find("HEAD")


def test_a_revision_has_its_own_bytes(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in trees.SOURCES:
        (project / folder).mkdir()
        (project / folder / "one.h").write_bytes(b"one\ntwo\n")
    run_git(project, "add", ".")
    run_git(project, "commit", "-q", "-m", "sources")
    run_git(project, "config", "core.autocrlf", "true")
    monkeypatch.setattr(paths, "BUILD", project / "build")
    assert trees.find("HEAD").digest == trees.working().digest
