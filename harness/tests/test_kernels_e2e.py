# SPDX-License-Identifier: GPL-2.0
"""Kernels of the user's, built and booted: what was planted in a repository of kernels is found, and nothing else (make test-kernels).

The first test builds a kernel, which takes 5 minutes on two quiet cores; each of the others builds the files that differ.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path

import kernelrepo
import pytest
from dsharness import paths
from dsharness.errors import BISECT_SKIPS
from kernelrepo import Repository

pytestmark = [pytest.mark.kernels, pytest.mark.xdist_group("kernels")]

DSBENCH = str(paths.HARNESS / "dsbench")
CELL = "maple/find/1000"


@pytest.fixture(scope="session")
def repository() -> Repository:
    return kernelrepo.made()


@pytest.fixture(autouse=True)
def untouched(repository: Repository) -> object:
    """The user's tree, its repository included, is after each test byte for byte what it was."""
    kernelrepo.git(repository.folder, "checkout", "-q", "--force", "good")
    before = _everything(repository.folder)
    yield
    assert _everything(repository.folder) == before


def _everything(folder: Path) -> str:
    digest = hashlib.sha256()
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(parent, name)
            status = os.lstat(path)
            digest.update(f"{path} {status.st_mode} {status.st_size} {status.st_mtime_ns}\n".encode())
            if "/.git/" not in path and not os.path.islink(path):
                digest.update(hashlib.sha256(Path(path).read_bytes()).digest())
    return digest.hexdigest()


def dsbench(*words: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command whose pictures and modules go below build/."""
    argv = [DSBENCH, *map(str, words)]
    output = paths.make_folder(paths.BUILD / "test-kernels" / "output", "test")
    return subprocess.run(argv, cwd=folder, check=False, capture_output=True, text=True, timeout=5400, env={**os.environ, "DSBENCH_OUTPUT": str(output)})


def checked(*words: str | Path, folder: Path | None = None) -> str:
    done = dsbench(*words, folder=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_dirty_tree_boots_and_the_result_names_it(repository: Repository, tmp_path: Path) -> None:
    said = checked("exec", "--target", "qemu", "--accel", "icount", "--kernel-dir", repository.folder, "--", "sh", "-c", "insmod dsbench.ko n=100 tries=2 && cat /proc/dsbench && uname -r")
    assert re.search(r"^maple +", said, re.MULTILINE) and "6.12." in said
    output = tmp_path / "one.json"
    checked("sweep", "--target", "qemu", "--accel", "icount", "--kernel-dir", repository.folder, "--container", "maple", "--op", "find",
            "--sizes", "1000", "--tries", "2", "--no-datapath", "--output", output)  # fmt: skip
    tree = json.loads(output.read_text(encoding="utf-8"))["context"]["kernel_tree"]
    assert (tree["folder"], tree["described"]) == (str(repository.folder), "good")
    assert tree["config"] == "dsbench's qemu.config" and "gcc" in tree["compiler"]


def test_ab_finds_what_was_planted_and_nothing_else(repository: Repository, tmp_path: Path) -> None:
    output = tmp_path / "ab.json"
    said = checked("ab", "--kernel-git", repository.folder, "good", "bad", "--container", "maple", "rbtree", "xarray",
                   "--op", "find", "fill", "--sizes", "1000", "--output", output)  # fmt: skip
    cells = {cell["name"]: cell for cell in json.loads(output.read_text(encoding="utf-8"))["comparisons"][0]["cells"]}
    slower = {name for name, cell in cells.items() if cell["word"] == "slower"}
    assert slower == {CELL, "rbtree/fill/1000", "xarray/find/1000"}, said
    # The maple tree's nodes come from the allocator, whose state differs from boot to boot: six rounds may be too few for a verdict.
    assert cells["maple/fill/1000"]["word"] in ("no change", "inconclusive"), said
    assert {cell["word"] for name, cell in cells.items() if name not in {*slower, "maple/fill/1000"}} == {"no change"}, said
    for name, function in ((CELL, "mtree_load"), ("rbtree/fill/1000", "rb_insert_color"), ("xarray/find/1000", "xa_load")):
        assert re.search(rf"^{name}: {function} \+\d", said, re.MULTILINE), said


def test_a_change_that_changes_nothing_is_no_change(repository: Repository, tmp_path: Path) -> None:
    output = tmp_path / "ab.json"
    checked("ab", "--kernel-git", repository.folder, "good", repository.commits["comment 2"], "--container", "maple", "--op", "find",
            "--sizes", "1000", "--output", output)  # fmt: skip
    cells = json.loads(output.read_text(encoding="utf-8"))["comparisons"][0]["cells"]
    assert {cell["word"] for cell in cells} == {"no change"}


def test_a_device_of_the_kernel_is_compared(repository: Repository, tmp_path: Path) -> None:
    output = tmp_path / "ab.json"
    checked("ab", "--kernel-git", repository.folder, repository.commits["xarray slower"], repository.commits["veth slower"],
            "--container", "list", "--op", "find", "--sizes", "100", "--datapath", "--device", "veth", "--output", output)  # fmt: skip
    words = {cell["name"]: cell["word"] for cell in json.loads(output.read_text(encoding="utf-8"))["comparisons"][0]["cells"]}
    assert words["veth/path/1400"] == "slower" and words["list/find/100"] == "no change"


@pytest.mark.parametrize(
    ("commit", "reason"),
    [
        ("does not compile", r".* does not build: .*/linux/lib/xarray\.c:\d+:\d+: error: "),
        ("does not boot", "the qemu guest ended while it booted: Kernel panic - not syncing: planted;"),
    ],
    ids=["does not compile", "does not boot"],
)
def test_a_commit_that_cannot_be_judged_is_skipped(repository: Repository, tmp_path: Path, commit: str, reason: str) -> None:
    baseline = _baseline(repository, tmp_path)
    clone = tmp_path / "linux"
    kernelrepo.git(tmp_path, "clone", "-q", "--shared", "--no-checkout", str(repository.folder), str(clone))
    kernelrepo.git(clone, "checkout", "-q", repository.commits[commit])
    done = dsbench("gate", "--kernel-dir", clone, "--baseline", baseline, "--cell", CELL)
    assert done.returncode == BISECT_SKIPS, done.stderr
    assert re.search(rf"^dsbench: this commit cannot be judged: {reason}", done.stderr, re.MULTILINE), done.stderr


def _baseline(repository: Repository, folder: Path) -> Path:
    made = folder / "good.json"
    checked("gate", "--update", "--kernel-dir", repository.folder, "--baseline", made, "--cell", CELL)
    return made


def test_git_bisect_finds_the_planted_commit(repository: Repository, tmp_path: Path) -> None:
    baseline = _baseline(repository, tmp_path)
    clone = tmp_path / "linux"
    kernelrepo.git(tmp_path, "clone", "-q", "--shared", str(repository.folder), str(clone))
    kernelrepo.git(clone, "bisect", "start", "bad", "good")
    said = subprocess.run(
        ["git", "bisect", "run", DSBENCH, "gate", "--kernel-dir", ".", "--baseline", str(baseline), "--cell", CELL, "--threshold", "1"],
        cwd=clone, check=True, capture_output=True, text=True, timeout=5400,
    )  # fmt: skip
    assert f"{repository.commits['maple slower']} is the first bad commit" in said.stdout, said.stdout + said.stderr
    skipped = set(re.findall(r"^# skip: \[\w+\] (.*)$", kernelrepo.git(clone, "bisect", "log"), re.MULTILINE))
    assert "does not compile" in skipped and skipped & {"does not boot", "does not boot, either"}, "both kinds of broken commit are on the way"


def test_target_uml_builds_the_tree_too(repository: Repository, tmp_path: Path) -> None:
    output = tmp_path / "ab.json"
    said = checked("ab", "--target", "uml", "--kernel-git", repository.folder, "good", "bad", "--container", "maple", "--op", "find",
                   "--sizes", "1000", "--tries", "5", "--rounds", "6", "--output", output)  # fmt: skip
    assert re.search(r"^A is good \(6\.12\.\d+ \(good\)\); B is bad \(6\.12\.\d+ \(bad\)\)", said, re.MULTILINE), said
    context = json.loads(output.with_name("ab-b.json").read_text(encoding="utf-8"))["context"]
    assert (context["target"], context["unit"]) == ("uml", "tsc")
    assert (context["kernel_tree"]["described"], context["kernel_tree"]["config"]) == ("bad", "dsbench's uml.config")
    checked("kunit", "--kernel-dir", repository.folder)


def test_a_history_names_the_steps(repository: Repository, tmp_path: Path) -> None:
    output = tmp_path / "history.json"
    said = checked("sweep", "--target", "qemu", "--accel", "icount", "--kernel-git", repository.folder, "good..bad", "--steps", "2",
                   "--container", "maple", "--op", "find", "--sizes", "1000", "--tries", "3", "--no-datapath", "--output", output)  # fmt: skip
    assert re.search(r"^good to bad: 4 no change, 1 slower$", said, re.MULTILINE), said
    assert sorted(path.name for path in tmp_path.glob("history-*.json")) == ["history-1-good.json", "history-2-bad.json"]
