# SPDX-License-Identifier: GPL-2.0
"""The build, by real kbuild against the UML kernel, on a small project of its own."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from dsharness import paths, proc
from dsharness.errors import HarnessError
from dsharness.kernel import build, kernels, trees
from dsharness.kernel.kernels import Kernel

MODULE = """
#include <linux/module.h>
#include <answer.h>
MODULE_DESCRIPTION("answers");
MODULE_LICENSE("GPL");
MODULE_INFO(answer, ANSWER);
#ifdef REVISION
MODULE_INFO(revision, REVISION);
#endif
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two modules in a folder each, and a header. As in ours, the revision is a matter of one object, two.o."""
    for folder in ("one", "two"):
        (tmp_path / "modules" / folder).mkdir(parents=True)
        (tmp_path / f"modules/{folder}/{folder}.c").write_text(MODULE, encoding="utf-8")
        (tmp_path / f"modules/{folder}/Kbuild").write_text(f"obj-m := {folder}.o\n", encoding="utf-8")
    (tmp_path / "modules/Kbuild").write_text(
        "obj-m := one/ two/\n"
        "subdir-ccflags-y := -I$(src)/../include\n",
        encoding="utf-8",
    )
    (tmp_path / "modules/two/Kbuild").write_text(
        "obj-m := two.o\nCFLAGS_two.o := -DREVISION='\"$(DSBENCH_REVISION)\"'\n", encoding="utf-8"
    )
    (tmp_path / "include").mkdir()
    (tmp_path / "include/answer.h").write_text('#define ANSWER "42"\n', encoding="utf-8")
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    monkeypatch.setattr(paths, "LOGS", tmp_path / "build/logs")
    return tmp_path


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    return kernels.find("uml")


def test_modules_are_built_and_installed(project: Path, kernel: Kernel) -> None:
    made = build.modules(kernel)
    assert sorted(file.name for file in made.ko_dir.iterdir()) == ["one.ko", "two.ko"]
    home = made.mod_root / "lib/modules" / kernel.release
    assert "updates/dsbench/two.ko:" in (home / "modules.dep").read_text(encoding="ascii")
    assert b"answer=42\0" in (made.ko_dir / "one.ko").read_bytes()
    assert f"revision=unknown+{trees.working().digest}\0".encode() in (made.ko_dir / "two.ko").read_bytes()


def test_the_sources_stay_clean(project: Path, kernel: Kernel) -> None:
    before = sorted(project.glob("modules/**/*"))
    build.modules(kernel)
    assert sorted(project.glob("modules/**/*")) == before


def test_nothing_changed_nothing_made(project: Path, kernel: Kernel) -> None:
    first = build.modules(kernel).ko_dir / "one.ko"
    stamp = first.stat().st_mtime_ns
    build.modules(kernel)
    assert first.stat().st_mtime_ns == stamp


def test_kbuild_does_not_run_when_nothing_changed(project: Path, kernel: Kernel) -> None:
    build.modules(kernel)
    log = next((project / "build/logs").glob("build-*.log"))
    before = log.stat().st_ino, log.stat().st_mtime_ns
    build.modules(kernel)
    assert (log.stat().st_ino, log.stat().st_mtime_ns) == before
    build.modules(kernel, make_args=["KCFLAGS=-O1"])
    assert (log.stat().st_ino, log.stat().st_mtime_ns) != before


def test_an_added_source_is_noticed(project: Path, kernel: Kernel) -> None:
    build.modules(kernel)
    (project / "modules/two/two.c").rename(project / "modules/two/three.c")
    (project / "modules/two/Kbuild").write_text("obj-m := three.o\n", encoding="utf-8")
    assert sorted(file.name for file in build.modules(kernel).ko_dir.iterdir()) == ["one.ko", "three.ko"]


def test_a_build_by_hand_enters_no_other_build(project: Path, kernel: Kernel) -> None:
    clean = trees.working().digest
    made = (build.modules(kernel).ko_dir / "one.ko").read_bytes()
    for name in ("one.o", ".one.o.cmd", "one.mod.c", "one.mod", "one.ko", "../Module.symvers", "../modules.order"):
        (project / "modules/one" / name).write_text("stale\n", encoding="utf-8")
    assert trees.working().digest == clean
    for folder in (project / "build").glob("uml-*"):
        (folder / "recipe").unlink()
    assert (build.modules(kernel).ko_dir / "one.ko").read_bytes() == made


def test_kbuild_run_by_hand_in_the_checkout_changes_no_build(project: Path, kernel: Kernel) -> None:
    """Also when it comes first. What it leaves behind is named by .gitignore, so the revision stays clean."""
    by_hand = [
        "make", "-C", str(kernel.kdir), f"M={project}/modules", f"ARCH={kernel.arch}", "KCFLAGS=-O1", "modules"
    ]  # fmt: skip
    digest, sources = trees.working().digest, set((project / "modules").rglob("*"))
    subprocess.run(by_hand, check=True, env=proc.build_environment(), stdout=subprocess.DEVNULL)
    left = sorted({path for path in (project / "modules").rglob("*") if path.is_file()} - sources)
    assert (project / "modules/one/one.ko") in left
    with_it = (build.modules(kernel).ko_dir / "one.ko").read_bytes()
    assert trees.working().digest == digest
    for path in left:
        path.unlink()
    shutil.rmtree(project / "build")
    assert (build.modules(kernel).ko_dir / "one.ko").read_bytes() == with_it
    names = "".join(f"{path.relative_to(project)}\n" for path in left)
    ask = ["git", "-C", str(paths.HARNESS), "check-ignore", "--no-index", "--stdin"]
    ignored = subprocess.run(ask, check=False, input=names.replace("modules/", "../modules/"), capture_output=True, text=True)
    assert ignored.stdout.count("\n") == len(left), set(names.split()) - {name.removeprefix("../") for name in ignored.stdout.split()}


def aged(file: Path, text: str) -> None:
    """Give a file another content, and a time before that of everything else."""
    file.write_text(text, encoding="utf-8")
    os.utime(file, (1, 1))


@pytest.mark.parametrize("name", ["modules/one/one.c", "include/answer.h"])
def test_a_source_replaced_by_an_older_file_is_built(project: Path, kernel: Kernel, name: str) -> None:
    """As rsync -t, tar and git stash do it: to make, nothing has changed."""
    build.modules(kernel)
    aged(project / name, (project / name).read_text(encoding="utf-8").replace("42", "43").replace("ANSWER)", '"43")'))
    made = build.modules(kernel).ko_dir
    assert b"answer=43\0" in (made / "one.ko").read_bytes()
    assert f"+{trees.working().digest}\0".encode() in (made / "two.ko").read_bytes()


def test_a_source_that_changes_during_a_build_is_built_next(
    project: Path, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stamp of a module is that of the sources that it was built from."""
    copy_sources, before = build.copy_sources, trees.working().digest

    def and_then(folder: Path, root: Path) -> None:
        copy_sources(folder, root)
        aged(project / "include/answer.h", '#define ANSWER "43"\n')

    monkeypatch.setattr(build, "copy_sources", and_then)
    for answer in (b"42", b"43"):
        made = build.modules(kernel).ko_dir
        assert b"answer=%s\0" % answer in (made / "one.ko").read_bytes()
        assert f"+{before}\0".encode() in (made / "two.ko").read_bytes()
        before = trees.working().digest


def test_a_clock_that_was_set_back_keeps_no_object(project: Path, kernel: Kernel) -> None:
    build.modules(kernel)
    for product in (project / "build").rglob("*.o"):
        os.utime(product, (4e9, 4e9))
    (project / "include/answer.h").write_text('#define ANSWER "43"\n', encoding="utf-8")
    assert b"answer=43\0" in (build.modules(kernel).ko_dir / "one.ko").read_bytes()


def test_a_header_that_hides_another_one_is_noticed(project: Path, kernel: Kernel) -> None:
    (project / "modules/Kbuild").write_text(
        "obj-m := one/ two/\nsubdir-ccflags-y := -I$(src)/front -I$(src)/../include\n", encoding="utf-8"
    )
    build.modules(kernel)
    (project / "modules/front").mkdir()
    (project / "modules/front/answer.h").write_text('#define ANSWER "43"\n', encoding="utf-8")
    assert b"answer=43\0" in (build.modules(kernel).ko_dir / "one.ko").read_bytes()


def test_objects_of_another_compiler_or_kernel_go(project: Path, kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both may be older than the objects, so that kbuild would keep them."""
    objects = build.modules(kernel).ko_dir.parent / "src/modules/one/one.o"
    before = objects.stat().st_ino, objects.stat().st_mtime_ns
    monkeypatch.setattr(build, "KERNEL_FILES", (*build.KERNEL_FILES, "Makefile"))
    build.modules(kernel)
    assert (objects.stat().st_ino, objects.stat().st_mtime_ns) != before


def test_a_module_that_a_guest_reads_stays_whole_while_it_is_built_anew(project: Path, kernel: Kernel) -> None:
    made = build.modules(kernel)
    installed = made.mod_root / "lib/modules" / kernel.release / "updates/dsbench/one.ko"
    read = [file.open("rb") for file in (made.ko_dir / "one.ko", installed)]
    before = [file.stat().st_ino for file in (made.ko_dir / "one.ko", installed)]
    build.modules(kernel)
    assert [file.stat().st_ino for file in (made.ko_dir / "one.ko", installed)] == before
    (project / "include/answer.h").write_text('#define ANSWER "43"\n', encoding="utf-8")
    build.modules(kernel)
    for file, now in zip(read, (made.ko_dir / "one.ko", installed)):
        with file:
            assert b"answer=42\0" in file.read() and b"answer=43\0" in now.read_bytes()
    assert sorted(file.name for file in installed.parent.iterdir()) == ["one.ko", "two.ko"]


def test_a_changed_header_is_noticed(project: Path, kernel: Kernel) -> None:
    build.modules(kernel)
    (project / "include/answer.h").write_text('#define ANSWER "43"\n', encoding="utf-8")
    assert b"answer=43\0" in (build.modules(kernel).ko_dir / "one.ko").read_bytes()


def test_a_removed_module_leaves_nothing(project: Path, kernel: Kernel) -> None:
    build.modules(kernel)
    (project / "modules/two/two.c").unlink()
    (project / "modules/two/Kbuild").write_text("", encoding="utf-8")
    made = build.modules(kernel)
    assert [file.name for file in made.ko_dir.iterdir()] == ["one.ko"]
    assert not list(made.mod_root.rglob("two.ko"))
    assert not (project / f"build/uml-{kernel.release}/src/modules/two/two.c").exists()


def test_a_compiler_error_is_shown_with_its_log(project: Path, kernel: Kernel) -> None:
    (project / "modules/one/one.c").write_text("int broken(void) { return nothing; }\n", encoding="utf-8")
    with pytest.raises(HarnessError, match=r"(?s)do not build for .*log: .*one\.c:1.*nothing.* undeclared"):
        build.modules(kernel)


def test_make_arguments_reach_make(project: Path, kernel: Kernel) -> None:
    made = build.modules(kernel, make_args=["DSBENCH_REVISION=other"])
    assert b"revision=other\0" in (made.ko_dir / "two.ko").read_bytes()


@pytest.mark.parametrize("character", [*" #$',=;(:%&*\"\\", "\n"])
def test_where_kbuild_cannot_work_objects_are_in_the_cache(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, character: str
) -> None:
    monkeypatch.setenv("DSBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(paths, "BUILD", project / f"my{character}checkout" / "build")
    folder = paths.objects()
    assert folder.parent == tmp_path / "cache/objects" and trees.working().into == folder
    assert paths.orphaned_objects() == [folder]
    paths.BUILD.mkdir(parents=True)
    assert paths.orphaned_objects() == []


def test_a_kernel_or_cache_whose_path_kbuild_refuses_is_one_sentence(
    project: Path, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(HarnessError, match="my kernel has ' ' in it, which the kernel's makefiles refuse"):
        build.modules(dataclasses.replace(kernel, kdir=project / "my kernel"))
    monkeypatch.setenv("DSBENCH_CACHE", str(project / "50%"))
    with pytest.raises(HarnessError, match="the cache folder .*50% has '%' in its path, .*: DSBENCH_CACHE names another one"):
        paths.cache()


@pytest.mark.parametrize("version", ["6.1", "6.12"])
def test_stock_kernels_take_modules_too(project: Path, version: str) -> None:
    stock = kernels.find("qemu", version)
    made = build.modules(stock)
    assert f"vermagic={stock.release} ".encode() in (made.ko_dir / "one.ko").read_bytes()
