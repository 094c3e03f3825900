# SPDX-License-Identifier: GPL-2.0
"""A file of the kernel's own source, built as it is, as a module by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

from .. import paths, proc
from ..errors import HarnessError
from . import build
from .kernels import Kernel
from .linuxsource import Picked


def module(kernel: Kernel, picked: Picked, name: str, folder: Path, flags: str = "") -> Path:
    """`name`.c of what was picked as `name`.ko for `kernel`, without debug information, built in a folder of its own.

    `flags` go to the compiler. HarnessError when the source has no such file, or it does not build. Held by the caller:
    whatever keeps others out of the folder.
    """
    source = picked.folder / f"{name}.c"
    if not source.exists():
        raise HarnessError(f"{picked.source} has no {name}.c")
    origin = f"{source}\n{kernel.kdir}\n{flags}\n"
    mark = folder / "origin"
    if not mark.exists() or mark.read_text(encoding="utf-8") != origin:
        shutil.rmtree(folder, ignore_errors=True)
        paths.make_folder(folder, "build")
        shutil.copyfile(source, folder / source.name)
        (folder / "Kbuild").write_text(f"obj-m := {name}.o\nccflags-y := {flags}\n", encoding="utf-8")
        mark.write_text(origin, encoding="utf-8")
    log = paths.logs() / f"{name}-{kernel.target}-{kernel.release}.log"
    log.unlink(missing_ok=True)
    result = build.kbuild(kernel, folder, log)
    if result.status:
        problem = next((line for line in result.tail if build.ERROR.search(line)), result.last)
        raise HarnessError(f"it does not build for {kernel.release}: {problem} (log: {log})")
    stripped = folder / "stripped" / f"{name}.ko"
    paths.make_folder(stripped.parent, "build")
    proc.check(["strip", "--strip-debug", "-o", stripped, folder / f"{name}.ko"])
    return stripped
