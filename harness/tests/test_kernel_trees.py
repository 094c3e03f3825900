# SPDX-License-Identifier: GPL-2.0
"""Trees of every supported version, for both targets, by several compilers and configurations (make test-kernel-trees).

Each case builds a whole kernel, boots and measures it, makes one function slower by a few instructions, and finds these.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import statistics
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import kernelrepo
import pytest
import rustguests
from dsharness import paths
from dsharness.kernel import kernels, own

pytestmark = [pytest.mark.kernel_trees, pytest.mark.xdist_group("kernel_trees")]

NEWEST = kernels.NEWEST
MEASURED = ("--container", "list", "xarray", "maple", "--op", "find", "--sizes", "1000", "--tries", "3", "--no-datapath")
CELL = "xarray/find/1000"
OTHER_GCC = next((name for name in ("gcc-11", "gcc-13") if shutil.which(name)), "gcc-11")
"""A compiler that is not the system's (packages.txt: compilers)."""


@dataclass(frozen=True)
class Case:
    """One way to build a tree."""

    version: str
    target: str
    compiler: str = "gcc"
    """What the kernel's name of its compiler begins with; after a distribution's word, if there is one."""
    environment: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return its name in pytest's output."""
        words = [self.version, self.target, *(f"{name}={value}" for name, value in self.environment.items()), *self.options[1:]]
        return " ".join(words)


CASES = (
    Case(NEWEST, "qemu"),
    Case("6.12", "qemu", "clang", {"LLVM": "1"}),
    Case("6.1", "uml"),
    Case("6.1", "qemu"),
    Case(NEWEST, "uml"),
    Case("6.12", "uml", OTHER_GCC, {"CC": OTHER_GCC}),
    Case("6.12", "qemu", options=("--config", "defconfig")),
)


class Tree:
    """A tree, and the commands that take it."""

    def __init__(self, case: Case, folder: Path) -> None:
        """Nothing is run yet."""
        self.case, self.folder = case, folder
        self.on = ("--target", case.target, *(("--accel", "icount") if case.target == "qemu" else ()), "--kernel-dir", str(folder), *case.options)

    def run(self, command: str, *words: str | Path) -> str:
        """Return what a command prints. Its pictures and modules go below build/."""
        output = paths.make_folder(paths.BUILD / "test-kernel-trees" / "output", "test")
        argv = [str(paths.HARNESS / "dsbench"), command, *(self.on if command != "kunit" else ("--kernel-dir", str(self.folder))), *map(str, words)]
        environment = {**os.environ, **self.case.environment, "DSBENCH_OUTPUT": str(output)}
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=7200, env=environment)
        print(shlex.join(argv), done.stdout, done.stderr, sep="\n")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def cost(self, file: Path) -> tuple[float, dict[str, str]]:
        """Measure, and return the cost of CELL and what the result says about the tree."""
        self.run("sweep", *MEASURED, "--output", file)
        document = json.loads(file.read_text(encoding="utf-8"))
        tries = [row["real_time"] for row in document["benchmarks"] if (row["run_name"], row["run_type"]) == (CELL, "iteration")]
        return statistics.median(tries), document["context"]["kernel_tree"]


@pytest.fixture(params=CASES, ids=str)
def tree(request: pytest.FixtureRequest) -> Tree:
    """A tree of the case's version."""
    case: Case = request.param
    if lacking := [name for name in (case.environment.get("CC"), "clang" if "LLVM" in case.environment else None) if name and not shutil.which(name)]:
        pytest.skip(f"{lacking[0]} is not here")
    if case.version == NEWEST:
        rustguests.need_root()  # Debian's source of the newest kernel is in that root
    return Tree(case, kernelrepo.plain(case.version))


def test_a_tree_is_built_booted_and_measured(tree: Tree, tmp_path: Path) -> None:
    file, function, _ = kernelrepo.SLOWER["xarray"]
    source = tree.folder / file
    before, whole = kernelrepo.stamps(tree.folder), source.read_text(encoding="utf-8")
    said = tree.run("exec", "--", "sh", "-c", "uname -r; cat /proc/version; insmod dsbench.ko n=100 tries=2 && cat /proc/dsbench")
    makefile = (tree.folder / "Makefile").read_text(encoding="utf-8")
    assert said.startswith("{}.{}.".format(*own.version(makefile) or ())), said
    assert re.search(r"^xarray +", said, re.MULTILINE), said
    first, facts = tree.cost(tmp_path / "before.json")
    assert re.match(rf"(?:\w+ )?{tree.case.compiler}", facts["compiler"]) and facts["folder"] == str(tree.folder), facts
    if tree.case.target == "uml":
        assert re.search(r"Testing complete\. Ran [1-9]\d* tests: passed: \d+", tree.run("kunit"))
    assert kernelrepo.stamps(tree.folder) == before
    if tree.case.target == "qemu":
        assert function in whole
        source.write_text(kernelrepo.slow(whole, "xarray"), encoding="utf-8")
        try:
            second, _ = tree.cost(tmp_path / "after.json")
        finally:
            source.write_text(whole, encoding="utf-8")
        assert 3.9 < second - first < 4.1, "four instructions a find"
