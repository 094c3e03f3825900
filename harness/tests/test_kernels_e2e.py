# SPDX-License-Identifier: GPL-2.0
"""Kernels of the user's, built and booted: what was planted in a repository of kernels is found, and nothing else (make test-kernels).

The first test builds a kernel, which takes 5 minutes on two quiet cores; each of the others builds the files that differ.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path

import kernelrepo
import pytest
from dsharness import paths
from dsharness.errors import BISECT_ENDS, BISECT_SKIPS
from dsharness.kernel import ownbuild
from dsharness.kernel.own import OwnKernel
from kernelrepo import Repository, stamps

pytestmark = [pytest.mark.kernels, pytest.mark.xdist_group("kernels")]

DSBENCH = str(paths.HARNESS / "dsbench")
EXEC = ("exec", "--target", "qemu", "--accel", "icount")
CELL = "maple/find/1000"


@pytest.fixture(scope="session")
def repository() -> Repository:
    made = kernelrepo.made()
    kernelrepo.git(made.folder, "checkout", "-q", "--force", "good")
    return made


@pytest.fixture(autouse=True)
def untouched(repository: Repository) -> object:
    """The user's tree, its repository included, is after each test what it was: after exec, sweep, ab, gate, kunit, for qemu and uml."""
    before = stamps(repository.folder)
    yield
    assert stamps(repository.folder) == before


@pytest.fixture(scope="session")
def baseline(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cost of CELL at the good commit."""
    made = tmp_path_factory.mktemp("baseline") / "good.json"
    checked("gate", "--update", "--kernel-dir", repository.folder, "--baseline", made, "--cell", CELL)
    return made


def dsbench(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command whose pictures and modules go below build/. pytest shows what it prints if the test fails."""
    argv = [DSBENCH, *map(str, words)]
    output = paths.make_folder(paths.BUILD / "test-kernels" / "output", "test")
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=5400, env={**os.environ, "DSBENCH_OUTPUT": str(output)})
    print(shlex.join(argv), done.stdout, done.stderr, sep="\n")
    return done


def checked(*words: str | Path) -> str:
    done = dsbench(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_tree_boots_and_the_result_names_it(repository: Repository, tmp_path: Path) -> None:
    said = checked(*EXEC, "--kernel-dir", repository.folder, "--", "sh", "-c", "insmod dsbench.ko n=100 tries=2 && cat /proc/dsbench && uname -r")
    assert re.search(r"^maple +", said, re.MULTILINE) and "6.12." in said
    output = tmp_path / "one.json"
    checked("sweep", "--target", "qemu", "--accel", "icount", "--kernel-dir", repository.folder, "--container", "maple", "--op", "find",
            "--sizes", "1000", "--tries", "2", "--no-datapath", "--output", output)  # fmt: skip
    tree = json.loads(output.read_text(encoding="utf-8"))["context"]["kernel_tree"]
    assert (tree["folder"], tree["described"]) == (str(repository.folder), "good")
    assert tree["config"] == "dsbench's qemu.config" and "gcc" in tree["compiler"]


def test_a_kernel_that_is_built_already_boots(repository: Repository) -> None:
    built = ownbuild.find(OwnKernel(repository.folder), "qemu")
    before = stamps(built.kdir)
    said = checked(*EXEC, "--kernel-dir", built.kdir, "--bzimage", built.image, "--", "sh", "-c", "insmod dsbench.ko n=100 tries=2 && uname -r")
    assert said.strip() == built.release
    assert stamps(built.kdir) == before


def test_a_fragment_changes_the_configuration(repository: Repository, tmp_path: Path) -> None:
    fragment = tmp_path / "fragment"
    fragment.write_text("CONFIG_LOG_BUF_SHIFT=18\n", encoding="utf-8")
    said = checked(*EXEC, "--kernel-dir", repository.folder, "--config", fragment, "--", "sh", "-c", "zcat /proc/config.gz")
    assert {"CONFIG_LOG_BUF_SHIFT=18", "CONFIG_VETH=m"} <= set(said.splitlines())


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


def test_a_change_that_is_not_committed_is_compared(repository: Repository, tmp_path: Path) -> None:
    """The change is to a device, whose packets are measured."""
    output = tmp_path / "ab.json"
    clone = kernelrepo.clone(repository, repository.commits["xarray slower"])
    name = kernelrepo.SLOWER["veth"][0]
    (clone / name).write_text(kernelrepo.slow((clone / name).read_text(encoding="utf-8"), "veth"), encoding="utf-8")
    before = stamps(clone)
    said = checked("ab", "--kernel-git", clone, "HEAD", "worktree",
                   "--container", "list", "--op", "find", "--sizes", "100", "--datapath", "--device", "veth", "--output", output)  # fmt: skip
    assert stamps(clone) == before
    assert re.search(r"^A is HEAD \(6\.12\.\d+ \((good-\S+)\)\); B is worktree \(6\.12\.\d+ \(\1-dirty\)\)", said, re.MULTILINE), said
    words = {cell["name"]: cell["word"] for cell in json.loads(output.read_text(encoding="utf-8"))["comparisons"][0]["cells"]}
    assert words["veth/path/1400"] == "slower" and words["list/find/100"] == "no change"


@pytest.mark.parametrize(
    ("commit", "reason"),
    [
        ("does not compile", r".* does not build: .*/clone/lib/xarray\.c:\d+:\d+: error: "),
        ("does not boot", "the qemu guest ended while it booted: Kernel panic - not syncing: planted;"),
    ],
    ids=["does not compile", "does not boot"],
)
def test_a_commit_that_cannot_be_judged_is_skipped(repository: Repository, baseline: Path, commit: str, reason: str) -> None:
    clone = kernelrepo.clone(repository, repository.commits[commit])
    before = stamps(clone)
    done = dsbench("gate", "--kernel-dir", clone, "--baseline", baseline, "--cell", CELL)
    assert done.returncode == BISECT_SKIPS, done.stderr
    assert re.search(rf"^dsbench: this commit cannot be judged: {reason}", done.stderr, re.MULTILINE), done.stderr
    assert stamps(clone) == before
    if commit == "does not compile":
        done = dsbench(*EXEC, "--kernel-dir", clone, "--", "true")
        assert done.returncode == 1 and re.search(rf"^dsbench: {reason}", done.stderr, re.MULTILINE), done.stderr


def test_git_bisect_finds_the_planted_commit(repository: Repository, baseline: Path) -> None:
    clone = kernelrepo.clone(repository, "good")
    kernelrepo.git(clone, "bisect", "start", "bad", "good")
    said = subprocess.run(
        ["git", "bisect", "run", DSBENCH, "gate", "--kernel-dir", ".", "--baseline", str(baseline), "--cell", CELL, "--threshold", "1"],
        cwd=clone, check=True, capture_output=True, text=True, timeout=5400,
    )  # fmt: skip
    assert f"{repository.commits['maple slower']} is the first bad commit" in said.stdout, said.stdout + said.stderr
    skipped = set(re.findall(r"^# skip: \[\w+\] (.*)$", kernelrepo.git(clone, "bisect", "log"), re.MULTILINE))
    assert "does not compile" in skipped and skipped & {"does not boot", "does not boot, either"}, "both kinds of broken commit are on the way"
    assert kernelrepo.git(clone, "status", "--porcelain", "--ignored") == "", "the tree has the files of its commit, and no others"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--baseline", "GOOD", "--cell", "maple/find/100"), r"the baseline has no cell maple/find/100, it has maple/find/1000"),
        (("--baseline", "STOCK", "--cell", CELL), r"the baseline .* is of kernel 6\.12\.\S+ and gcc .*, this is of --kernel-dir, qemu "),
    ],
    ids=["no such cell", "another kernel"],
)
def test_a_mistake_ends_the_bisection(repository: Repository, baseline: Path, words: tuple[str, ...], reason: str) -> None:
    files = {"GOOD": baseline, "STOCK": next(paths.REFERENCE.glob("gate-6.12*.json"))}
    done = dsbench("gate", "--kernel-dir", repository.folder, *(files.get(word, word) for word in words))
    assert done.returncode == BISECT_ENDS and re.search(rf"^dsbench: {reason}", done.stderr, re.MULTILINE), done.stderr


def test_target_uml_builds_the_tree_too(repository: Repository, tmp_path: Path) -> None:
    output = tmp_path / "ab.json"
    said = checked("ab", "--target", "uml", "--kernel-git", repository.folder, "good", "bad", "--container", "maple", "--op", "find",
                   "--sizes", "1000", "--tries", "5", "--rounds", "6", "--output", output)  # fmt: skip
    assert re.search(r"^A is good \(6\.12\.\d+ \(good\)\); B is bad \(6\.12\.\d+ \(bad\)\)", said, re.MULTILINE), said
    context = json.loads(output.with_name("ab-b.json").read_text(encoding="utf-8"))["context"]
    assert (context["target"], context["unit"]) == ("uml", "tsc")
    assert (context["kernel_tree"]["described"], context["kernel_tree"]["config"]) == ("bad", "dsbench's uml.config")
    assert re.search(r"Testing complete\. Ran [1-9]\d* tests: passed: \d+", checked("kunit", "--kernel-dir", repository.folder))


def test_a_history_names_the_steps(repository: Repository, tmp_path: Path) -> None:
    output = tmp_path / "history.json"
    said = checked("sweep", "--target", "qemu", "--accel", "icount", "--kernel-git", repository.folder, "good..bad", "--steps", "2",
                   "--container", "maple", "--op", "find", "--sizes", "1000", "--tries", "3", "--no-datapath", "--output", output)  # fmt: skip
    assert re.search(r"^good to bad: 4 no change, 1 slower$", said, re.MULTILINE), said
    assert sorted(path.name for path in tmp_path.glob("history-*.json")) == ["history-1-good.json", "history-2-bad.json"]
