# SPDX-License-Identifier: GPL-2.0
"""The shelves of the cache: folders of one kind, each named by its source, its version and the recipe that made it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

PART = ".part"
"""Behind the name of what is not finished."""


def unused(shelf: Path, recipe: Callable[[], str], proof: str) -> list[Path]:
    """The folders that nothing would take from the shelf any more: of other recipes, and older ones of the same source.

    `proof` is the file that the newest is told by. What an interrupted build of `recipe` left is not among them.
    """
    folders = [folder for folder in sorted(shelf.glob("*_*_*")) if folder.is_dir()]
    if not folders:
        return []
    ending = f"_{recipe()}"
    finished = [folder for folder in folders if folder.name.endswith(ending) and (folder / proof).exists()]
    finished.sort(key=lambda folder: (folder / proof).stat().st_mtime)
    newest = {folder.name.partition("_")[0]: folder for folder in finished}
    return [folder for folder in folders if folder not in newest.values() and not folder.name.endswith(ending + PART)]


def lock(folder: Path) -> Path:
    """Held by who makes or removes a folder."""
    return folder.with_name(f"{folder.name.removesuffix(PART)}.lock")
