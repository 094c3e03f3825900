# SPDX-License-Identifier: GPL-2.0
"""UML's kernels with Rust: built on request in the build root for Rust, of the source of its stock kernel, and kept in that root.

The plain one counts cycles; gcc builds it, as the stock kernel. The debug kernel is built by the clang that shares its LLVM with rustc,
since KASAN instruments C and Rust alike only then.
"""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from .. import locks, paths, proc, ui
from ..errors import HarnessError
from . import archive, buildroot, rustroot, shelf, umlkernel
from .buildroot import BuildRoot

FRAGMENT = paths.HARNESS / "kernel" / "uml-rust.config"
DEBUG_FRAGMENT = paths.HARNESS / "kernel" / "uml-rust-debug.config"
MAKE = umlkernel.MAKE_CLANG
KEPT = (*umlkernel.KEPT, "rust")

SOURCES = Path("/usr/src")
"""Folder of the root for kernel trees, as seen from inside."""
BUILD_BYTES = 4 << 30
"""Size of the source with its objects, in bytes, before it is pruned."""

_LBSS = re.compile(r" \.lbss +NOBITS +([0-9a-f]+) [0-9a-f]+ ([0-9a-f]+) ")


@dataclass(frozen=True)
class Flavour:
    """One of the kernels."""

    name: str
    """Of its folder, in front of the release and the recipe."""
    called: str
    fragments: tuple[Path, ...]
    make: tuple[str, ...]
    minutes: int
    """Time of the build on two quiet cores."""
    steps: int
    """Steps of the build of 7.3, for the progress display alone."""

    @property
    def options(self) -> list[str]:
        """The lines of its configuration."""
        return umlkernel.options_of(*self.fragments)

    @property
    def recipe(self) -> str:
        """A name of what decides the build besides the root."""
        return hashlib.sha256("\0".join((*self.options, *self.make, *KEPT)).encode()).hexdigest()[:10]


PLAIN = Flavour("linux-uml-rust", "UML kernel with Rust", (umlkernel.FRAGMENT, FRAGMENT), MAKE, minutes=8, steps=1400)
DEBUG = Flavour(
    "linux-uml-rust-debug", "UML debug kernel with Rust", (umlkernel.FRAGMENT, umlkernel.DEBUG_FRAGMENT, FRAGMENT, DEBUG_FRAGMENT),
    (*MAKE, "CC=clang"), minutes=25, steps=1450,
)  # fmt: skip
FLAVOURS = (PLAIN, DEBUG)


def find(flavour: Flavour) -> tuple[BuildRoot, Path]:
    """Return the root and the kernel tree in it, as seen from inside, built if necessary. HarnessError if it cannot be built."""
    root = rustroot.find()
    folder = _folder(flavour, root)
    with locks.held(shelf.lock(folder), f"it builds the {flavour.called}"):
        if not is_built(flavour, root):
            shutil.rmtree(folder, ignore_errors=True)
            _make(flavour, root, folder)
    return root, SOURCES / folder.name


def is_built(flavour: Flavour, root: BuildRoot) -> bool:
    """Return whether find() has nothing to build in this root."""
    return all((_folder(flavour, root) / proof).exists() for proof in umlkernel.PROOFS)


def unused() -> list[Path]:
    """Return the kernel trees in the cache's roots that find() does not use any more."""
    folders = [folder for root in rustroot.built() for folder in _sources(root).glob(f"{PLAIN.name}-*_*") if folder.is_dir()]
    used = tuple(f"_{flavour.recipe}" for flavour in FLAVOURS)
    return [folder for folder in folders if not folder.name.removesuffix(shelf.PART).endswith(used)]


def large_bss(image: Path) -> tuple[int, int]:
    """Return address and size in bytes of a kernel's .lbss, (0, 0) if it has none.

    clang puts the variables that begin as zero there, in the large code model, and kmemleak scans .bss alone.
    """
    match = _LBSS.search(proc.check(["readelf", "--section-headers", "--wide", image]))
    return (int(match[1], 16), int(match[2], 16)) if match else (0, 0)


def _folder(flavour: Flavour, root: BuildRoot) -> Path:
    """Return the kernel tree in a root as this process sees it."""
    return _sources(root.path) / f"{flavour.name}-{root.release}_{flavour.recipe}"


def _sources(root: Path) -> Path:
    """Return the root's folder for kernel trees as this process sees it."""
    return root / SOURCES.relative_to("/")


def _make(flavour: Flavour, root: BuildRoot, folder: Path) -> None:
    """Unpack, configure, build and prune beside `folder`. The next call resumes an interrupted build there."""
    work = paths.make_folder(folder.with_name(f"{folder.name}{shelf.PART}"), "build")
    log = paths.logs() / f"{flavour.name}.log"
    log.unlink(missing_ok=True)
    fresh = not (work / umlkernel.UNPACKED).exists()
    if fresh:
        archive.require_space(work, BUILD_BYTES)
    gib = BUILD_BYTES >> 30
    ui.say(f"the {flavour.called} is built once: about {flavour.minutes} minutes on two quiet cores, and meanwhile {gib} GiB of the cache")
    if fresh:
        rustroot.unpack(root, work)
        (work / umlkernel.UNPACKED).touch()
    site = umlkernel.Site(work, log, flavour.make, functools.partial(root.command, output=work))
    umlkernel.configure(site, flavour.options)
    _require_rust(flavour, work)
    umlkernel.compile_all(site, flavour.steps)
    with ui.step("removing what is no longer needed"):
        umlkernel.prune(work, KEPT)
    work.rename(folder)
    ui.say(f"the {flavour.called} is in {folder} (make clean leaves it there)")


def _require_rust(flavour: Flavour, work: Path) -> None:
    config = work / ".config"
    if not re.search(r"^CONFIG_RUST=y$", config.read_text(encoding="utf-8"), re.MULTILINE):
        raise HarnessError(f"the {flavour.called} cannot have CONFIG_RUST with the rustc and bindgen of {buildroot.SUITE}: {config} shows what it lacks")
