# SPDX-License-Identifier: GPL-2.0
"""Kernels of the user's: the options that name them, the private copy of their source, and the messages for what cannot be built.

test_kernels_e2e.py builds and boots real ones (make test-kernels).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from dsharness import cli, git, paths
from dsharness.errors import BISECT_BAD, BISECT_ENDS, BISECT_SKIPS, REGRESSED, BuildError, HarnessError, UsageError
from dsharness.explain import cells
from dsharness.explain.place import Place
from dsharness.explain.place import command as explain_command
from dsharness.gate import drive as gaterun
from dsharness.gate.plan import GatePlan
from dsharness.kernel import mirror, own, ownbuild, ownconfig, ownkeep, ownkin, umlkernel
from dsharness.kernel.mirror import Mirror
from dsharness.kernel.own import OwnKernel
from dsharness.targets import GuestError

FILES = {
    "Makefile": "VERSION = 6\nPATCHLEVEL = 12\n",
    "Kconfig": "",
    "Kbuild": "",
    "scripts/check.sh": "#!/bin/sh\n",
    "arch/x86/Kconfig": "",
    "arch/x86/boot/compressed/vmlinux.lds.S": "SECTIONS { }\n",
    "arch/um/Kconfig": "",
    "arch/arm/boot.c": "not for x86\n",
    "Documentation/admin-guide/index.rst": "text\n",
    "include/linux/rbtree.h": "struct rb_node;\n",
    "lib/rbtree.c": "int insert;\n",
    "lib/xarray.c": "int load;\n",
    "drivers/gpu/drm/card.c": "int card;\n",
}
MIRRORED = {name for name in FILES if not name.startswith(("arch/arm", "Documentation", "drivers/gpu"))}


def run(folder: Path, *argv: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *argv], check=True, capture_output=True, encoding="utf-8").stdout.strip()


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree outside of git."""
    folder = tmp_path / "linux"
    for name, text in FILES.items():
        write(folder, name, text)
    (folder / "scripts/check.sh").chmod(0o755)
    (folder / "include/alias.h").symlink_to("linux/rbtree.h")
    return folder


@pytest.fixture
def repository(tree: Path) -> Path:
    """A repository with three commits: the last two change lib/rbtree.c, and lib/rbtree.c and lib/maple.c."""
    run(tree, "init", "--quiet")
    for key, value in (("user.name", "t"), ("user.email", "t@t"), ("gc.auto", "0")):
        run(tree, "config", key, value)
    run(tree, "add", "-A")
    run(tree, "commit", "-qm", "first")
    run(tree, "tag", "v6.12")
    write(tree, "lib/rbtree.c", "int insert2;\n")
    run(tree, "commit", "-qam", "second")
    write(tree, "lib/rbtree.c", "int insert3;\n")
    write(tree, "lib/maple.c", "int split;\n")
    run(tree, "add", "-A")
    run(tree, "commit", "-qm", "third")
    return tree


@pytest.fixture
def copy(tmp_path: Path) -> Mirror:
    (tmp_path / "cache").mkdir()
    return Mirror(tmp_path / "cache", whole=False)


def update(copy: Mirror, kernel: OwnKernel) -> mirror.State:
    return copy.update(kernel, copy.state(kernel))


def content(copy: Mirror) -> dict[str, str]:
    return {str(file.relative_to(copy.tree)): file.read_text(encoding="utf-8") for file in copy.tree.rglob("*") if file.is_file()}


def everything(folder: Path) -> dict[str, str]:
    """Every file of a tree, .git included, by the digest of its content, its mode and its time."""
    found = {}
    for file in sorted(folder.rglob("*")):
        status = file.lstat()
        data = os.fsencode(os.readlink(file)) if file.is_symlink() else file.read_bytes() if file.is_file() else b""
        found[str(file.relative_to(folder))] = f"{hashlib.sha256(data).hexdigest()} {status.st_mode} {status.st_mtime_ns}"
    return found


def test_a_tree_outside_of_git_is_copied_without_what_no_build_reads(tree: Path, copy: Mirror) -> None:
    before = everything(tree)
    state = update(copy, OwnKernel(tree))
    assert set(content(copy)) == {*MIRRORED, "include/alias.h"} == set(state.files)
    assert os.readlink(copy.tree / "include/alias.h") == "linux/rbtree.h"
    assert os.access(copy.tree / "scripts/check.sh", os.X_OK) and not os.access(copy.tree / "lib/rbtree.c", os.X_OK)
    assert (state.described, everything(tree)) == ("", before)


def test_a_configuration_of_the_user_s_has_all_drivers(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole = Mirror(tmp_path / "whole", whole=True)
    assert "drivers/gpu/drm/card.c" in update(whole, OwnKernel(tree)).files


@pytest.mark.parametrize("in_git", [False, True])
def test_products_of_a_build_in_place_are_no_sources(tree: Path, copy: Mirror, in_git: bool) -> None:
    write(tree, ".gitignore", "/*\n!/debian/\n")  # as Debian's source has it
    if in_git:
        run(tree, "init", "--quiet")
        run(tree, "config", "user.name", "t")
        run(tree, "config", "user.email", "t@t")
        run(tree, "add", "-A", "-f")
        run(tree, "commit", "-qm", "first")
    for name in (".config", "include/config/auto.conf", "include/generated/autoconf.h", "lib/rbtree.o", "lib/.rbtree.o.cmd",
                 "scripts/basic/fixdep", "scripts/kconfig/conf", "arch/x86/include/generated/asm/a.h", "vmlinux", "Module.symvers"):  # fmt: skip
        write(tree, name, "product\n")
    write(tree, "lib/new.c", "int untracked;\n")
    before = everything(tree)
    update(copy, OwnKernel(tree))
    assert set(content(copy)) - {".gitignore"} == {*MIRRORED, "include/alias.h", "lib/new.c"}
    assert everything(tree) == before


def test_only_what_differs_gets_a_new_time(repository: Path, copy: Mirror) -> None:
    first, last = (own.of_revision(repository, name) for name in ("HEAD~2", "HEAD"))
    update(copy, first)
    times = {name: (copy.tree / name).stat().st_mtime_ns for name in content(copy)}
    time.sleep(0.02)
    update(copy, last)
    assert {name for name in content(copy) if times.get(name) != (copy.tree / name).stat().st_mtime_ns} == {"lib/rbtree.c", "lib/maple.c"}
    update(copy, first)
    assert "lib/maple.c" not in content(copy)
    assert (copy.tree / "lib/rbtree.c").stat().st_mtime_ns > times["lib/rbtree.c"], "an older content is newer than its object"


def test_a_file_that_gets_an_older_time_is_copied(repository: Path, copy: Mirror) -> None:
    update(copy, OwnKernel(repository))
    write(repository, "lib/xarray.c", "int other;\n")
    os.utime(repository / "lib/xarray.c", (1, 1))
    update(copy, OwnKernel(repository))
    assert content(copy)["lib/xarray.c"] == "int other;\n"


def test_the_state_names_the_commit_and_tells_dirty_from_clean(repository: Path, copy: Mirror) -> None:
    head = run(repository, "rev-parse", "HEAD")
    clean = copy.state(OwnKernel(repository))
    assert clean.described == f"v6.12-2-g{head[:12]}"
    assert clean.digest == copy.state(own.of_revision(repository, "HEAD")).digest, "a checkout has the content of its commit"
    os.utime(repository / "lib/rbtree.c")  # git's index is out of date, the content is not
    assert copy.state(OwnKernel(repository)).described == clean.described
    write(repository, "lib/rbtree.c", "int insert4;\n")
    assert copy.state(OwnKernel(repository)).described == f"{clean.described}-dirty"
    (repository / "lib/rbtree.c").unlink()
    assert "lib/rbtree.c" not in copy.state(OwnKernel(repository)).files


def test_the_user_s_repository_is_never_written_to(repository: Path, copy: Mirror) -> None:
    os.utime(repository / "lib/rbtree.c")
    before = everything(repository)
    for kernel in (OwnKernel(repository), own.of_revision(repository, "HEAD~1"), own.of_revision(repository, own.WORKTREE)):
        own.check(kernel, "qemu")
        update(copy, kernel)
    assert everything(repository) == before
    assert not (repository / ".git/worktrees").exists()


def test_an_interrupted_copy_is_completed(repository: Path, copy: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    update(copy, own.of_revision(repository, "HEAD~2"))
    monkeypatch.setattr(Mirror, "_put", lambda self, name, data, mode: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        update(copy, own.of_revision(repository, "HEAD"))
    monkeypatch.undo()
    update(copy, own.of_revision(repository, "HEAD"))
    assert content(copy)["lib/rbtree.c"] == "int insert3;\n"


def test_a_tree_without_git_must_not_be_built_in_place(tree: Path, copy: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_args: str, **_options: object) -> str:
        raise HarnessError("git is not installed")

    monkeypatch.setattr(git, "answer", absent)
    assert set(copy.state(OwnKernel(tree)).files) == {*MIRRORED, "include/alias.h"}
    write(tree, ".config", "")
    with pytest.raises(HarnessError, match="was built in place, and only git can tell its sources from the products: git is not installed"):
        copy.state(OwnKernel(tree))


@pytest.mark.parametrize(
    ("change", "target", "sentence"),
    [
        (None, "host", "--kernel-dir is '.*/linux': target host runs no kernel of its own, allowed are uml, qemu"),
        ("Kconfig", "qemu", "--kernel-dir .*/linux is no kernel source tree: it has no Kconfig"),
        ("Makefile", "uml", "--kernel-dir .*/linux is no kernel source tree: it has no Makefile"),
    ],
)
def test_what_is_no_kernel_tree(tree: Path, change: str | None, target: str, sentence: str) -> None:
    if change:
        (tree / change).unlink()
    with pytest.raises(HarnessError, match=f"^{sentence}$"):
        own.check(OwnKernel(tree), target)


@pytest.mark.parametrize(
    ("makefile", "sentence"),
    [
        ("VERSION = 5\nPATCHLEVEL = 19\n", "is Linux 5.19: the oldest that dsbench supports is 6.1"),
        ("all:\n", "is no kernel source tree: its Makefile names no VERSION and PATCHLEVEL"),
    ],
)
def test_a_tree_that_is_too_old(tree: Path, makefile: str, sentence: str) -> None:
    write(tree, "Makefile", makefile)
    with pytest.raises(HarnessError, match=sentence) as caught:
        own.check(OwnKernel(tree), "qemu")
    assert caught.value.exit_code == 1


def test_a_revision_that_is_too_old(repository: Path) -> None:
    write(repository, "Makefile", "VERSION = 5\nPATCHLEVEL = 4\n")
    run(repository, "commit", "-qam", "old")
    with pytest.raises(HarnessError, match="^HEAD of .*/linux is Linux 5.4: the oldest"):
        own.check(own.of_revision(repository, "HEAD"), "qemu")


EXEC = ["exec", "--target", "qemu"]


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        ([*EXEC, "--kernel-dir", "/nowhere"], 1, "--kernel-dir /nowhere: there is no such folder"),
        ([*EXEC, "--kernel-dir", ""], 2, "--kernel-dir is '': allowed is a folder"),
        ([*EXEC, "--kernel-dir", "/tmp"], 1, "--kernel-dir /tmp is no kernel source tree: it has no Makefile"),
        ([*EXEC, "--config", "defconfig"], 2, "--config is 'defconfig': it is allowed with --kernel-dir only"),
        ([*EXEC, "--bzimage", "/boot/vmlinuz"], 2, "--bzimage is '/boot/vmlinuz': it is allowed with --kernel-dir only"),
        ([*EXEC, "--kernel", "6.1", "--kernel-dir", "/tmp"], 2, "2 kernels are named, 6.1 and /tmp: this command takes one"),
        ([*EXEC, "--kernel-dir", "/tmp", "--bzimage", "/b", "--config", "c"], 2, "--config is '/.*/c': a kernel that is built already"),
        ([*EXEC, "--kernel-dir", "/tmp", "--bzimage", "/nowhere"], 1, "--bzimage /nowhere: there is no such file"),
        ([*EXEC, "--kernel-dir", "/tmp", "--bzimage", "/etc/passwd"], 1, "--kernel-dir /tmp has no Makefile: with --bzimage it must be"),
        (["exec", "--kernel-dir", "TREE", "--config", "defconfig"], 2, "--config is 'defconfig': it is for target qemu"),
        (["kunit", "--kernel-dir", "/tmp"], 1, "--kernel-dir /tmp is no kernel source tree: it has no Makefile"),
        ([*EXEC, "--kernel-dir", "TREE", "--config", "/nowhere"], 1, "--config /nowhere: there is no such file, allowed are defconfig"),
        (["ab", "--kernel-git", "TREE", "HEAD~1", "HEAD", "--kernel", "6.1"], 2, "--kernel-git names two kernels and 6.1 is named, too"),
        (["ab", "--kernel-git", "TREE", "HEAD~1", "nothing"], 2, "revision 'nothing' is unknown: allowed is what git rev-parse knows in"),
        (["ab", "--kernel-git", "/", "HEAD~1", "HEAD"], 1, "--kernel-git / is no git repository"),
        (["ab", "--kernel-git", "/nowhere", "HEAD~1", "HEAD"], 1, "--kernel-git /nowhere: there is no such folder"),
        (["sweep", "--target", "qemu", "--kernel-git", "TREE", "HEAD"], 2, "--kernel-git has the range 'HEAD': allowed is A..B"),
        (["sweep", "--target", "qemu", "--kernel-git", "TREE", "HEAD..HEAD"], 2, "no commit of HEAD comes after HEAD"),
        (["sweep", "--steps", "3"], 2, "--steps is 3: it is allowed with --kernel-git only"),
        (["sweep", "--target", "qemu", "--kernel", "6.1", "--kernel", "6.12", "--explain"], 2, "--explain has no use with several kernels"),
        (["gate", "--kernel-dir", "TREE"], BISECT_ENDS, "--baseline is None: --kernel-dir needs a file of its own, such as good.json"),
        (["gate", "--kernel-dir", "/tmp", "--baseline", "a.json"], BISECT_ENDS, "--kernel-dir /tmp is no kernel source tree"),
        (["gate", "--kernel-dir", "TREE", "--baseline", "a.json", "--cell", "mapel/fill"], BISECT_ENDS, "cell 'mapel/fill' is unknown"),
        (["gate", "--cell", "maple/fill", "--filter", "x"], 2, "--filter 'x' has no use with --cell, which names the cells"),
    ],
)
def test_bad_input_is_one_sentence(
    repository: Path, capfd: pytest.CaptureFixture[str], words: list[str], status: int, sentence: str
) -> None:
    words = [str(repository) if word == "TREE" else word for word in words]
    assert cli.main([*words, *(["--", "true"] if words[0] == "exec" else [])]) == status
    complaint = capfd.readouterr().err
    assert len(complaint.splitlines()) == 1
    assert complaint.startswith("dsbench: ")
    assert re.search(sentence, complaint), complaint


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (b"6.12.0 (me@here) #1 SMP\0", ""),
        (b"6.1.0-56-amd64 (me@here) #1 SMP\0", "--bzimage .*/bzImage is Linux 6.1.0-56-amd64, and --kernel-dir .*/built is 6.12.0: modules of one"),
        (b"", "--bzimage .*/bzImage is no bzImage of Linux for x86"),
    ],
)
def test_a_bzimage_must_be_that_of_the_folder(tmp_path: Path, header: bytes, sentence: str) -> None:
    for name in own.BUILT:
        write(tmp_path / "built", name, '#define UTS_RELEASE "6.12.0"\n')
    image = tmp_path / "bzImage"
    image.write_bytes(b"\0" * 0x202 + b"HdrS" + b"\0" * 8 + (0x300).to_bytes(2, "little") + b"\0" * 0x2F0 + header if header else b"MZ")
    kernel = OwnKernel(tmp_path / "built", image=image)
    if not sentence:
        own.check(kernel, "qemu")
        return
    with pytest.raises(HarnessError, match=f"^{sentence}") as caught:
        own.check(kernel, "qemu")
    assert caught.value.exit_code == 1


def test_a_compiler_that_is_missing(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "gcc-99")
    with pytest.raises(HarnessError, match="^CC=gcc-99: there is no such compiler here$"):
        ownbuild.config_id(OwnKernel(tree), "qemu")
    monkeypatch.setenv("CC", "true")
    with pytest.raises(HarnessError, match="^CC=true is no compiler$"):
        ownbuild.config_id(OwnKernel(tree), "qemu")


def test_the_configuration_decides_the_build(tree: Path, tmp_path: Path) -> None:
    fragment, whole = tmp_path / "fragment", tmp_path / "config"
    fragment.write_text("CONFIG_SLUB_DEBUG=y\n# CONFIG_NUMA is not set\n", encoding="utf-8")
    whole.write_text("#\n# Automatically generated file; DO NOT EDIT.\nCONFIG_SMP=y\n", encoding="utf-8")
    recipes = [
        ownconfig.recipe(OwnKernel(tree, words), "qemu")
        for words in ((), (str(fragment),), ("defconfig",), ("defconfig", str(fragment)), (str(whole),))
    ]
    assert len({recipe.digest for recipe in recipes}) == 5
    assert recipes[1].lines[-2:] == ("CONFIG_SLUB_DEBUG=y", "# CONFIG_NUMA is not set"), "a fragment of the user's counts last"
    assert (recipes[2].base, recipes[4].base) == ("defconfig", whole.read_text(encoding="utf-8"))
    assert "CONFIG_SERIAL_8250_CONSOLE=y" in recipes[4].lines, "a guest needs a console"


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ("  CC      lib/rbtree.o\n../lib/rbtree.c:5:1: error: expected ';'\nmake[2]: *** [x] Error 1\n", "/home/me/linux/lib/rbtree.c:5:1: error: expected ';'"),
        ("ld: lib/built-in.a: in function `f':\nrbtree.c:(.text+0x1): undefined reference to `g'\n", "rbtree.c:(.text+0x1): undefined reference to `g'"),
        ("CACHE/lib/xarray.c:1: fatal error: x.h: No such file or directory\n", "/home/me/linux/lib/xarray.c:1: fatal error: x.h: No such file or directory"),
        ("  CC      a.o\nmake: *** [x] Error 1\n", ""),
        (
            "***\n*** C compiler is too old.\n***   Your Clang version:    14.0.6\n***   Minimum Clang version: 17.0.1\n***\n"
            "scripts/Kconfig.include:45: Sorry, this C compiler is not supported.\nmake[3]: *** [Makefile:85: allnoconfig] Error 1\n",
            "C compiler is too old, Your Clang version: 14.0.6, Minimum Clang version: 17.0.1",
        ),
    ],
)
def test_the_first_error_of_the_compiler_names_the_user_s_file(tmp_path: Path, lines: str, error: str) -> None:
    log = tmp_path / "log"
    log.write_text(lines.replace("CACHE", str(tmp_path / "tree")), encoding="utf-8")
    assert ownbuild._first_error(log, tmp_path / "tree/qemu-1", Path("/home/me/linux")) == error


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (0, 0),
        (REGRESSED, BISECT_BAD),
        (BuildError("it does not build"), BISECT_SKIPS),
        (GuestError("the guest crashed", 5), BISECT_SKIPS),
        (HarnessError("the disk is full"), BISECT_ENDS),
        (HarnessError("the baseline is of another compiler", 4), BISECT_ENDS),
    ],
)
def test_the_gate_judges_commits_for_git_bisect(monkeypatch: pytest.MonkeyPatch, outcome: int | HarnessError, status: int) -> None:
    def check(plan: GatePlan) -> int:
        if isinstance(outcome, HarnessError):
            raise outcome
        return outcome

    monkeypatch.setattr(gaterun, "check", check)
    plan = GatePlan(OwnKernel(Path("/linux")), "good.json", 0.01, update=False, timeout="60")
    if isinstance(outcome, HarnessError):
        with pytest.raises(HarnessError, match=str(outcome)) as caught:
            gaterun.run(plan)
        assert caught.value.exit_code == status
    else:
        assert gaterun.run(plan) == status


def test_a_cell_that_the_baseline_lacks_is_named_before_anything_is_built(tree: Path) -> None:
    known = next(paths.REFERENCE.glob("gate-*.json"))
    plan = GatePlan(OwnKernel(tree), str(known), 0.01, update=False, timeout="60", only=tuple(cells.find(["maple/find/77"], ["maple"])))
    with pytest.raises(HarnessError, match="^the baseline has no cell maple/find/77, it has .*: dsbench gate --update makes one with it$") as caught:
        gaterun.run(plan)
    assert caught.value.exit_code == BISECT_ENDS


def test_a_series_has_the_ends_and_commits_at_equal_distances(repository: Path) -> None:
    for number in range(8):
        write(repository, "lib/rbtree.c", f"int number{number};\n")
        run(repository, "commit", "-qam", f"commit {number}")
    found = own.series(repository, "v6.12..HEAD", 6)
    subjects = [run(repository, "log", "-1", "--format=%s", str(kernel.commit)) for kernel in found]
    assert subjects == ["first", "third", "commit 1", "commit 3", "commit 5", "commit 7"]
    assert (found[0].name, found[-1].name) == ("v6.12", "HEAD")
    assert len(own.series(repository, "HEAD~1..HEAD", 6)) == 2


def test_a_command_that_explains_names_the_trees() -> None:
    before, after = Place(OwnKernel(Path("/a/linux"), ("defconfig",))), Place(OwnKernel(Path("/b/linux"), ("defconfig",)))
    assert explain_command("maple/erase/1000", before, after) == (
        "harness/dsbench explain maple/erase/1000 --kernel-dir /b/linux --config defconfig --against /a/linux"
    )


def test_a_tree_in_a_folder_that_is_gone_is_unused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DSBENCH_CACHE", str(tmp_path / "cache"))
    for name, origin in (("here", tmp_path), ("gone", tmp_path / "gone")):
        write(tmp_path / "cache" / ownbuild.SHELF / name, "origin", f"{origin}\n")
    assert [folder.name for folder in ownbuild.unused()] == ["gone"]
    shutil.rmtree(tmp_path / "cache")
    assert ownbuild.unused() == []


def test_an_unknown_revision_is_named(repository: Path) -> None:
    with pytest.raises(UsageError, match="^revision 'v9.9' is unknown: allowed is what git rev-parse knows in .*, or worktree$"):
        own.of_revision(repository, "v9.9")


@pytest.fixture
def built(tree: Path, copy: Mirror) -> tuple[Path, Path, mirror.State]:
    """The copy of a tree, and the products of a build of it."""
    state = update(copy, OwnKernel(tree))
    objects = copy.tree / "qemu-1"
    for name in ("include/generated/autoconf.h", "include/generated/compile.h", "include/config/auto.conf", "arch/x86/include/generated/asm/a.h",
                 "arch/x86/boot/zoffset.h", "scripts/mod/modpost", "scripts/mod/empty.o", "scripts/mod/.empty.o.cmd", "lib/rbtree.o", "Module.symvers",
                 ".config", "vmlinux"):  # fmt: skip
        write(objects, name, name)
    return copy.tree.parent, objects, state


def test_modules_need_headers_and_scripts_and_no_objects(built: tuple[Path, Path, mirror.State]) -> None:
    folder, objects, state = built
    kept = folder / ownkeep.headers(folder, objects, state)
    assert {str(file.relative_to(kept / "build")) for file in (kept / "build").rglob("*") if file.is_file() and "source" not in file.parts} == {
        "include/generated/autoconf.h", "include/generated/compile.h", "include/config/auto.conf", "arch/x86/include/generated/asm/a.h",
        "scripts/mod/modpost", "scripts/mod/empty.o", "Module.symvers", ".config", "Makefile",
    }  # fmt: skip
    assert (kept / "build/Makefile").read_text(encoding="utf-8") == f"include {kept}/Makefile\n"
    assert (kept / "include/linux/rbtree.h").stat().st_ino == (folder / "tree/include/linux/rbtree.h").stat().st_ino, "no second copy"


def test_newer_kernels_are_told_where_their_products_are(built: tuple[Path, Path, mirror.State]) -> None:
    folder, objects, state = built
    write(objects, "Makefile", "# by kbuild\nexport KBUILD_OUTPUT = /objects\ninclude /source/Makefile\n")
    kept = folder / ownkeep.headers(folder, objects, state)
    assert (kept / "build/Makefile").read_text(encoding="utf-8") == f"export KBUILD_OUTPUT = {kept}/build\ninclude {kept}/Makefile\n"


@pytest.mark.parametrize(
    ("name", "same"),
    [("lib/rbtree.o", True), ("vmlinux", True), ("arch/x86/boot/zoffset.h", True), ("include/generated/compile.h", True),
     ("include/generated/autoconf.h", False), ("Module.symvers", False), ("scripts/mod/modpost", False)],
)  # fmt: skip
def test_two_states_share_modules_while_their_headers_agree(built: tuple[Path, Path, mirror.State], name: str, same: bool) -> None:
    folder, objects, state = built
    before = ownkeep.headers(folder, objects, state)
    write(objects, name, "another content")
    assert (ownkeep.headers(folder, objects, state) == before) is same


def test_a_header_of_the_source_counts_and_a_c_file_does_not(built: tuple[Path, Path, mirror.State], tree: Path, copy: Mirror) -> None:
    folder, objects, state = built
    before = ownkeep.headers(folder, objects, state)
    write(tree, "lib/rbtree.c", "int other;\n")
    assert ownkeep.headers(folder, objects, update(copy, OwnKernel(tree))) == before
    write(tree, "include/linux/rbtree.h", "struct other;\n")
    after = ownkeep.headers(folder, objects, update(copy, OwnKernel(tree)))
    assert after != before
    assert (folder / before / "include/linux/rbtree.h").read_text(encoding="utf-8") == "struct rb_node;\n", "an older kernel keeps its headers"


def test_two_trees_with_the_same_headers_have_modules_of_their_own(tree: Path, tmp_path: Path) -> None:
    """kbuild names a kernel's headers by their paths, so each tree would rebuild the modules of the other."""
    recipe = ownconfig.recipe(OwnKernel(tree), "qemu")
    state = mirror.State({}, {}, "v6.12")
    ids = []
    for name in ("one", "other"):
        write(tmp_path / name, "kdir-0123/build/include/config/kernel.release", "6.12.0\n")
        write(tmp_path / name, "kdir-0123/build/.config", "CONFIG_SMP=y\n")
        write(tmp_path / name, "image-4567/boot/vmlinuz-6.12.0", "")
        ids.append(ownbuild._built(OwnKernel(tree), recipe, tmp_path / name, state, "kdir-0123", "image-4567").id)
    assert ids == ["own-one-0123", "own-other-0123"]


SOURCE = mirror.State({f"lib/{name}.c": name for name in ("rbtree", "xarray", "maple_tree", *"abcdefgh")}, {}, "v6.12")


@pytest.fixture
def donor(tree: Path, tmp_path: Path) -> Path:
    """Another tree in the cache, with the objects of dsbench's own configuration."""
    recipe = ownconfig.recipe(OwnKernel(tree), "qemu")
    other = tmp_path / "own/other"
    write(other, "index.json", json.dumps(SOURCE.files))
    write(other, "tree/lib/rbtree.c", "int insert;\n")
    for name in ("qemu-1/vmlinux", "qemu-1/lib/rbtree.o", "uml-1/linux", f"uml-1/{ownkin.KIN}", "uml-2/linux"):
        write(other, f"tree/{name}", name)
    for name, text in ((ownkin.KIN, recipe.kin), (ownconfig.CONFIGURED, "of these options"), (ownconfig.OPTIONS, "\n".join(recipe.lines))):
        write(other / "tree/qemu-1", name, text)
    write(other, "tree/qemu-1/tools/objtool/.check.o.cmd", f"gcc -o {other}/tree/qemu-1/tools/objtool/check.o {other}/tree/tools/objtool/check.c\n")
    os.utime(other / "tree/lib/rbtree.c", ns=(1, 1))
    os.utime(other / "tree/qemu-1/tools/objtool/.check.o.cmd", ns=(2, 2))
    (tmp_path / "own/new").mkdir()
    return other


MARKS = {ownkin.KIN, ownconfig.CONFIGURED}


def names(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("objects", ["qemu-1", "qemu-2"])
def test_a_new_tree_begins_with_the_objects_of_another_one(donor: Path, tree: Path, tmp_path: Path, objects: str) -> None:
    """Of the same configuration, or of a similar one, which is then configured anew. Those of the other target come along."""
    folder = tmp_path / "own/new"
    fragment = tmp_path / "fragment"
    fragment.write_text("CONFIG_SLUB_STATS=y\n", encoding="utf-8")
    ownkin.begin_tree(folder, objects, ownconfig.recipe(OwnKernel(tree, (str(fragment),)), "qemu"), SOURCE)
    tools = folder / "tree" / objects / "tools/objtool/.check.o.cmd"
    assert names(folder) == {"index.json", "tree/lib/rbtree.c", "tree/uml-1/linux", f"tree/uml-1/{ownkin.KIN}"} | {
        f"tree/{objects}/{name}" for name in names(donor / "tree/qemu-1") if objects == "qemu-1" or name not in MARKS
    }
    assert tools.read_text(encoding="utf-8") == f"gcc -o {folder}/tree/{objects}/tools/objtool/check.o {folder}/tree/tools/objtool/check.c\n"
    assert [file.stat().st_mtime_ns for file in (folder / "tree/lib/rbtree.c", tools)] == [1, 2], "make sees nothing new"


@pytest.mark.parametrize(("target", "config", "kin"), [("uml", "", "as it is"), ("qemu", "defconfig", "as it is"), ("qemu", "", "another compiler")])
def test_a_build_of_another_kind_begins_with_nothing(donor: Path, tree: Path, tmp_path: Path, target: str, config: str, kin: str) -> None:
    if kin != "as it is":
        write(donor / "tree/qemu-1", ownkin.KIN, kin)
    recipe = ownconfig.recipe(OwnKernel(tree, (config,) if config else ()), target)
    ownkin.begin_tree(tmp_path / "own/new", f"{target}-3", recipe, SOURCE)
    assert not list((tmp_path / "own/new").iterdir())
    ownkin.begin_objects(donor / f"tree/{target}-3", recipe)
    assert not list((donor / f"tree/{target}-3").iterdir())


@pytest.mark.parametrize(("differ", "begins"), [(("rbtree",), True), (("rbtree", "xarray"), False)])
def test_a_tree_of_another_version_is_no_help(donor: Path, tree: Path, tmp_path: Path, differ: tuple[str, ...], begins: bool) -> None:
    changed = {**SOURCE.files, **{f"lib/{name}.c": "another content" for name in differ}, "lib/new.c": "of the new tree alone"}
    ownkin.begin_tree(tmp_path / "own/new", "qemu-1", ownconfig.recipe(OwnKernel(tree), "qemu"), mirror.State(changed, {}, ""))
    assert (tmp_path / "own/new/tree/qemu-1/vmlinux").exists() is begins


def test_a_tree_begins_with_the_most_similar_one(donor: Path, tree: Path, tmp_path: Path) -> None:
    shutil.copytree(donor, nearer := donor.with_name("nearer"))
    write(donor, "index.json", json.dumps({**SOURCE.files, "lib/rbtree.c": "another content"}))
    write(nearer, "tree/qemu-1/nearer.o", "")
    ownkin.begin_tree(tmp_path / "own/new", "qemu-1", ownconfig.recipe(OwnKernel(tree), "qemu"), SOURCE)
    assert (tmp_path / "own/new/tree/qemu-1/nearer.o").exists()


def test_another_configuration_of_a_tree_begins_with_the_objects_of_the_nearest_one(donor: Path, tree: Path, tmp_path: Path) -> None:
    fragment = tmp_path / "fragment"
    fragment.write_text("CONFIG_SLUB_STATS=y\n", encoding="utf-8")
    shutil.copytree(donor / "tree/qemu-1", donor / "tree/qemu-2")
    write(donor, f"tree/qemu-2/{ownconfig.OPTIONS}", "CONFIG_FAR=y\n")
    write(donor, "tree/qemu-2/far.o", "")
    recipe = ownconfig.recipe(OwnKernel(tree, (str(fragment),)), "qemu")
    interrupted = donor / f"tree/qemu-4{ownkin.PART}"
    shutil.copytree(donor / "tree/qemu-1", interrupted)
    write(interrupted, ownconfig.OPTIONS, "\n".join(recipe.lines))
    write(interrupted, "half.o", "")
    objects = donor / "tree/qemu-3"
    ownkin.begin_objects(objects, recipe)
    assert names(objects) == names(donor / "tree/qemu-1") - MARKS
    write(objects, "mine.o", "")
    ownkin.begin_objects(objects, ownconfig.recipe(OwnKernel(tree), "qemu"))
    assert "mine.o" in names(objects), "what is there stays"


def test_cc_may_name_the_compiler_that_is_used_anyway(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = ownbuild.config_id(OwnKernel(tree), "qemu")
    monkeypatch.setenv("CC", os.path.basename(os.path.realpath(str(shutil.which("gcc", path="/usr/bin")))))
    assert ownbuild.config_id(OwnKernel(tree), "qemu") == plain
    monkeypatch.setenv("CC", f"{os.environ['CC']} -g")
    assert ownbuild.config_id(OwnKernel(tree), "qemu") != plain


@pytest.mark.parametrize(("version", "subarch"), [("gcc (Debian 12.2.0-14) 12.2.0", "x86_64"), ("Debian clang version 14.0.6", "x86")])
def test_clang_builds_uml_for_the_name_that_it_knows(tree: Path, version: str, subarch: str) -> None:
    recipe = dataclasses.replace(ownconfig.recipe(OwnKernel(tree), "uml"), version=version)
    assert [word for word in recipe.make if word.startswith("SUBARCH")] == [f"SUBARCH={subarch}"]


def test_options_of_new_kernels_leave_the_kernels_in_the_cache_alone(tree: Path) -> None:
    lines = ownconfig.recipe(OwnKernel(tree), "uml").lines
    assert "CONFIG_SYSCTL=y" in lines and lines[: len(lines) - 2] == tuple(ownconfig._lines(umlkernel.FRAGMENT.read_text(encoding="utf-8")))
    assert "CONFIG_SYSCTL=y" not in umlkernel.options_of(umlkernel.FRAGMENT)
