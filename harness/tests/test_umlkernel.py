# SPDX-License-Identifier: GPL-2.0
"""What stays of a kernel tree after its build, and what is in its image."""

from __future__ import annotations

from pathlib import Path

import pytest
from dsharness import proc
from dsharness.kernel import rustuml, umlkernel

STAYS = (
    "Makefile", ".config", "linux", "scripts/mod/empty.o", "arch/um/Makefile", "arch/x86/include/asm/io.h",
    "tools/testing/kunit/kunit.py",
)  # fmt: skip
GOES = (
    "mm/slub.c", "mm/slub.o", "arch/um/kernel/exec.o", "arch/arm/Makefile", "drivers/base/built-in.a",
    "tools/perf/perf.c", "tools/testing/selftests/Makefile",
)  # fmt: skip


def test_prune_keeps_what_external_modules_need(tmp_path: Path) -> None:
    for name in (*STAYS, *GOES):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    umlkernel.prune(tmp_path)
    assert {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()} == set(STAYS)


def test_prune_keeps_the_top_folders_for_checkpatch(tmp_path: Path) -> None:
    (tmp_path / "drivers/base").mkdir(parents=True)
    umlkernel.prune(tmp_path)
    assert [folder.name for folder in tmp_path.iterdir()] == ["drivers"]
    assert not list((tmp_path / "drivers").iterdir())


def test_the_recipe_is_the_same_twice() -> None:
    for shelf in umlkernel.SHELVES:
        assert umlkernel._recipe(shelf) == umlkernel._recipe(shelf)


def test_the_debug_kernel_has_a_recipe_of_its_own() -> None:
    assert len({umlkernel._recipe(shelf) for shelf in umlkernel.SHELVES}) == 2
    assert set(umlkernel._options(umlkernel.SHELF)) < set(umlkernel._options(umlkernel.DEBUG_SHELF))


def test_kernels_with_rust_of_other_recipes_are_unused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, debug = (f"{flavour.name}-7.3.4_" for flavour in rustuml.FLAVOURS)
    used = [f"{plain}{rustuml.PLAIN.recipe}", f"{debug}{rustuml.DEBUG.recipe}", f"{debug}{rustuml.DEBUG.recipe}.part"]
    others = [f"{plain}0123456789", f"{debug}0123456789", f"{debug}0123456789.part"]
    for name in (*used, *others, "linux-rust-7.3.4"):
        (tmp_path / "usr/src" / name).mkdir(parents=True)
    monkeypatch.setattr(rustuml.rustroot, "built", lambda: [tmp_path])
    assert sorted(folder.name for folder in rustuml.unused()) == sorted(others)


def test_the_large_bss_of_an_image_is_found(tmp_path: Path) -> None:
    """gcc puts variables of more than 64 KiB there in the medium code model."""
    source = tmp_path / "program.c"
    source.write_text("char zeroes[1 << 17]; int main(void) { return zeroes[0]; }\n", encoding="ascii")
    sizes = []
    for model in ("medium", "small"):
        proc.check(["gcc", f"-mcmodel={model}", "-no-pie", "-fno-pic", "-o", tmp_path / model, source])
        sizes.append(rustuml.large_bss(tmp_path / model))
    (start, size), without = sizes
    assert start and size >= 1 << 17 and without == (0, 0)
