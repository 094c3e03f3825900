# SPDX-License-Identifier: GPL-2.0
"""The compiler follows the kernel; CC and LLVM are honoured or refused; other variables of the environment change no build."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from pathlib import Path

import projects
import pytest
from dsharness import paths, proc
from dsharness.errors import HarnessError
from dsharness.kernel import build, buildroot, compilers, kernels, umlkernel
from dsharness.kernel.kernels import Kernel
from dsharness.kernel.trees import Tree

CLANG = next((name for name in ("clang", *(f"clang-{n}" for n in range(13, 25))) if shutil.which(name)), "")


def version_of(program: str) -> str:
    return proc.check([program, "-dumpversion"]).strip()


@pytest.fixture
def kernel() -> Kernel:
    return kernels.find("uml")


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in compilers.VARIABLES:
        monkeypatch.delenv(name, raising=False)


def built_by_clang(kernel: Kernel, folder: Path, version: str, *, lld: bool = False) -> Kernel:
    """The kernel with a configuration as clang of this version would have given it: kbuild then passes options that gcc refuses."""
    folder.mkdir()
    for entry in kernel.kdir.iterdir():
        (folder / entry.name).symlink_to(entry)
    (folder / "include").unlink()
    (folder / "include").mkdir()
    for entry in (kernel.kdir / "include").iterdir():
        (folder / "include" / entry.name).symlink_to(entry)
    major = version.partition(".")[0]
    changes = {
        r"CC_IS_GCC\b": "CC_IS_CLANG",
        r"GCC_VERSION([= ]).*": r"GCC_VERSION\g<1>0",
        r"CLANG_VERSION([= ]).*": rf"CLANG_VERSION\g<1>{major}0006",
        r"CC_VERSION_TEXT([= ]).*": rf'CC_VERSION_TEXT\g<1>"clang version {version}"',
        r"INIT_STACK_ALL_ZERO\b": "INIT_STACK_NONE",
        r"-Wimplicit-fallthrough=5": "-Wimplicit-fallthrough",
        **({r"LD_IS_BFD\b": "LD_IS_LLD"} if lld else {}),
    }
    for name in ("config", "generated"):
        (folder / "include" / name).unlink()
        shutil.copytree(kernel.kdir / "include" / name, folder / "include" / name)
    for name in ("config/auto.conf", "generated/autoconf.h"):
        file = folder / "include" / name
        text = file.read_text(encoding="utf-8")
        for old, new in changes.items():
            text = re.sub(rf"(?m){old}", new, text)
        file.write_text(text, encoding="utf-8")
    return dataclasses.replace(kernel, kdir=folder)


def tree_of(project: Path) -> Tree:
    return Tree("worktree", "unknown", project, project / "build")


def comment(module: Path) -> str:
    """What its compiler wrote into a module."""
    return subprocess.run(["readelf", "-p", ".comment", module], check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(not CLANG, reason="no clang on this machine")
@pytest.mark.parametrize("lld", [False, True])
def test_modules_for_a_kernel_of_clang_are_built_by_clang(kernel: Kernel, tmp_path: Path, lld: bool) -> None:
    if lld and not all(shutil.which(f"{tool}{CLANG.removeprefix('clang')}") for tool in compilers.LLVM_TOOLS):
        pytest.skip("no ld.lld or llvm-... beside clang")
    made = build.modules(built_by_clang(kernel, tmp_path / "kernel", version_of(CLANG), lld=lld), tree=tree_of(projects.make(tmp_path / "project")))
    assert "clang version" in comment(made.ko_dir / "one.ko") and "GCC" not in comment(made.ko_dir / "one.ko")
    compiler = made.kernel.compiler
    assert compiler.arguments[0].startswith("LLVM=" if lld else "CC=")


def test_without_the_kernel_s_clang_one_sentence_says_so(kernel: Kernel, tmp_path: Path) -> None:
    clang = built_by_clang(kernel, tmp_path / "kernel", "99.1.2", lld=True)
    with pytest.raises(HarnessError) as caught:
        build.modules(clang, tree=tree_of(projects.make(tmp_path / "project")))
    assert str(caught.value) == (
        f"{kernel.release} was built with clang version 99.1.2, which its modules need, too:"
        " install clang-99 lld-99 llvm-99, or name another clang by LLVM or CC"
    )


def fake_clang(folder: Path, name: str) -> str:
    """A compiler that does no more than to tell its kind, by the values of __clang__ and __GNUC__."""
    program = folder / name
    program.write_text("#!/bin/sh\necho 1 4\n", encoding="utf-8")
    program.chmod(0o755)
    return str(program)


def test_the_user_s_compiler_of_the_same_kind_is_taken(kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "gcc-12")
    assert kernel.compiler.arguments == ("CC=/usr/bin/gcc-12",)
    project = projects.make(tmp_path / "project")
    assert "GCC" in comment(build.modules(kernel, tree=tree_of(project)).ko_dir / "one.ko")
    monkeypatch.setenv("CC", f"env {shutil.which('gcc-12')} -pipe")
    assert kernel.compiler.arguments == ("CC=/usr/bin/env /usr/bin/gcc-12 -pipe",)
    clang = built_by_clang(kernel, tmp_path / "kernel", "99.1.2")
    monkeypatch.setenv("CC", fake_clang(tmp_path, "my-clang"))
    assert clang.compiler.arguments == (f"CC={tmp_path}/my-clang",)
    for tool in compilers.LLVM_TOOLS:
        fake_clang(tmp_path, tool)
    monkeypatch.delenv("CC")
    monkeypatch.setenv("LLVM", f"{tmp_path}/")
    assert clang.compiler.arguments == (f"LLVM={tmp_path}/",)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"LLVM": "1"}, "LLVM=1 stands for clang, but {release} was built with gcc (Debian 12"),
        ({"CC": "{clang}"}, "CC={clang} is clang, but {release} was built with gcc (Debian 12"),
        ({"CC": "/bin/true"}, "CC=/bin/true is no compiler, but {release} was built with gcc"),
        ({"CC": "no-such-gcc"}, "CC=no-such-gcc: there is no such compiler here"),
    ],
)
def test_the_user_s_compiler_of_another_kind_is_refused(
    kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], sentence: str
) -> None:
    clang = fake_clang(tmp_path, "my-clang")
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(clang=clang))
    with pytest.raises(HarnessError) as caught:
        build.modules(kernel, tree=tree_of(projects.make(tmp_path / "project")))
    assert str(caught.value).startswith(sentence.format(clang=clang, release=kernel.release))
    with pytest.raises(HarnessError, match="the UML kernel 6.12 was built with gcc|there is no such compiler"):
        umlkernel.tree("6.12")


def test_gcc_and_a_missing_llvm_for_a_kernel_of_clang_are_refused(kernel: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clang = built_by_clang(kernel, tmp_path / "kernel", "99.1.2")
    monkeypatch.setenv("CC", "gcc")
    with pytest.raises(HarnessError, match="CC=gcc is gcc, but .* was built with clang version 99.1.2"):
        _ = clang.compiler
    monkeypatch.delenv("CC")
    monkeypatch.setenv("LLVM", "-99")
    with pytest.raises(HarnessError, match="LLVM=-99: clang-99, ld.lld-99, .* are not here: Debian has such programs in clang-99, lld-99 and llvm-99$"):
        _ = clang.compiler
    monkeypatch.setenv("LLVM", "0")
    assert kernel.compiler.arguments == ()


def test_a_compiler_on_the_command_line_of_make_counts(tmp_path: Path) -> None:
    done = projects.ran(paths.ROOT, "make", "LLVM=1", "plots", DSBENCH_OUTPUT=str(tmp_path))
    assert done.returncode and done.stdout == ""
    assert done.stderr.startswith("dsbench: LLVM=1 stands for clang, but the UML kernel 6.12 was built with gcc"), done.stderr
    assert not (tmp_path / "results").exists() or not list((tmp_path / "results").glob("*.json"))


def test_a_build_root_has_its_own_compiler(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "gcc")
    with pytest.raises(HarnessError, match="CC=gcc: the modules of 7.3 are built in a root of its own, .*: unset CC"):
        compilers.of(kernel.kdir, "7.3", own_tools=True)


@pytest.mark.parametrize(("target", "spec"), [("qemu", "newest"), ("qemu", "rust"), ("uml", "rust"), ("uml", "rust-debug")])
def test_a_root_is_not_made_for_another_compiler(target: str, spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes minutes, and so does a kernel in it."""
    def make(*_argv: object) -> None:
        raise AssertionError("made")

    monkeypatch.setenv("LLVM", "1")
    monkeypatch.setattr(buildroot, "find", make)
    with pytest.raises(HarnessError, match="LLVM=1: the modules of the .* are built in a root of its own, .*: unset LLVM"):
        kernels.find(target, spec)


HOSTILE = {
    "ARCH": "arm64", "SUBARCH": "arm64", "SRCARCH": "arm64", "CROSS_COMPILE": "aarch64-linux-gnu-", "KBUILD_OUTPUT": "/nonexistent",
    "O": "/nonexistent", "M": "/nonexistent", "KBUILD_EXTMOD": "/nonexistent", "KCFLAGS": "-O0 -DANSWER=1", "KCPPFLAGS": "-DBROKEN",
    "CFLAGS": "-O0", "CFLAGS_MODULE": "-O0", "LDFLAGS": "--broken", "KBUILD_CFLAGS": "-broken", "HOSTCC": "/bin/false", "LD": "/bin/false",
    "MAKEFLAGS": "n", "MFLAGS": "-n", "MAKEOVERRIDES": "X=1", "GNUMAKEFLAGS": "-i", "MAKEFILES": "/dev/null", "V": "1", "W": "123", "C": "2",
    "KBUILD_VERBOSE": "1", "DSBENCH_REVISION": "other", "GCC_EXEC_PREFIX": "/nonexistent/", "COMPILER_PATH": "/nonexistent",
    "C_INCLUDE_PATH": "/nonexistent", "CPATH": "/nonexistent", "DEPENDENCIES_OUTPUT": "/nonexistent/x",
    "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.ISO-8859-9", "LANGUAGE": "de", "POSIXLY_CORRECT": "1", "CDPATH": "/", "ENV": "/nonexistent",
    "BASH_ENV": "/nonexistent", "GREP_OPTIONS": "-v", "PYTHONHOME": "/nonexistent", "PYTHONSTARTUP": "/nonexistent",
    "PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONINSPECT": "1",
}  # fmt: skip
"""What shells, makes and build systems leave in the environment, with values that would break a build or change it."""


def test_variables_of_the_environment_change_no_build(kernel: Kernel, tmp_path: Path) -> None:
    """The command itself, once with and once without them. A folder of PYTHONPATH has an argparse that must not be imported."""
    project = projects.make(tmp_path / "project")
    (tmp_path / "private").mkdir()
    (tmp_path / "private/argparse.py").write_text("raise SystemExit('the wrong argparse')\n", encoding="utf-8")
    build_it = (project / "harness/dsbench", "build", "--target", "uml")
    made = []
    for variables in ({}, {**HOSTILE, "PYTHONPATH": str(tmp_path / "private")}):
        done = projects.ran(project, *build_it, **variables)
        assert done.returncode == 0, done.stderr
        modules = Path(done.stdout.strip())
        made.append({file.name: file.read_bytes() for file in modules.iterdir()})
        shutil.rmtree(project / "build")
    assert sorted(made[0]) == ["one.ko", "two.ko"]
    assert made[0] == made[1]
