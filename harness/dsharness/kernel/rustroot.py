# SPDX-License-Identifier: GPL-2.0
"""The build root for Rust: rustc, bindgen and clang beside the newest stock kernel, and a kernel tree that modules in Rust can use.

Debian's headers lack the kernel crate's compiled form. It is made here of linux-source with the kernel's own configuration, and only
what modules need of it stays, in a copy of the folder of headers.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from .. import paths, proc, ui
from ..errors import HarnessError
from . import buildroot, linuxsource
from .buildroot import BuildRoot

PACKAGES = (
    "make", "kmod", "sparse",
    "rustc", "rust-src", "rustfmt", "rust-clippy", "bindgen", "libclang-dev", "clang",
    "flex", "bison", "bc", "libelf-dev", "libssl-dev", "cpio", "xz-utils", "python3", "patch", "diffutils", "pahole",
)  # fmt: skip
UNWANTED = (*buildroot.UNWANTED, "/usr/lib/llvm-*/lib/*.a")
UNUSED = ("usr/src/rustc-*/compiler", "usr/src/rustc-*/src")
"""Folders of rust-src that the kernel does not build."""

MINUTES = 5
"""Time that making the root takes on two quiet cores."""
SIZE = 7 << 30
"""Bytes that the root takes while it is made: itself, its archive, the kernel's source and its objects."""
FINISHED_GIB = 2

PREPARE_STEPS = 260
"""Steps of modules_prepare of 7.3, for the progress display alone."""

TREE = "linux-rust"
"""Folder in the root's /usr/src of the kernel tree, in front of its release."""

TOOLS: Mapping[str, str] = {"rustc": "CONFIG_RUSTC_VERSION_TEXT", "bindgen": "CONFIG_BINDGEN_VERSION_TEXT"}
"""The option of the kernel's configuration with the version of each tool that built it."""


def find() -> BuildRoot:
    """Return the build root for Rust, made if necessary. HarnessError if it cannot be made, or the kernel has no Rust."""
    return buildroot.find(KIND)


def built() -> list[Path]:
    """Return the finished roots in the cache."""
    return buildroot.built(KIND)


def unused() -> list[Path]:
    """Return the roots in the cache that find() does not use any more."""
    return buildroot.unused(KIND)


def kdir(root: BuildRoot) -> Path:
    """Return the folder for make -C kdir M=…, as seen from inside."""
    return Path("/usr/src") / f"{TREE}-{root.release}"


def unpack(root: BuildRoot, folder: Path) -> None:
    """Unpack the source of the root's kernel. HarnessError if that fails."""
    archive = next((root.path / "usr/src").glob("linux-source-*.tar.xz"), None)
    if not archive:
        raise HarnessError(f"{root.path} lacks the kernel's source: remove this folder, and dsbench makes the root anew")
    with archive.open("rb") as stream:
        linuxsource.unpack(archive.name.removesuffix(".tar.xz"), stream, folder)


def _finish(root: BuildRoot, work: Path) -> None:
    """Make the kernel tree in the root."""
    _require_tools(root)
    for pattern in UNUSED:
        for folder in root.path.glob(pattern):
            shutil.rmtree(folder)
    source = paths.make_folder(work / "tree", "kernel tree")
    unpack(root, source)
    _prepare(root, source)
    _slim(root, source, root.path / kdir(root).relative_to("/"))


def _require_tools(root: BuildRoot) -> None:
    """HarnessError if the kernel has no Rust, or if the root's rustc and bindgen are not those that built it."""
    config = (root.headers / ".config").read_text(encoding="utf-8")
    if not re.search(r"^CONFIG_RUST=y$", config, re.MULTILINE):
        raise HarnessError(f"Linux {root.release} is built without CONFIG_RUST: modules in Rust need a kernel that has it, and nothing else of dsbench does")
    for tool, option in TOOLS.items():
        match = re.search(rf'^{option}="(.*)"$', config, re.MULTILINE)
        wanted = match[1] if match else "unknown"
        found = proc.check(root.command([tool, "--version"])).strip()
        if found != wanted:
            raise HarnessError(
                f"Linux {root.release} was built with {wanted}, and {buildroot.SUITE} has {found}:"
                " modules in Rust need the kernel's own; wait until the suite has it"
            )


def _prepare(root: BuildRoot, source: Path) -> None:
    """Build the kernel crate and the tools of the source. HarnessError with the first error."""
    shutil.copyfile(root.headers / ".config", source / ".config")
    log = paths.logs() / f"{SHELF}-tree.log"
    log.unlink(missing_ok=True)
    make = ["make", "-C", str(source), f"KERNELRELEASE={root.release}", f"-j{os.cpu_count() or 1}"]
    with ui.Progress(f"building the kernel crate of {root.release}", PREPARE_STEPS, "steps") as progress:
        for goal in ("olddefconfig", "modules_prepare"):
            argv = root.command([*make, goal], source)
            result = proc.stream(argv, env=proc.build_environment(), log=log, on_line=linuxsource.counter(progress))
            if result.status:
                problem = next((line for line in result.tail if "error" in line.lower()), result.last)
                raise HarnessError(f"the kernel crate does not build: {problem} (log: {log})")


def _slim(root: BuildRoot, source: Path, tree: Path) -> None:
    """Make `tree` of the folder of headers and of what it lacks from `source`."""
    shutil.copytree(root.headers, tree, symlinks=True)
    _edit(tree / "Makefile", str(root.kdir), str(kdir(root)))
    _real_folder(tree / "scripts", root.path)
    _copy([source / "scripts/target.json"], tree / "scripts")
    rust = paths.make_folder(tree / "rust", "kernel crate")
    _copy([*source.glob("rust/*.rmeta"), *source.glob("rust/*.so"), source / "rust/Makefile"], rust)


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    file.unlink()
    file.write_text(text.replace(old, new), encoding="utf-8")


def _real_folder(link: Path, root: Path) -> None:
    """Replace a link to a folder by a folder of links to its content."""
    if not link.is_symlink():
        return
    target = link.readlink()
    inside = Path("/") / os.path.normpath(Path("/") / link.parent.relative_to(root) / target)
    link.unlink()
    link.mkdir()
    for entry in (root / inside.relative_to("/")).iterdir():
        (link / entry.name).symlink_to(inside / entry.name)


def _copy(files: Sequence[Path], folder: Path) -> None:
    for file in files:
        if not file.exists():
            raise HarnessError(f"the kernel's source made no {file.name}: modules in Rust cannot be built")
        shutil.copy2(file, folder / file.name)


SHELF = "rustroot"
KIND = buildroot.Kind(
    "build root for Rust", SHELF, PACKAGES, (*buildroot.KERNEL_PACKAGES, "linux-base"), ("linux-source",), UNWANTED, SIZE,
    finish=_finish, finish_recipe=("2",),
    announce=f"Rust needs a root of its own, made once: about {MINUTES} minutes on two quiet cores, and {FINISHED_GIB} GiB of the cache",
)  # fmt: skip
