# SPDX-License-Identifier: GPL-2.0
"""The sources pass every check that can be done here, and the checks find what they are there to find."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dsharness import paths
from dsharness.commands import lint
from dsharness.errors import UsageError
from dsharness.kernel import build, kernels

FLAWED = """\
// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

static int unused;
static int __user *foreign;

static int __init flawed_init(void)
{
	return *foreign;
}
module_init(flawed_init);
MODULE_LICENSE("GPL");
"""
"""A variable without a use, user memory read without leave, and no MODULE_DESCRIPTION."""


@pytest.fixture
def flawed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A module with flaws instead of ours, built in a folder of its own."""

    def copy_sources(folder: Path, root: Path) -> None:
        modules = paths.make_folder(folder / "modules", "module")
        (modules / "flawed.c").write_text(FLAWED)
        (modules / "Kbuild").write_text("obj-m := flawed.o\n")

    monkeypatch.setattr(paths, "BUILD", paths.make_folder(paths.BUILD / "test-lint", "build"))
    monkeypatch.setattr(build, "copy_sources", copy_sources)
    lint._compiled.cache_clear()
    yield
    lint._compiled.cache_clear()


def case(check: lint.Check) -> object:
    """A check as a parameter. Those of 6.1 and uml repeat on other kernels what those of 6.12 and the newest do; i386 finds most of what
    another architecture can find."""
    marks = [pytest.mark.matrix] if check.kernel in ("6.1", "arm64", lint.UML) else []
    return pytest.param(check, id=str(check), marks=marks)


@pytest.mark.parametrize("check", [case(check) for check in lint.plan() if check.kernel != kernels.RUST])
def test_sources_pass(check: lint.Check) -> None:
    outcome = lint.perform(check)
    if outcome.verdict is lint.Verdict.SKIPPED:
        pytest.skip(outcome.notes[0])
    assert outcome.verdict is lint.Verdict.OK, f"\n{outcome}"


@pytest.mark.parametrize("spec", ["6.12", kernels.NEWEST, pytest.param(kernels.RUST, marks=pytest.mark.rust)])
def test_finds_flaws(flawed: None, spec: str) -> None:
    warnings = lint.perform(lint.Check("warnings", spec))
    if warnings.verdict is lint.Verdict.SKIPPED:
        pytest.skip(warnings.notes[0])
    assert has(warnings, "modules/flawed.c:4:", "unused")
    assert has(warnings, "modpost", "MODULE_DESCRIPTION")
    assert has(lint.perform(lint.Check("sparse", spec)), "modules/flawed.c:9:", "dereference of noderef")


def test_unknown_kernel_is_no_skip() -> None:
    with pytest.raises(UsageError, match="'5.99'"):
        lint.perform(lint.Check("warnings", "5.99"))


def test_plan_takes_each_kernel_for_built_modules_alone() -> None:
    assert lint.plan(["sparse", "shell"], ["6.1", "newest"]) == [
        lint.Check("sparse", "6.1"),
        lint.Check("sparse", "newest"),
        lint.Check("shell"),
    ]


def test_plan_reads_c_beside_rust_by_sparse_alone() -> None:
    assert lint.plan(["warnings", "sparse"], [kernels.RUST, "i386"]) == [lint.Check("warnings", "i386"), lint.Check("sparse", kernels.RUST)]


def test_without_the_root_for_rust_its_checks_are_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DSBENCH_CACHE", str(tmp_path))
    lint._compiled.cache_clear()
    lint._site.cache_clear()
    for check in (lint.Check("sparse", kernels.RUST), lint.Check("clippy"), lint.Check("rustfmt")):
        outcome = lint.perform(check)
        assert outcome.verdict is lint.Verdict.SKIPPED
        assert "the cache has no build root for Rust: make rust makes it" in outcome.notes[0]


@pytest.mark.parametrize(
    "line",
    [
        "warning: the compiler differs from the one used to build the kernel",
        "make[2]: *** [Makefile:260: __sub-make] Error 2",
        "/usr/src/linux/Makefile:1311: C=2 specified, but sparse is not available or not up to date",
        "cc1: warning: ./arch/um/include/generated/uapi: No such file or directory [-Wmissing-include-dirs]",
    ],
)
def test_noise_is_no_finding(line: str) -> None:
    assert lint.NOISE.search(line)


@pytest.mark.parametrize(
    "line",
    [
        "core/run.c:12:5: warning: unused variable 'x' [-Wunused-variable]",
        "WARNING: modpost: missing MODULE_DESCRIPTION() in modules/core/dsbench.o",
        'ERROR: modpost: "rb_first" [modules/containers/dsbench_rbtree.ko] undefined!',
        "core/dsbench.o: warning: objtool: run+0x12: unreachable instruction",
    ],
)
def test_compiler_modpost_and_objtool_are_heard(line: str) -> None:
    assert lint.COMPLAINT.search(line) and not lint.NOISE.search(line)


def has(outcome: lint.Outcome, *words: str) -> bool:
    """Whether one finding has all of these words in it."""
    return any(all(word in note for word in words) for note in outcome.notes)
