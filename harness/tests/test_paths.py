# SPDX-License-Identifier: GPL-2.0
"""Where dsbench works: in checkouts at any path, beside a checkout that this user cannot write, with and without a home folder."""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path

import projects
import pytest

from dsharness import paths
from dsharness.kernel import kernels

ODD = "it's 100% #1: a,b=$(c); [d] \"e\" & é"
"""A folder's name with most of what shells, make and gcc take apart."""


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A project in a folder of this name."""
    return projects.make(tmp_path / ODD)


def test_a_checkout_at_any_path_works(odd: Path, tmp_path: Path) -> None:
    """It is built in the cache, its modules run in a guest, its pictures are drawn and its scripts checked, and clean removes all."""
    kernels.find("uml")
    cache = projects.cache(tmp_path / "cache")
    harness, variables = odd / "harness/dsbench", {"DSBENCH_CACHE": str(cache)}
    done = projects.ran(odd, harness, "build", "--target", "uml", **variables)
    assert done.returncode == 0, done.stderr
    built = Path(done.stdout.strip())
    assert built.is_relative_to(cache / "objects") and {file.name for file in built.iterdir()} == {"one.ko", "two.ko"}
    done = projects.ran(odd, harness, "exec", "--", "sh", "-c", "insmod one.ko && grep ^one /proc/modules", **variables)
    assert done.returncode == 0 and done.stdout.startswith("one "), done.stderr
    done = projects.ran(odd, harness, "plot", "results/reference/uml.json", **variables)
    assert done.returncode == 0 and len(list((odd / "plots").glob("*.svg"))) > 1, done.stderr
    done = projects.ran(odd, harness, "lint", "--only", "checkpatch", "shell", **variables)
    assert done.stderr.endswith("2 ok, 0 failed, 0 skipped\n"), done.stdout + done.stderr
    done = projects.ran(odd, "make", "clean", **variables)
    assert done.returncode == 0, done.stderr
    assert not (odd / "build").exists() and not list((cache / "objects").glob("*/*"))


@pytest.fixture
def project() -> Iterator[Path]:
    """A project in a folder that every user can read."""
    with tempfile.TemporaryDirectory(prefix="dsbench-test-") as folder:
        Path(folder).chmod(0o755)
        root = projects.make(Path(folder) / "project")
        text = (root / SWEEPS[0]).read_text(encoding="utf-8")
        (root / SWEEPS[1]).write_text(text.replace('"date": "2026', '"date": "2027'), encoding="utf-8")
        yield root
        for parent, _, _ in os.walk(root):
            Path(parent).chmod(0o755)


@pytest.fixture
def home(project: Path) -> Iterator[Path]:
    """The home folder of the user who runs the project."""
    folder = project.with_name("home")
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, projects.NOBODY, projects.NOBODY)
    return folder


USER = projects.NOBODY if os.geteuid() == 0 else None
"""A user whom file modes bind."""

SWEEPS = ["results/reference/uml.json", "results/reference/again.json"]


def read_only(root: Path) -> None:
    for parent, _, names in os.walk(root):
        for name in (".", *names):
            file = Path(parent) / name
            file.chmod(file.stat().st_mode & ~0o222)


@pytest.mark.parametrize("words", [["build"], ["sweep", "--sizes", "64"], ["compare", *SWEEPS]])
def test_a_read_only_checkout_is_reported_before_any_work(project: Path, home: Path, words: list[str]) -> None:
    read_only(project)
    done = projects.ran(project, "harness/dsbench", *words, user=USER, HOME=str(home))
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert f"{project}/build cannot be made: " in done.stderr
    assert "DSBENCH_OUTPUT names another folder for build, results and plots" in done.stderr


def test_a_read_only_checkout_works_with_output_elsewhere(project: Path, home: Path) -> None:
    read_only(project)
    output = home / "out put"
    done = projects.ran(project, "harness/dsbench", "compare", *SWEEPS, user=USER, HOME=str(home), DSBENCH_OUTPUT=str(output))
    assert done.returncode == 0, done.stderr
    assert list((output / "results").glob("compare-*.json")) and (output / "plots/compare.svg").exists()
    done = projects.ran(project, "harness/dsbench", "clean", user=USER, HOME=str(home), DSBENCH_OUTPUT=str(output))
    assert done.returncode == 0 and sorted(path.name for path in output.iterdir()) == ["plots", "results"], done.stderr
    done = projects.ran(project, "harness/dsbench", "plot", SWEEPS[0], "--output", str(home / "drawn"), user=USER, HOME=str(home))
    assert done.returncode == 0 and list((home / "drawn").glob("*.svg")), done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave files of root behind")
@pytest.mark.parametrize("left", ["build/uml-6.12/recipe", "build/logs/", "build/.udptunctl.lock"])
def test_files_that_root_left_in_build_are_reported_before_any_work(project: Path, home: Path, left: str) -> None:
    for parent, _, _ in os.walk(project):
        os.chown(parent, projects.NOBODY, projects.NOBODY)
    place = project / left
    place.parent.mkdir(parents=True)
    if left.endswith("/"):
        place.mkdir()
    else:
        os.chown(place.parent, projects.NOBODY, projects.NOBODY)
        place.touch()
    os.chown(project / "build", projects.NOBODY, projects.NOBODY)
    done = projects.ran(project, "harness/dsbench", "build", user=USER, HOME=str(home))
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert f"{place} cannot be written: {place} belongs to root; have {project}/build removed (DSBENCH_OUTPUT names" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave files of root behind")
def test_a_lock_of_root_in_the_cache_is_one_sentence(project: Path, home: Path) -> None:
    lock = home / "uml" / "kernel.lock"
    lock.parent.mkdir(mode=0o777)
    lock.parent.chmod(0o777)
    lock.touch()
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; from dsharness import locks\n"
        "try:\n  with locks.held(Path(sys.argv[2]), 'nothing'): pass\n"
        "except locks.HarnessError as error:\n  print(error)"
    )
    done = projects.ran(project, "/usr/bin/python3", "-I", "-c", code, project / "harness", lock, user=USER)
    assert done.stdout == f"{lock} cannot be written: {lock} belongs to root (DSBENCH_CACHE names another folder)\n", done.stderr


def test_a_build_folder_that_is_not_ours_stays(tmp_path: Path) -> None:
    (tmp_path / "build/precious").mkdir(parents=True)
    for command in ("build", "clean"):
        done = projects.ran(tmp_path, paths.HARNESS / "dsbench", command, DSBENCH_OUTPUT=str(tmp_path))
        assert done.returncode == 1 and f"{tmp_path}/build has files that are not of dsbench" in done.stderr
    assert (tmp_path / "build/precious").is_dir()


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"DSBENCH_OUTPUT": "~nouser/x"}, "DSBENCH_OUTPUT is '~nouser/x', but there is no such home folder"),
        ({"DSBENCH_OUTPUT": "/etc/passwd"}, "build cannot be made, since /etc/passwd is a file (DSBENCH_OUTPUT"),
    ],
)
def test_variables_that_name_no_folder(tmp_path: Path, variables: dict[str, str], sentence: str) -> None:
    variables = {"DSBENCH_OUTPUT": str(tmp_path), **variables}
    done = projects.ran(tmp_path, paths.HARNESS / "dsbench", "build", **variables)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and sentence in done.stderr, done.stderr


def test_without_home_the_user_s_own_is_taken(tmp_path: Path) -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); from dsharness import paths; print(paths.cache_path())"
    for settings in (["-u", "HOME"], ["HOME="]):
        done = projects.ran(tmp_path, "env", *settings, "/usr/bin/python3", "-I", "-c", code, paths.HARNESS)
        assert done.stdout == f"{pwd.getpwuid(os.getuid()).pw_dir}/.cache/dsbench\n", done.stderr

