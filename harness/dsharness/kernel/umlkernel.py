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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import locks, packages, paths, proc, ui
from ..errors import HarnessError
from . import archive, compilers, linuxsource, shelf

FRAGMENT = paths.HARNESS / "kernel" / "uml.config"
DEBUG_FRAGMENT = paths.HARNESS / "kernel" / "uml-debug.config"
SHELF, DEBUG_SHELF = SHELVES = ("uml", "uml-debug")
"""Folders of the cache, for the ordinary kernels and for the debug kernels."""

MAKE = ("make", "ARCH=um", "SUBARCH=x86_64")
MAKE_CLANG = ("make", "ARCH=um", "SUBARCH=x86")
"""The kernel names the targets of clang for this SUBARCH, not for x86_64."""
JOBS = os.cpu_count() or 1

BUILD_BYTES = 3 << 30
"""Size of the unpacked source with its objects, in bytes, before it is pruned."""

DEBUG_MINUTES = 7

BUILD_STEPS = 1200
"""Steps of the build of 6.12, for the progress display alone: other versions end slightly before or after 100 %."""

KEPT = ("arch/um", "arch/x86", "include", "scripts", "tools/include", "tools/testing/kunit")
"""Folders that outlive the build. Of the rest, the files at the top and the names of folders stay, as checkpatch.pl expects."""

UNPACKED = ".unpacked"
"""The last file of an unpacked source to be written."""

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
    return options_of(*((FRAGMENT, DEBUG_FRAGMENT) if shelf_name == DEBUG_SHELF else (FRAGMENT,)))


def options_of(*fragments: Path) -> list[str]:
    """Return the lines of a configuration that consists of these files. A later file overrides an earlier one."""
    text = "".join(fragment.read_text(encoding="utf-8") for fragment in fragments)
    return list({match[1]: match[0] for match in re.finditer(r"^.*(CONFIG_\w+).*$", text, re.MULTILINE)}.values())


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
    if not (work / UNPACKED).exists():
        archive.require_space(work, BUILD_BYTES)
        _unpack(package, work)
    site = Site(work, log)
    configure(site, options)
    compile_all(site)
    with ui.step("removing what is no longer needed"):
        prune(work)
    work.rename(folder)
    archive.discard(package)
    ui.say(f"UML kernel {release(folder)} is in {folder} (make clean leaves it there)")


def _unpack(package: archive.Package, work: Path) -> None:
    with linuxsource.tarball(package) as tarball:
        linuxsource.unpack(f"{package.name} {package.version}", tarball, work)
    (work / UNPACKED).touch()


def _as_it_is(argv: Sequence[proc.Arg]) -> list[str]:
    return [os.fspath(arg) for arg in argv]


@dataclass(frozen=True)
class Site:
    """A kernel under construction."""

    folder: Path
    """Of its source and its objects."""
    log: Path
    make: tuple[str, ...] = MAKE
    """The command, with the variables that choose the architecture and the compiler."""
    command: Callable[[Sequence[proc.Arg]], list[str]] = _as_it_is
    """Returns the words that run a command with the tools for this kernel."""

    def run(self, *words: proc.Arg, on_line: Callable[[str], None] | None = None) -> proc.Finished:
        """Run make in the folder."""
        argv = self.command([*self.make, "-C", self.folder, *words])
        return proc.stream(argv, env=proc.build_environment(), log=self.log, on_line=on_line)

    def distrust(self) -> None:
        """Let the next attempt unpack the source again, over the objects that exist: the source may be damaged."""
        (self.folder / UNPACKED).unlink(missing_ok=True)


def configure(site: Site, options: Sequence[str]) -> None:
    """Configure the kernel with these options on top of allnoconfig. HarnessError if that fails."""
    fragment = site.folder / "dsbench.config"
    fragment.write_text("".join(f"{line}\n" for line in options), encoding="utf-8")
    result = site.run(f"KCONFIG_ALLCONFIG={fragment}", "allnoconfig")
    if result.status:
        site.distrust()
        raise HarnessError(f"the UML kernel cannot be configured: {result.last} (log: {site.log})")
    taken = set((site.folder / ".config").read_text(encoding="utf-8").splitlines())
    if refused := [line for line in options if line.startswith("CONFIG_") and line not in taken]:
        ui.warn(f"this kernel source does not offer {', '.join(refused)}")


def compile_all(site: Site, steps: int = BUILD_STEPS) -> None:
    """Build the kernel. HarnessError with the first error."""
    with ui.Progress(f"building the UML kernel with {JOBS} jobs", steps, "steps") as progress:
        result = site.run(f"-j{JOBS}", "linux", "modules", on_line=linuxsource.counter(progress))
    if result.status:
        site.distrust()
        problem = next((line for line in result.tail if "error" in line.lower()), result.last)
        raise HarnessError(f"the UML kernel does not build: {problem} (log: {site.log})")


def prune(work: Path, names: Sequence[str] = KEPT) -> None:
    """Keep these folders, without objects, and the files at the top."""
    kept = [work / name for name in names]
    for top in list(work.iterdir()):
        if top.is_dir() and not top.is_symlink() and top not in kept:
            _keep_only(kept, top)
    for folder in kept:
        for parent, _, files in os.walk(folder):
            for name in files:
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
