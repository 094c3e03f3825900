# SPDX-License-Identifier: GPL-2.0
"""Initial RAM file systems for guests: "newc" archives, written here so that neither root nor cpio is needed.

The kernel unpacks archives that lie one after the other into the same tree, and needs no compression: at a few MiB,
packing would cost more time than it saves.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path, PurePosixPath

from .. import proc
from ..errors import HarnessError

BUSYBOX = Path("/bin/busybox")
KMOD_NAMES = ("depmod", "insmod", "lsmod", "modinfo", "modprobe", "rmmod")
SHELLS = ("sh", "ash", "bash")
"""Applets left out: the shells of a static busybox prefer its applets, its insmod say, to what lies in PATH."""

_LDD_LINE = re.compile(r"(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)")


class Archive:
    """A cpio archive under construction. Its bytes depend on the content alone: no times, no owners of the host."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._known: set[PurePosixPath] = {PurePosixPath("/")}

    def folder(self, path: str | PurePosixPath) -> None:
        """Add a folder and those above it; one that is there already is left alone."""
        where = PurePosixPath(path)
        if where not in self._known:
            self._add(where, stat.S_IFDIR | 0o755)

    def file(self, path: str | PurePosixPath, content: bytes, *, executable: bool = False) -> None:
        """Add a file with this content."""
        self._add(PurePosixPath(path), stat.S_IFREG | (0o755 if executable else 0o644), content)

    def copy(self, source: Path, path: str | PurePosixPath) -> None:
        """Add a copy of a host's file; HarnessError when it cannot be read."""
        try:
            self.file(path, source.read_bytes(), executable=bool(source.stat().st_mode & stat.S_IXUSR))
        except OSError as error:
            raise HarnessError(f"{source} cannot be put into the guest: {error.strerror}") from error

    def symlink(self, path: str | PurePosixPath, to: str) -> None:
        """Add a symbolic link that reads `to`."""
        self._add(PurePosixPath(path), stat.S_IFLNK | 0o777, to.encode())

    def device(self, path: str | PurePosixPath, major: int, minor: int) -> None:
        """Add a character device."""
        self._add(PurePosixPath(path), stat.S_IFCHR | 0o600, device=(major, minor))

    def tree(self, source: Path, path: str | PurePosixPath) -> None:
        """Add all regular files below a host's folder, links resolved; links to folders are left out."""
        for entry in sorted(source.rglob("*")):
            if entry.is_file():
                self.copy(entry, PurePosixPath(path) / entry.relative_to(source).as_posix())

    def program(self, source: Path, path: str | PurePosixPath) -> None:
        """Add a program with the shared libraries that ldd names, at the paths where its loader looks for them."""
        self.copy(source, path)
        for library in libraries(source):
            self.once(library)

    def once(self, source: Path) -> None:
        """Add a copy of a host's file at its own place, unless something is there already."""
        if PurePosixPath(source) not in self._known:
            self.copy(source, PurePosixPath(source))

    def packed(self) -> bytes:
        """The finished archive, padded so that another may follow it."""
        finished = self._data + _entry(0, b"TRAILER!!!", 0, b"", (0, 0))
        return bytes(finished + b"\0" * (-len(finished) % 512))

    def _add(self, path: PurePosixPath, mode: int, content: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        self.folder(path.parent)
        self._known.add(path)
        self._data += _entry(len(self._known), str(path).lstrip("/").encode(), mode, content, device)


def _entry(inode: int, name: bytes, mode: int, content: bytes, device: tuple[int, int]) -> bytes:
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (inode, mode, 0, 0, links, 0, len(content), 0, 0, *device, len(name) + 1, 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields) + name + b"\0"
    return header + b"\0" * (-len(header) % 4) + content + b"\0" * (-len(content) % 4)


def libraries(program: Path) -> list[Path]:
    """The shared libraries of a program, its loader among them; none for a static one. HarnessError when one is missing."""
    try:
        listing = proc.check(["ldd", program])
    except HarnessError as error:
        if "not a dynamic executable" in str(error):
            return []
        raise
    for line in listing.splitlines():
        if "not found" in line:
            raise HarnessError(f"{program} lacks a library on this machine: {line.strip()}")
    return [Path(found) for found in _LDD_LINE.findall(listing)]


def base() -> Archive:
    """What every guest of this kind has: busybox, dash as sh, and where the kernel's file systems go."""
    archive = Archive()
    for mount_point in ("dev", "proc", "sys", "run", "tmp", "root"):
        archive.folder(f"/{mount_point}")
    archive.device("/dev/console", 5, 1)
    archive.program(BUSYBOX, "/bin/busybox")
    for applet in proc.check([BUSYBOX, "--list-full"]).split():
        if PurePosixPath(applet).name not in (*KMOD_NAMES, *SHELLS, "busybox"):
            archive.symlink(f"/{applet}", "/bin/busybox")
    archive.program(Path("/bin/dash"), "/bin/sh")
    return archive


def with_modules(ko_dir: Path, mod_root: Path) -> Archive:
    """The base, the real kmod, bash, the .ko files in /dsbench, and /lib/modules as modules_install left it."""
    archive = base()
    archive.program(Path("/bin/bash"), "/bin/bash")
    archive.program(Path("/bin/kmod"), "/bin/kmod")
    for name in KMOD_NAMES:
        archive.symlink(f"/sbin/{name}", "/bin/kmod")
    archive.folder("/dsbench")
    archive.tree(ko_dir, "/dsbench")
    archive.tree(mod_root / "lib/modules", "/lib/modules")
    return archive
