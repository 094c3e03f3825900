# SPDX-License-Identifier: GPL-2.0
"""Begins a tree or a configuration that is new to the cache with the objects of the most similar one, so that kbuild builds what differs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from .. import locks, proc, ui
from . import mirror, ownkeep
from .mirror import INDEX, TREE, State
from .ownconfig import CONFIGURED, KINDS, OPTIONS, Recipe

KIN = "dsbench-kin"
"""File among complete objects: Recipe.kin."""
MOST_DIFFERING = 0.1
"""Share of the source files up to which another tree's objects are worth copying. 6.1 and 6.12 differ in 58 %, 6.12 and 7.3 in 56 %."""
PART = "~"
"""End of the name of a folder of objects that is not complete."""


def begin_tree(folder: Path, objects: str, recipe: Recipe, state: State) -> None:
    """Begin a copy of a source tree, which will have the content of `state`, with the most similar tree in the cache.

    That tree has objects of the same configuration, or kin of them. Objects of another version are no help. The update after it changes
    the files that differ, so that kbuild builds what they decide, and no more.
    """
    same = [path.parent for path in folder.parent.glob(f"*/{TREE}/{objects}/vmlinux*") if path.name in ("vmlinux", "vmlinux.o")]
    found = dict.fromkeys((*same, *_kin(folder.parent.glob(f"*/{TREE}/{recipe.target}-*"), recipe)))
    far = {donor: mirror.differing(donor.parents[1], state.files) for donor in found}
    similar = [donor for donor in found if far[donor] < MOST_DIFFERING]
    for donor in sorted(similar, key=lambda one: (0 if one in same else _distance(one, recipe), far[one]))[:1]:
        other = donor.parents[1]
        with locks.held(other.with_name(f"{other.name}.lock"), f"it builds in {other}"), ui.step("copying the objects of another tree"):
            work = ownkeep.fresh(folder / f"{TREE}.part")
            names = [name for name in sorted(os.listdir(other / TREE)) if not name.startswith(tuple(f"{one}-" for one in KINDS))]
            proc.check(["cp", "--archive", "--reflink=auto", "--", *(other / TREE / name for name in names), f"{work}/"])
            _copy_objects(donor, work / objects, folder / TREE / objects)
            for beside in _of_other_targets(other / TREE, recipe.target):
                _copy_objects(beside, work / beside.name, folder / TREE / beside.name)
            shutil.copyfile(other / INDEX, folder / INDEX)
            work.rename(folder / TREE)


def begin_objects(objects: Path, recipe: Recipe) -> None:
    """Make the folder of the objects, with those of their nearest kin in the same tree, if there are any."""
    if objects.exists():
        return
    for donor in _kin(objects.parent.glob(f"{recipe.target}-*"), recipe)[:1]:
        with ui.step("copying the objects of another configuration"):
            work = objects.with_name(f"{objects.name}{PART}")
            proc.check(["rm", "-rf", work])
            _copy_objects(donor, work, objects)
            work.rename(objects)
    objects.mkdir(exist_ok=True)


def mark(objects: Path, recipe: Recipe) -> None:
    """Note that objects are built, and for which recipes they are kin."""
    if not recipe.base:
        (objects / KIN).write_text(recipe.kin, encoding="utf-8")


def _kin(found: Iterable[Path], recipe: Recipe) -> list[Path]:
    """Return the folders of objects that the same compiler has built with similar options, the most similar ones first.

    Options that the user adds to dsbench's own ones decide few objects. Those of a whole configuration of the user's are others.
    """
    if recipe.base:
        return []
    kin = [one for one in found if not one.name.endswith(PART) and (one / KIN).exists() and (one / KIN).read_text(encoding="utf-8") == recipe.kin]
    return sorted(kin, key=lambda one: _distance(one, recipe))


def _distance(objects: Path, recipe: Recipe) -> int:
    """Number of options in which the objects differ from a recipe."""
    return len({*recipe.lines} ^ {*(objects / OPTIONS).read_text(encoding="utf-8").splitlines()})


def _of_other_targets(tree: Path, target: str) -> list[Path]:
    """Return the newest folder of objects of each target but this one that dsbench's own options have built: a next command may need it."""
    found = []
    for name in KINDS.keys() - {target}:
        built = sorted(tree.glob(f"{name}-*[!{PART}]/{KIN}"), key=lambda mark: -_modified(mark))
        found += [mark.parent for mark in built[:1]]
    return found


def _modified(file: Path) -> float:
    return file.stat().st_mtime if file.exists() else 0.0


def _copy_objects(donor: Path, work: Path, objects: Path) -> None:
    """Copy a folder of objects to `work`, which will be `objects`."""
    proc.check(["cp", "--archive", "--reflink=auto", "--", donor, work])
    _move_tools(work, {str(donor): str(objects), str(donor.parent): str(objects.parent)})
    if donor.name != objects.name:
        for name in (KIN, CONFIGURED):
            (work / name).unlink(missing_ok=True)


def _move_tools(objects: Path, places: Mapping[str, str]) -> None:
    """Replace folders by others in what make knows of the tools, which have absolute paths, and keep its times."""
    for name in ownkeep.files(objects / "tools"):
        file = objects / "tools" / name
        if not name.endswith((".cmd", ".d")):
            continue
        status = file.stat()
        before = text = file.read_text(encoding="utf-8", errors="surrogateescape")
        for old, new in places.items():
            text = text.replace(old, new)
        if text != before:
            file.write_text(text, encoding="utf-8", errors="surrogateescape")
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
