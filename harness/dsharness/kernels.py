# SPDX-License-Identifier: GPL-2.0
"""The kernels that a target can run: found by what the user calls them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Kernel:
    """A kernel that modules can be built for, and that a guest can boot."""

    release: str
    """`uname -r`, "6.12.117+deb12-amd64"."""
    version: tuple[int, int]
    """(6, 12)."""
    arch: str
    """make ARCH=: "um" or "x86"."""
    kdir: Path
    """for make -C kdir M=…"""
    image: Path | None
    """What boots: UML's `linux`, or a vmlinuz; None on the host."""
    source: Path | None
    """The unpacked linux-source where there is one (checkpatch, kunit.py)."""
