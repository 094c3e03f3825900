# SPDX-License-Identifier: GPL-2.0
"""What User Mode Linux needs of this machine: a folder that holds and executes the guest's memory, and ptrace.

UML maps the guest's memory from an unlinked file in the folder that TMPDIR names. It prints a word or nothing where a container
forbids that, so the folder is tested here as UML does it, and the words are explained.
"""

from __future__ import annotations

import functools
import mmap
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import paths
from ..errors import HarnessError

MIB = 1 << 20
MOUNTS = Path("/proc/self/mountinfo")
IN_MEMORY = ("tmpfs", "ramfs")
FOLDERS = ("/dev/shm", "/tmp", "/var/tmp")

NO_PTRACE = (
    "this machine forbids ptrace, which uml needs: a container needs --cap-add SYS_PTRACE or --security-opt seccomp=unconfined,"
    " a system kernel.yama.ptrace_scope below 3; --target qemu works without it"
)
OTHER_FOLDER = "TMPDIR names another folder, --memory SIZE makes the guest smaller"

COMPLAINTS = (
    (r"^(?:ptrace: |check_ptrace\b|check_sysemu\b|stop_ptraced_child\b|missing$)", NO_PTRACE),
    (r"must be not mounted noexec", "the folder of the guest's memory is mounted noexec: TMPDIR names another folder"),
    (r"Bus error - the host|Kernel mode signal 7", f"the folder of the guest's memory is full: {OTHER_FOLDER}"),
    (r"^write: No space left", f"the folder of the guest's memory is full: {OTHER_FOLDER}"),
    (r"^open - cannot create ", "the folder of the guest's memory cannot be written: TMPDIR names another folder"),
    (r"^setup_physmem - mapping ", "the guest's memory cannot be mapped: raise ulimit -v, or make the guest smaller by --memory SIZE"),
    (r"^Too few physical memory!", "the guest has less memory than its kernel needs: --memory SIZE gives it more"),
    (r"fork failed", "no more processes can be started: raise ulimit -u, or the container's limit of processes"),
)
"""Expressions for lines of UML's output that end a guest, the most telling first, and what they mean."""

# PTRACE_TRACEME is 0. Its result shows whether UML's processes can be traced.
_ASK_FOR_TRACE = "import ctypes, sys; sys.exit(ctypes.CDLL(None).ptrace(0, 0, 0, 0) != 0)"


@dataclass(frozen=True)
class Place:
    """A folder for the guest's memory."""

    folder: Path
    warning: str
    """Why figures may suffer; "" if they do not."""


def require(memory_mib: int) -> None:
    """HarnessError with the remedy, unless a guest with this much memory can run here."""
    place(memory_mib)
    if not _can_be_traced():
        raise HarnessError(NO_PTRACE)


def place(memory_mib: int) -> Place:
    """Return a folder for `memory_mib` MiB of guest memory, one in memory if there is one. HarnessError if there is none."""
    types = _file_systems()
    found = [(folder, types.get(folder.stat().st_dev, "unknown") if folder.is_dir() else "") for folder in _folders()]
    obstacles: list[str] = []
    for folder, kind in sorted(found, key=lambda each: each[1] not in IN_MEMORY):
        if not (obstacle := _obstacle(folder, memory_mib)):
            return Place(folder, "" if kind in IN_MEMORY else _slow(folder, kind, obstacles))
        obstacles.append(obstacle)
    raise HarnessError(f"uml finds no folder for {memory_mib} MiB of guest memory: {', '.join(obstacles)}; {OTHER_FOLDER}")


def explained(console: Sequence[str]) -> str:
    """Return what UML's complaint means and what to do; "" if it made none that is known."""
    known = ((expression, meaning) for expression, meaning in COMPLAINTS if any(re.search(expression, line) for line in console))
    return next((meaning for _, meaning in known), "")


def _folders() -> Iterator[Path]:
    """Return the folders to try, each once: those that the user named first."""
    named = (os.environ.get(name) for name in ("TMPDIR", "XDG_RUNTIME_DIR"))
    absolute = (Path(name) for name in (*named, *FOLDERS, str(paths.cache_path())) if name and Path(name).is_absolute())
    yield from dict.fromkeys(absolute)


def _file_systems() -> dict[int, str]:
    """Return the type of each mounted file system by its device number."""
    found = {}
    for line in MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines():
        mount, _, kind = line.partition(" - ")
        major, _, minor = mount.split()[2].partition(":")
        found[os.makedev(int(major), int(minor))] = kind.split()[0]
    return found


def _obstacle(folder: Path, memory_mib: int) -> str:
    """Return why `folder` cannot have the guest's memory; "" if it can. The test is UML's own."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.truncate(mmap.PAGESIZE)
            free = os.statvfs(folder)
            mmap.mmap(file.fileno(), mmap.PAGESIZE, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()
    except PermissionError as error:
        return f"{folder} {'cannot be written' if error.filename else 'is mounted noexec'}"
    except OSError as error:
        return f"{folder}: {error.strerror}"
    free_mib = free.f_bavail * free.f_frsize // MIB
    return f"{folder} has {free_mib} MiB free" if free_mib < memory_mib else ""


def _slow(folder: Path, kind: str, obstacles: Sequence[str]) -> str:
    reasons = f", since {', '.join(obstacles)}" if obstacles else ""
    return f"the guest's memory is in {folder}, on a disk ({kind}){reasons}: figures scatter while it is written"


@functools.cache
def _can_be_traced() -> bool:
    return not subprocess.run([sys.executable, "-I", "-c", _ASK_FOR_TRACE], check=False, capture_output=True).returncode
