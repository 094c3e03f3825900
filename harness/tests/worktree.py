# SPDX-License-Identifier: GPL-2.0
"""The files of the work tree that are the user's: tests leave them as they are."""

from __future__ import annotations

import os
from pathlib import Path

PRODUCTS = frozenset({".git", "build", "__pycache__", ".mypy_cache", ".pytest_cache"})
"""Folders that builds and tests write."""

OUTPUTS = ("results/", "plots/")
"""Folders with what commands write."""

State = dict[str, tuple[int, int, int]]
"""The inode, the size and the time of each file, by its path from the top."""


def state(root: Path) -> State:
    """Return the state of all files below `root` but those of PRODUCTS."""
    found: State = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in PRODUCTS]
        for name in files:
            path = Path(folder, name)
            try:
                status = path.lstat()
            except FileNotFoundError:  # a file of another process that lasts for a moment
                continue
            found[str(path.relative_to(root))] = status.st_ino, status.st_size, status.st_mtime_ns
    return found


def changes(before: State, after: State) -> list[str]:
    """Return what happened to each file that differs, in words."""
    words = {(False, True): "new", (True, False): "gone", (True, True): "changed"}
    return [f"{name} is {words[name in before, name in after]}" for name in sorted({*before, *after}) if before.get(name) != after.get(name)]


def is_edited(change: str) -> bool:
    """Return true if a change may be that of somebody who edits the sources while the tests run: of a file that stays, no output."""
    return change.endswith(" is changed") and not change.startswith(OUTPUTS)
