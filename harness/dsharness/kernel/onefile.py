# SPDX-License-Identifier: GPL-2.0
"""One file of the kernel's own source, built unchanged as a module."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from .. import paths
from ..errors import HarnessError
from . import build, linuxsource
from .kernels import Kernel
from .linuxsource import Picked
from .ownkeep import ALONE_FOLDER


def pick(kernel: Kernel, files: Sequence[str], shelf_name: str) -> Picked:
    """Return files of the kernel's own source, or of Debian's source of its series, in one folder. HarnessError if it cannot be obtained."""
    if not kernel.facts:
        return linuxsource.pick(f"{kernel.version[0]}.{kernel.version[1]}", files, shelf_name)
    if not kernel.source:
        raise HarnessError(f"the source of {kernel.called} is not known: --kernel-dir alone names it")
    return Picked(kernel.facts.folder, kernel.source / ALONE_FOLDER)


def module(kernel: Kernel, picked: Picked, name: str, folder: Path, flags: str = "") -> Path:
    """Build `name`.c of the picked files as `name`.ko for `kernel`, in `folder` and without debug information.

    `flags` are passed to the compiler. The caller keeps others from building in the folder; readers of the module may continue.
    HarnessError if the source lacks the file, or it does not build.
    """
    source = picked.folder / f"{name}.c"
    if not source.exists():
        raise HarnessError(f"{picked.source} has no {name}.c")
    origin = f"{source}\n{build.basis(kernel)}\n{flags}\n"
    work = folder / name
    mark = work / "origin"
    if not mark.exists() or mark.read_text(encoding="utf-8") != origin:
        shutil.rmtree(work, ignore_errors=True)
        paths.make_folder(work, "build")
        shutil.copyfile(source, work / source.name)
        (work / "Kbuild").write_text(f"obj-m := {name}.o\nccflags-y := {flags}\n", encoding="utf-8")
        mark.write_text(origin, encoding="utf-8")
    log = paths.logs() / f"{name}-{kernel.builds}.log"
    log.unlink(missing_ok=True)
    result = build.kbuild(kernel, work, log)
    if result.status:
        problem = next((line for line in result.tail if build.ERROR.search(line)), result.last)
        raise HarnessError(f"it does not build for {kernel.release}: {problem} (log: {log})")
    build.strip(work / f"{name}.ko", folder / f"{name}.ko", work)
    return folder / f"{name}.ko"
