# SPDX-License-Identifier: GPL-2.0
"""Remove build/, and on request the cache of kernels that all clones share, or the unused part of the cache."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from .. import command, locks, paths, ui
from ..errors import HarnessError
from ..kernel import buildroot, linuxsource, shelf, umlkernel

MARKS = ("apt", "archive", buildroot.SHELF, "debs", *umlkernel.SHELVES, *linuxsource.SHELVES, "kvm.json", "kvm.lock")
"""Content of a cache. A folder without it is not removed, whatever DSBENCH_CACHE says."""


def size(folder: Path) -> int:
    """Return the bytes that a folder takes on disk, each inode once."""
    seen: dict[int, int] = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            status = os.lstat(Path(parent) / name)
            seen[status.st_ino] = status.st_blocks * 512
    return sum(seen.values())


def human(count: int) -> str:
    """Return a size for people: "12 MiB", "1.4 GiB"."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def unused() -> list[Path]:
    """Return the kernels and build roots in the cache that this revision does not use. HarnessError without a compiler."""
    return [*umlkernel.unused(), *buildroot.unused()]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench clean`."""
    parser = subparsers.add_parser("clean", help="remove build/, or the cache too", description=__doc__)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--cache", action="store_true", help=f"also remove {paths.cache_path()}, which all clones share")
    what.add_argument(
        "--unused", action="store_true",
        help="instead, remove from the cache the kernels and build roots that another revision's recipe made, and older ones",
    )  # fmt: skip
    command.declare(parser, run)


def run(args: argparse.Namespace) -> int:
    """Remove the folders, and report what they are and their sizes."""
    if args.unused:
        return _remove_unused()
    _remove(paths.BUILD)
    if args.cache:
        cache = paths.cache_path()
        if cache.exists() and any(cache.iterdir()) and not any((cache / mark).exists() for mark in MARKS):
            raise HarnessError(f"{cache} does not look like a cache of dsbench: remove it yourself if it is one")
        _remove(cache)
    return 0


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
