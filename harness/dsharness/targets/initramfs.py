# SPDX-License-Identifier: GPL-2.0
"""Initial RAM file systems for guests: "newc" archives, written here so that they need neither root nor cpio.

The kernel unpacks consecutive archives into one tree, and needs no compression: for a few MiB, compression would take longer than
it saves.
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
"""Applets that are left out: the shells of a static busybox prefer its applets, insmod for instance, to programs in PATH."""

_LDD_LINE = re.compile(r"(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)")


class Archive:
    """A cpio archive under construction. Its bytes depend on the content alone: it has no times and no owners of the host."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._known: set[PurePosixPath] = {PurePosixPath("/")}

    def folder(self, path: str | PurePosixPath) -> None:
        """Add a folder and its parents, unless they exist."""
        where = PurePosixPath(path)
        if where not in self._known:
            self._add(where, stat.S_IFDIR | 0o755)

    def file(self, path: str | PurePosixPath, content: bytes, *, executable: bool = False) -> None:
        """Add a file with this content."""
        self._add(PurePosixPath(path), stat.S_IFREG | (0o755 if executable else 0o644), content)

    def copy(self, source: Path, path: str | PurePosixPath) -> None:
        """Add a copy of a file of the host. HarnessError if it cannot be read."""
        try:
            self.file(path, source.read_bytes(), executable=bool(source.stat().st_mode & stat.S_IXUSR))
        except OSError as error:
            raise HarnessError(f"{source} cannot be put into the guest: {error.strerror}") from error

    def symlink(self, path: str | PurePosixPath, to: str) -> None:
        """Add a symbolic link to `to`."""
        self._add(PurePosixPath(path), stat.S_IFLNK | 0o777, to.encode())

    def device(self, path: str | PurePosixPath, major: int, minor: int) -> None:
        """Add a character device."""
        self._add(PurePosixPath(path), stat.S_IFCHR | 0o600, device=(major, minor))

    def tree(self, source: Path, path: str | PurePosixPath) -> None:
        """Add all regular files below a folder of the host, with links resolved. Links to folders are left out."""
        for entry in sorted(source.rglob("*")):
            if entry.is_file():
                self.copy(entry, PurePosixPath(path) / entry.relative_to(source).as_posix())

    def program(self, source: Path, path: str | PurePosixPath) -> None:
        """Add a program with the shared libraries that ldd lists, at the paths where its loader looks for them."""
        self.copy(source, path)
        for library in libraries(source):
            self.once(library)

    def once(self, source: Path) -> None:
        """Add a copy of a file of the host at its own path, unless the path exists."""
        if PurePosixPath(source) not in self._known:
            self.copy(source, PurePosixPath(source))

    def packed(self) -> bytes:
        """Return the finished archive, padded so that another can follow."""
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
    """Return the shared libraries of a program with its loader; none if it is static. HarnessError if one is missing."""
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
    """Return the base of every guest: busybox, dash as sh, and the mount points of the kernel's file systems."""
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
    """Return the base with kmod, bash, the .ko files in /dsbench, and /lib/modules as modules_install creates it."""
    archive = base()
    archive.program(Path("/bin/bash"), "/bin/bash")
    archive.program(Path("/bin/kmod"), "/bin/kmod")
    for name in KMOD_NAMES:
        archive.symlink(f"/sbin/{name}", "/bin/kmod")
    archive.folder("/dsbench")
    archive.tree(ko_dir, "/dsbench")
    archive.tree(mod_root / "lib/modules", "/lib/modules")
    return archive
