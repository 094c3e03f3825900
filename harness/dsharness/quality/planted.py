# SPDX-License-Identifier: GPL-2.0
"""A small slowdown that tests must find: three nops in each lookup of the XArray, 2 % of its instructions."""

from __future__ import annotations

import shutil
from pathlib import Path

from .. import paths
from ..errors import HarnessError
from ..kernel import trees
from ..kernel.trees import Tree

CONTAINER, OP = "xarray", "find"
SOURCE = "modules/containers/xarray.c"
LOOKUP = "struct dsbench_elem *e = xa_load(xa, set->lookup[i]);"
PLANTED = f'{LOOKUP}\n\n\t\tasm volatile("nop; nop; nop");'


def plant(root: Path) -> None:
    """Plant the slowdown in the project at `root`. HarnessError if its source lacks the place, or has it more than once."""
    source = root / SOURCE
    text = source.read_text(encoding="utf-8")
    if text.count(LOOKUP) != 1:
        raise HarnessError(f"nothing can be planted: {source} does not have `{LOOKUP}` once")
    source.write_text(text.replace(LOOKUP, PLANTED), encoding="utf-8")


def tree() -> Tree:
    """Return the working tree's modules with the slowdown, below build/planted."""
    into = paths.make_folder(paths.objects() / "planted", "build")
    root = into / "tree"
    shutil.rmtree(root, ignore_errors=True)
    for name in trees.SOURCES:
        shutil.copytree(paths.ROOT / name, root / name)
    plant(root)
    return Tree("the planted tree", f"{trees.described()}-planted", root, into)
