# SPDX-License-Identifier: GPL-2.0
"""Modules of a stock kernel's own package, with those that they need, for a guest's modprobe."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from .. import locks, options, paths, proc, ui
from ..errors import HarnessError, UsageError
from ..kernel import build
from ..kernel.build import Build
from ..kernel.kernels import Kernel

LISTINGS = ("modules.order", "modules.builtin", "modules.builtin.modinfo")


@contextlib.contextmanager
def root(built: Build, names: Sequence[str], more: Sequence[Path] = ()) -> Iterator[Path]:
    """Return `built.mod_root` with the kernel's own modules of these names and the files of `more`. The tree is ours until it is packed.

    HarnessError if the kernel has no modules. Names that it lacks are left out.
    """
    kernel = built.kernel
    own = folder(kernel)
    gathered = built.mod_root.with_name("root-more")
    with locks.held(gathered.with_name(".root-more.lock"), f"it gathers modules in {gathered}"):
        shutil.rmtree(gathered, ignore_errors=True)
        home = gathered / "lib/modules" / kernel.release
        home.mkdir(parents=True)
        for module in needed(own, names, kernel.release):
            copy = home / module.relative_to(own)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(module, copy)
        for module in more:
            shutil.copy2(module, home)
        for listing in LISTINGS:
            shutil.copy2(own / listing, home / listing)
        build.install(built, gathered)
        yield gathered


def require(kernel: Kernel, names: Sequence[str], more: Collection[str] = ()) -> None:
    """UsageError for a name that is neither a module of the kernel, loadable or built in, nor in `more`; with the nearest one."""
    known = {plain(name) for name in more}
    if names:
        known |= {_name(file) for file in _all(folder(kernel))}
    for name in names:
        if plain(name) not in known:
            near = options.nearest(plain(name), known)
            advice = f", did you mean {near}?" if near else ""
            raise UsageError(f"--module {name!r} is unknown: {kernel.release} has none of that name{advice}")


def has(kernel: Kernel, name: str) -> bool:
    """Return true if the kernel has this module, loadable or built in."""
    return any(_name(file) == name for file in _all(folder(kernel)))


def folder(kernel: Kernel) -> Path:
    """Return the folder of the kernel's own modules, beside its image or next to /boot. HarnessError if it has none."""
    image, release = kernel.image, kernel.release
    if not image:
        raise HarnessError(f"{release} does not boot in a guest")
    for place in (image.parent, image.parents[1] / "lib/modules" / release):
        if (place / "modules.builtin").exists() and any(place.glob("kernel/*")):
            return place
    raise HarnessError(f"the modules of {release} are not where its image {image} is")


def needed(own: Path, names: Sequence[str], release: str) -> Iterator[Path]:
    """Return the files of the modules of these names below `own`, and those that they need or name as soft dependencies."""
    files = {_name(file): file for file in own.rglob("*.ko*")}
    waiting, seen = [plain(name) for name in names], set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in files:
            continue
        seen.add(name)
        yield files[name]
        for field in ("depends", "softdep"):
            listed = proc.check(["modinfo", "-F", field, files[name]], env=proc.build_environment())
            for word in re.split(r"[\s,]+", listed):
                if word and not word.endswith(":"):
                    waiting += [plain(word)] if plain(word) in files else _of_alias(own, word, release)


def _of_alias(own: Path, alias: str, release: str) -> list[str]:
    """Return the modules that modprobe loads for an alias: libcrc32c needs "crc32c", which two modules provide. [] if it is built in.

    The index of all modules takes seconds to make, and stays in build/.
    """
    index = paths.make_folder(paths.BUILD, "build") / f"index-{release}"
    home = index / "lib/modules" / release
    with locks.held(index.with_name(f".{index.name}.lock"), f"it makes {index}"):
        link = home / "kernel"
        if not (home / "modules.devname").exists() or link.readlink() != own / "kernel":
            shutil.rmtree(index, ignore_errors=True)
            paths.make_folder(home, "build")
            link.symlink_to(own / "kernel")
            for listing in LISTINGS:
                shutil.copy2(own / listing, home / listing)
            with ui.step(f"indexing the modules of {release}"):
                proc.check(["depmod", "--basedir", index, release], env=proc.build_environment())
        argv: list[proc.Arg] = ["modprobe", "--config", "/dev/null", "--dirname", index, "--set-version", release, "--show-depends", alias]
        try:
            listed = proc.check(argv, env=proc.build_environment())
        except HarnessError:
            return []
    return [_name(Path(line.split()[1])) for line in listed.splitlines() if line.startswith("insmod ")]


def plain(name: str) -> str:
    """Return the name of a module as the kernel has it."""
    return name.replace("-", "_")


def _all(own: Path) -> Iterator[Path]:
    yield from own.rglob("*.ko*")
    yield from map(Path, (own / "modules.builtin").read_text(encoding="utf-8").splitlines())


def _name(file: Path) -> str:
    return plain(file.name.partition(".ko")[0])
