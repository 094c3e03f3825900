# SPDX-License-Identifier: GPL-2.0
"""Remove build/, and on request the cache of kernels that all clones share, or the unused part of the cache."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
from pathlib import Path

from .. import cachemark, command, locks, paths, ui
from ..errors import HarnessError
from ..explain import symbols
from ..kernel import buildroot, linuxsource, ownbuild, rustroot, rustuml, shelf, umlkernel

MARKS = (
    "apt", "archive", buildroot.SHELF, rustroot.SHELF, "debs", ownbuild.SHELF, paths.OBJECTS, symbols.SHELF, *umlkernel.SHELVES,
    *linuxsource.SHELVES, "kvm.json", "kvm.lock",
)  # fmt: skip
"""Content of a cache. A folder without it is not removed, whatever DSBENCH_CACHE says."""

KVM = re.compile(r"kvm-.+\.console|kvm\.part")
"""Files of the cache whose names vary."""


def size(folder: Path) -> int:
    """Return the bytes that a folder takes on disk, each inode once. Another dsbench may be making or removing files there."""
    seen: dict[int, int] = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                status = os.lstat(Path(parent) / name)
                seen[status.st_ino] = status.st_blocks * 512
    return sum(seen.values())


def human(count: int) -> str:
    """Return a size for people: "12 MiB", "1.4 GiB"."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def unused() -> list[Path]:
    """Return the kernels and build roots in the cache that this revision does not use, those of source trees that are gone, and objects
    of checkouts that are gone.

    HarnessError without a compiler.
    """
    if not cachemark.is_ours(paths.cache_path()):
        return []
    return [*umlkernel.unused(), *buildroot.unused(), *rustroot.unused(), *rustuml.unused(), *ownbuild.unused(), *paths.orphaned_objects()]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench clean`."""
    parser = subparsers.add_parser("clean", help="remove build/, or the cache too", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--cache", action="store_true", help="also remove the cache, ~/.cache/dsbench or $DSBENCH_CACHE, which all clones share")
    what.add_argument(
        "--unused", action="store_true",
        help="instead, remove from the cache the kernels and build roots that another revision's recipe made, and older ones",
    )  # fmt: skip
    command.declare(parser, run, writes_output=False)


def run(args: argparse.Namespace) -> int:
    """Remove the folders, and report what they are and their sizes."""
    if args.unused:
        return _remove_unused()
    if paths.build_is_anothers():
        raise HarnessError(f"{paths.BUILD} has files that are not of dsbench: remove it yourself if it is a build folder")
    for folder in dict.fromkeys((paths.BUILD, paths.objects_path())):
        _remove(folder)
    if args.cache:
        cache = paths.cache_path()
        _remove_cache(cache)
    return 0


def _remove_cache(cache: Path) -> None:
    """Remove what dsbench put into the cache, and the folder if nothing is left. HarnessError if there is nothing of dsbench."""
    if not cache.exists():
        ui.say(f"{cache} is not there")
        return
    known = _is_known if cachemark.is_marked(cache) else cachemark.is_certain
    entries = sorted(entry for entry in cache.iterdir() if entry.name != cachemark.NAME)
    ours = [entry for entry in entries if known(entry)]
    if entries and not ours:
        raise HarnessError(f"{cache} is not marked as a cache of dsbench, and has no content of one: nothing of it is removed")
    with ui.step(f"removing {cache}, {human(sum(map(size, ours)))}"):
        for entry in ours:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        if cachemark.is_marked(cache):
            (cache / cachemark.NAME).unlink()
        if not any(cache.iterdir()) and not cache.is_symlink():
            cache.rmdir()
    if kept := [entry.name for entry in entries if entry not in ours]:
        ui.say(f"kept in {cache}, since it is not of dsbench: {', '.join(kept)}")


def _is_known(entry: Path) -> bool:
    """Return true if dsbench puts an entry of this name into its cache."""
    return entry.name in MARKS or bool(KVM.fullmatch(entry.name))


def _remove_unused() -> int:
    folders = unused()
    if not folders:
        ui.say(f"nothing in {paths.cache_path()} is unused")
    for folder in folders:
        with locks.held(shelf.lock(folder), f"it makes {folder.name}"):
            _remove(folder)
    return 0


def _remove(folder: Path) -> None:
    if not folder.exists():
        ui.say(f"{folder} is not there")
        return
    with ui.step(f"removing {folder}, {human(size(folder))}"):
        shutil.rmtree(folder)
