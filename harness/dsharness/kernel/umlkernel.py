# SPDX-License-Identifier: GPL-2.0
"""The User Mode Linux kernel: built once from Debian's linux-source, and kept in the cache for all clones.

The finished folder is a kernel tree without its objects: what external modules need (Module.symvers, headers, scripts), the
bootable `linux`, and the tools of the source (checkpatch.pl, kunit.py).

The debug kernel is the same source with the options of uml-debug.config added: it is slow, and its log tells of faults.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from .. import locks, packages, paths, proc, ui
from ..errors import HarnessError
from . import archive, compilers, linuxsource, shelf

FRAGMENT = paths.HARNESS / "kernel" / "uml.config"
DEBUG_FRAGMENT = paths.HARNESS / "kernel" / "uml-debug.config"
SHELF, DEBUG_SHELF = SHELVES = ("uml", "uml-debug")
"""Folders of the cache, for the ordinary kernels and for the debug kernels."""

MAKE = ("make", "ARCH=um", "SUBARCH=x86_64")
JOBS = os.cpu_count() or 1

BUILD_BYTES = 3 << 30
"""Size of the unpacked source with its objects, in bytes, before it is pruned."""

DEBUG_MINUTES = 7

BUILD_STEPS = 1200
"""Steps of the build of 6.12, for the progress display alone: other versions end slightly before or after 100 %."""

KEPT = ("arch/um", "arch/x86", "include", "scripts", "tools/include", "tools/testing/kunit")
"""Folders that outlive the build. Of the rest, the files at the top and the names of folders stay, as checkpatch.pl expects."""

PROOFS = ("linux", "Module.symvers", "include/config/kernel.release", "include/generated/autoconf.h", "scripts/mod/modpost")


def tree(version: str, *, debug: bool = False) -> Path:
    """Return the kernel tree of `version` ("6.12"), built if necessary. HarnessError if it cannot be built."""
    packages.ensure("base")
    compilers.require_gcc(f"the UML kernel {version}")
    source = f"linux-source-{version}"
    shelf_name = DEBUG_SHELF if debug else SHELF
    uml = paths.make_folder(paths.cache() / shelf_name, "UML kernel")
    recipe = _recipe(shelf_name)
    package = archive.candidate(source)
    if not package and (older := sorted(uml.glob(f"{source}_*_{recipe}"))):
        return older[-1]
    package = package or archive.require(source)
    folder = uml / f"{source}_{package.version}_{recipe}"
    with locks.held(shelf.lock(folder), f"it builds the UML kernel {package.version}"):
        if not all((folder / proof).exists() for proof in PROOFS):
            shutil.rmtree(folder, ignore_errors=True)
            packages.ensure("base", "uml")
            if debug:
                ui.say(f"the debug kernel is built once, which takes about {DEBUG_MINUTES} minutes on two quiet cores")
            _make(package, folder, _options(shelf_name))
    return folder


def release(folder: Path) -> str:
    """Return `uname -r` of the kernel in this tree."""
    return (folder / "include/config/kernel.release").read_text(encoding="utf-8").strip()


def built() -> list[Path]:
    """Return the finished kernel trees in the cache."""
    images = (image for name in SHELVES for image in (paths.cache_path() / name).glob("linux-source-*/linux"))
    trees = (image.parent for image in images)
    return sorted(tree for tree in trees if tree.suffix != shelf.PART)


def unused() -> list[Path]:
    """Return the trees in the cache that tree() does not use any more. HarnessError without a compiler."""
    return [
        folder
        for name in SHELVES
        for folder in shelf.unused(paths.cache_path() / name, functools.partial(_recipe, name), "linux")
    ]


def _options(shelf_name: str) -> list[str]:
    """Return the lines of the configuration of a shelf's kernels."""
    fragments = (FRAGMENT, DEBUG_FRAGMENT) if shelf_name == DEBUG_SHELF else (FRAGMENT,)
    text = "".join(fragment.read_text(encoding="utf-8") for fragment in fragments)
    return re.findall(r"^.*CONFIG_.*$", text, re.MULTILINE)


def _recipe(shelf_name: str) -> str:
    """Return a name of what decides the build besides the source: the configuration, the compiler and this file."""
    compiler = proc.check(["gcc", "--version"], env=proc.build_environment()).splitlines()[0]
    ingredients = (*_options(shelf_name), compiler, *MAKE, *KEPT)
    return hashlib.sha256("\0".join(ingredients).encode()).hexdigest()[:10]


def _make(package: archive.Package, folder: Path, options: Sequence[str]) -> None:
    """Unpack, configure, build and prune beside `folder`. The next call resumes an interrupted build there."""
    work = paths.make_folder(folder.with_name(f"{folder.name}{shelf.PART}"), "build")
    log = paths.logs() / f"uml-{package.version}.log"
    log.unlink(missing_ok=True)
    if not (work / ".unpacked").exists():
        archive.require_space(work, BUILD_BYTES)
        _unpack(package, work)
    _configure(work, options, log)
    _compile(work, log)
    with ui.step("removing what is no longer needed"):
        _prune(work)
    work.rename(folder)
    archive.discard(package)
    ui.say(f"UML kernel {release(folder)} is in {folder} (make clean leaves it there)")


def _unpack(package: archive.Package, work: Path) -> None:
    with linuxsource.tarball(package) as tarball:
        linuxsource.unpack(f"{package.name} {package.version}", tarball, work)
    (work / ".unpacked").touch()


def _configure(work: Path, options: Sequence[str], log: Path) -> None:
    fragment = work / "dsbench.config"
    fragment.write_text("".join(f"{line}\n" for line in options), encoding="utf-8")
    argv = [*MAKE, f"KCONFIG_ALLCONFIG={fragment}", "allnoconfig"]
    result = proc.stream(argv, cwd=work, env=proc.build_environment(), log=log)
    if result.status:
        _distrust(work)
        raise HarnessError(f"the UML kernel cannot be configured: {result.last} (log: {log})")
    taken = set((work / ".config").read_text(encoding="utf-8").splitlines())
    if refused := [line for line in options if line.startswith("CONFIG_") and line not in taken]:
        ui.warn(f"this kernel source does not offer {', '.join(refused)}")


def _compile(work: Path, log: Path) -> None:
    argv = [*MAKE, f"-j{JOBS}", "linux", "modules"]
    with ui.Progress(f"building the UML kernel with {JOBS} jobs", BUILD_STEPS, "steps") as progress:
        result = proc.stream(argv, cwd=work, env=proc.build_environment(), log=log, on_line=linuxsource.counter(progress))
    if result.status:
        _distrust(work)
        problem = next((line for line in result.tail if "error" in line.lower()), result.last)
        raise HarnessError(f"the UML kernel does not build: {problem} (log: {log})")


def _distrust(work: Path) -> None:
    """Let the next attempt unpack the source again, over the objects that exist: the source may be damaged."""
    (work / ".unpacked").unlink()


def _prune(work: Path) -> None:
    """Keep the folders of KEPT, without objects, and the files at the top."""
    kept = [work / name for name in KEPT]
    for top in list(work.iterdir()):
        if top.is_dir() and not top.is_symlink() and top not in kept:
            _keep_only(kept, top)
    for folder in kept:
        for parent, _, names in os.walk(folder):
            for name in names:
                if name.endswith((".o", ".a")) and folder.name != "scripts":
                    os.unlink(os.path.join(parent, name))


def _keep_only(kept: Sequence[Path], folder: Path) -> None:
    for entry in list(folder.iterdir()):
        if entry in kept:
            continue
        if any(name.is_relative_to(entry) for name in kept):
            _keep_only(kept, entry)
        elif entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
