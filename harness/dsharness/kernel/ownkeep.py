# SPDX-License-Identifier: GPL-2.0
"""Keeps what modules and guests need of a kernel of the user's, while its objects become those of another state.

cache/own/<source tree>/
    kdir-<digest>/          what modules are built with: headers, scripts, Module.symvers
    image-<digest>/         what a guest boots: the kernel, and its own modules

Both are named by their content. So the modules of dsbench are built once for all states of a tree that have the same headers, and two
states can be compared while the objects are those of one of them.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from .. import proc
from .mirror import State

KEPT = 24
"""Number of kernels to keep of each tree. Older ones are removed when a new one is made."""

HEADERS = re.compile(r"(?:include|scripts|arch/x86|arch/um|tools/include|tools/objtool|tools/testing/kunit)/.*|[^/]+")
"""Files of the source that modules are built with, and kunit.py."""
ALONE_FOLDER = "dsbench-alone"
ALONE = ("lib/rbtree_test.c", "lib/interval_tree_test.c", "lib/test_rhashtable.c", "drivers/net/bareudp.c")
"""Files that dsbench builds as modules of their own, kept in ALONE_FOLDER."""
_OBJECT_HEADERS = re.compile(r"(?:include|scripts)/.*|arch/(?:x86|um)/(?:.*/)?include/.*\.h|tools/objtool/objtool|Module\.symvers|\.config")
"""Products that modules are built with. Headers elsewhere, arch/x86/boot/zoffset.h for one, differ with each change of the kernel."""
_UNNEEDED = re.compile(r".*(?<!scripts/mod/empty)\.[oa]|.*/\..*\.cmd|include/generated/(?:compile|utsversion)\.h")


def headers(folder: Path, objects: Path, state: State) -> str:
    """Keep what modules are built with. Return the name of its folder, which tells its content."""
    sources = [name for name in state.files if HEADERS.fullmatch(name) or name in ALONE]
    products = [name for name in files(objects) if _OBJECT_HEADERS.fullmatch(name) and not _UNNEEDED.fullmatch(name)]
    digest = hashlib.sha256(state.digest_of(sources).encode())
    for name in products:
        digest.update(f"{name}\0{digest_of(objects / name)}\0".encode())
    made = f"kdir-{digest.hexdigest()[:12]}"
    if (folder / made).exists():
        return made
    work = fresh(folder / f"{made}.part")
    for name in sources:
        copy = work / ALONE_FOLDER / Path(name).name if name in ALONE else work / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if (objects.parent / name).is_symlink():
            copy.symlink_to(os.readlink(objects.parent / name))
        else:
            os.link(objects.parent / name, copy)
    build = work / "build"
    for name in [*products, *(name for name in files(objects) if re.fullmatch(r"include/generated/(?:compile|utsversion)\.h", name))]:
        (build / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(objects / name, build / name)
    (build / "Makefile").write_text(f"{_output(objects, folder / made / 'build')}include {folder / made}/Makefile\n", encoding="utf-8")
    (build / "source").symlink_to("..")
    work.rename(folder / made)
    return made


def _output(objects: Path, build: Path) -> str:
    """Return the line by which newer kernels find their products, if the Makefile that kbuild left among the objects has one."""
    makefile = objects / "Makefile"
    names = makefile.exists() and "export KBUILD_OUTPUT" in makefile.read_text(encoding="utf-8")
    return f"export KBUILD_OUTPUT = {build}\n" if names else ""


def image(folder: Path, objects: Path, file: Path, name: str, release: str) -> str:
    """Keep what a guest boots: the kernel in `file`, as `name`, and its own modules. Return the name of its folder, which tells its content."""
    modules = _modules(objects)
    digest = hashlib.sha256(digest_of(file).encode())
    for module in modules:
        digest.update(digest_of(module).encode())
    made = f"image-{digest.hexdigest()[:12]}"
    if (folder / made).exists():
        return made
    work = fresh(folder / f"{made}.part")
    (work / "boot").mkdir()
    shutil.copy2(file, work / "boot" / name)
    home = work / "lib/modules" / release
    (home / "kernel").mkdir(parents=True)
    for module in modules:
        copy = home / "kernel" / module.relative_to(objects)
        copy.parent.mkdir(parents=True, exist_ok=True)
        proc.check(["strip", "--strip-debug", "-o", copy, module])
    (home / "modules.order").write_text("".join(f"kernel/{module.relative_to(objects)}\n" for module in modules), encoding="utf-8")
    for listing in ("modules.builtin", "modules.builtin.modinfo"):
        if (objects / listing).exists():
            shutil.copy2(objects / listing, home / listing)
        else:
            (home / listing).touch()
    work.rename(folder / made)
    return made


def _modules(objects: Path) -> list[Path]:
    """Return the kernel's own modules, from kbuild's list, which names .o or .ko files."""
    order = objects / "modules.order"
    listed = order.read_text(encoding="utf-8").split() if order.exists() else []
    return [found for name in listed if (found := (objects / name).with_suffix(".ko")).exists()]


def forget(folder: Path, keep: Sequence[str]) -> None:
    """Remove the kernels of this tree that were not used for the longest time."""
    for kind in ("kdir", "image"):
        found = sorted((path for path in folder.glob(f"{kind}-*") if path.name not in keep), key=lambda path: -path.stat().st_mtime)
        for old in found[KEPT:]:
            shutil.rmtree(old, ignore_errors=True)


def fresh(folder: Path) -> Path:
    """Return a folder, emptied or made."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def files(folder: Path) -> Iterator[str]:
    """Yield the regular files below a folder, by their paths in it, sorted."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if not os.path.islink(path := os.path.join(parent, name)):
                yield os.path.relpath(path, folder)


def digest_of(file: Path) -> str:
    """Digest of a file's content."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
