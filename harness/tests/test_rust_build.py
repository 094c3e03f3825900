# SPDX-License-Identifier: GPL-2.0
"""What the compilers of Rust, and sparse, say: nothing about our sources; and what dsbench rust does with a module that does not build."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import projects
import pytest
import rustguests
from dsharness import paths
from dsharness.commands import lint
from dsharness.kernel import kernels

pytestmark = pytest.mark.rust

KEPT = ("list", "rbtree")
"""The containers of the project with a fault: enough for the test, and built in less time."""
GOOD = "self.get(&Branching(key)).map(read)"
RENAMED = GOOD.replace("get", "get_as_a_newer_kernel_names_it")


@pytest.mark.parametrize("check", [lint.Check("rustfmt"), lint.Check("clippy"), lint.Check("sparse", kernels.RUST)], ids=str)
def test_sources_are_clean(check: lint.Check) -> None:
    rustguests.need_root()
    outcome = lint.perform(check)
    assert outcome.verdict is lint.Verdict.OK, str(outcome)


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """A project whose rust_rbtree calls what its kernel does not have."""
    rustguests.need_root()
    root = projects.make(tmp_path / "project")
    for name in ("modules", "include"):
        shutil.rmtree(root / name)
        shutil.copytree(paths.ROOT / name, root / name)
    rust = root / "modules/rust"
    for source in [*rust.glob("rust_*.c"), *rust.glob("*_owned.c")]:
        if not any(source.stem in (f"rust_{name}", f"{name}_owned") for name in KEPT):
            source.unlink()
    edit(root / "modules/containers/Kbuild", r"^containers := .*\ncontainers \+= .*$", f"containers := {' '.join(KEPT)}")
    for source in (root / "modules/containers").glob("*.c"):
        if source.stem not in KEPT:
            source.unlink()
    edit(root / "modules/Kbuild", r"^.* \+= tunnel/\n.* \+= datapath/\n", "")
    edit(rust / "Kbuild", r"^rust := .*\nrust \+= .*$", f"rust := {' '.join(KEPT)}")
    edit(rust / "Kbuild", r"^tunnel := .*$", "tunnel :=")
    edit(rust / "rbtree.rs", re.escape(GOOD), RENAMED)
    return root


def edit(file: Path, old: str, new: str) -> None:
    """Replace the only match of a pattern in a file."""
    text, count = re.subn(old, new, file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert count == 1, f"{old!r} is {count} times in {file.name}"
    file.write_text(text, encoding="utf-8")


def test_a_module_that_does_not_build_is_named_and_the_others_run(faulty: Path) -> None:
    argv = ["harness/dsbench", "rust", "--container", *KEPT, "--sizes", "100", "--tries", "2"]
    run = projects.ran(faulty, *argv, seconds=1800)
    assert run.returncode == 0, run.stderr
    error = r"error\[E0599\]: no method named `get_as_a_newer_kernel_names_it` found"
    assert re.search(rf"rust_rbtree is absent, since its module does not build for this kernel: {error}", run.stderr)
    context = json.loads((faulty / "results/rust-latest.json").read_text(encoding="utf-8"))["context"]
    assert list(context["not_built"]) == ["rust_rbtree"]
    assert re.match(error, context["not_built"]["rust_rbtree"])
    for row in ("rust_list/find/100", "rust_tree_hand/find/100"):
        assert row in run.stdout
    assert "rust_rbtree/" not in run.stdout
