# SPDX-License-Identifier: GPL-2.0
"""UML's debug kernel with Rust: built on request in the build root for Rust, of the source of its stock kernel, and kept in that root.

KASAN instruments C and Rust alike only if clang compiles the C: the clang of the root, which shares its LLVM with rustc.
"""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
from pathlib import Path

from .. import locks, paths, proc, ui
from ..errors import HarnessError
from . import archive, buildroot, rustroot, shelf, umlkernel
from .buildroot import BuildRoot

CALLED = "UML debug kernel with Rust"
FRAGMENT = paths.HARNESS / "kernel" / "uml-rust-debug.config"
MAKE = (*umlkernel.MAKE_CLANG, "CC=clang")
KEPT = (*umlkernel.KEPT, "rust")

SOURCES = Path("/usr/src")
NAME = "linux-uml-rust-debug"
"""Folder of the root for kernel trees, as seen from inside, and the name of this one, in front of its release and its recipe."""

MINUTES = 25
"""Time of the build on two quiet cores."""
BUILD_BYTES = 4 << 30
"""Size of the source with its objects, in bytes, before it is pruned."""
BUILD_STEPS = 1450
"""Steps of the build of 7.3, for the progress display alone."""


_LBSS = re.compile(r" \.lbss +NOBITS +([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+) ")


def find() -> tuple[BuildRoot, Path]:
    """Return the root and the kernel tree in it, as seen from inside, built if necessary. HarnessError if it cannot be built."""
    root = rustroot.find()
    folder = _folder(root)
    with locks.held(shelf.lock(folder), f"it builds the {CALLED}"):
        if not is_built(root):
            shutil.rmtree(folder, ignore_errors=True)
            _make(root, folder)
    return root, SOURCES / folder.name


def is_built(root: BuildRoot) -> bool:
    """Return whether find() has nothing to build in this root."""
    return all((_folder(root) / proof).exists() for proof in umlkernel.PROOFS)


def unused() -> list[Path]:
    """Return the kernel trees in the cache's roots that find() does not use any more."""
    folders = [folder for root in rustroot.built() for folder in _sources(root).glob(f"{NAME}-*_*") if folder.is_dir()]
    return [folder for folder in folders if not folder.name.removesuffix(shelf.PART).endswith(f"_{recipe()}")]


def large_bss(image: Path) -> tuple[int, int]:
    """Return address and size in bytes of a kernel's .lbss, (0, 0) if it has none.

    clang puts the variables that begin as zero there, in the large code model, and kmemleak scans .bss alone.
    """
    match = _LBSS.search(proc.check(["readelf", "--section-headers", "--wide", image]))
    return (int(match[1], 16), int(match[2], 16)) if match else (0, 0)


def recipe() -> str:
    """Return a name of what decides the build besides the root."""
    return hashlib.sha256("\0".join((*_options(), *MAKE, *KEPT)).encode()).hexdigest()[:10]


def _options() -> list[str]:
    """Return the lines of the configuration."""
    return umlkernel.options_of(umlkernel.FRAGMENT, umlkernel.DEBUG_FRAGMENT, FRAGMENT)


def _folder(root: BuildRoot) -> Path:
    """Return the kernel tree in a root as this process sees it."""
    return _sources(root.path) / f"{NAME}-{root.release}_{recipe()}"


def _sources(root: Path) -> Path:
    """Return the root's folder for kernel trees as this process sees it."""
    return root / SOURCES.relative_to("/")


def _make(root: BuildRoot, folder: Path) -> None:
    """Unpack, configure, build and prune beside `folder`. The next call resumes an interrupted build there."""
    work = paths.make_folder(folder.with_name(f"{folder.name}{shelf.PART}"), "build")
    log = paths.logs() / f"{NAME}.log"
    log.unlink(missing_ok=True)
    fresh = not (work / umlkernel.UNPACKED).exists()
    if fresh:
        archive.require_space(work, BUILD_BYTES)
    ui.say(f"the {CALLED} is built once: about {MINUTES} minutes on two quiet cores, and meanwhile {BUILD_BYTES >> 30} GiB of the cache")
    if fresh:
        rustroot.unpack(root, work)
        (work / umlkernel.UNPACKED).touch()
    site = umlkernel.Site(work, log, MAKE, functools.partial(root.command, output=work))
    umlkernel.configure(site, _options())
    _require_rust(work)
    umlkernel.compile_all(site, BUILD_STEPS)
    with ui.step("removing what is no longer needed"):
        umlkernel.prune(work, KEPT)
    work.rename(folder)
    ui.say(f"the {CALLED} is in {folder} (make clean leaves it there)")


def _require_rust(work: Path) -> None:
    config = work / ".config"
    if not re.search(r"^CONFIG_RUST=y$", config.read_text(encoding="utf-8"), re.MULTILINE):
        raise HarnessError(f"the {CALLED} cannot have CONFIG_RUST with the rustc and bindgen of {buildroot.SUITE}: {config} shows what it lacks")
