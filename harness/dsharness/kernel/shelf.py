# SPDX-License-Identifier: GPL-2.0
"""The shelves of the cache: folders of one kind, each named by its source, its version and the recipe that made it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

PART = ".part"
"""Suffix of an unfinished folder."""


def unused(shelf: Path, recipe: Callable[[], str], proof: str) -> list[Path]:
    """Return the folders of the shelf that nothing uses any more: those of other recipes, and older ones of the same source.

    `proof` is the file whose time identifies the newest. An interrupted build of `recipe` is not among them.
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
    """Return the lock that is held to make or remove a folder."""
    return folder.with_name(f"{folder.name.removesuffix(PART)}.lock")
