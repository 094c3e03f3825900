# SPDX-License-Identifier: GPL-2.0
"""Debian's linux-source: a package with the kernel's source as a compressed tar file, installed or in the archive."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .. import locks, packages, paths, proc, ui
from ..errors import HarnessError
from . import archive, shelf

TESTS, DRIVERS, YNL = SHELVES = ("kernel-tests", "kernel-drivers", "kernel-ynl")
"""The sets of files to take, each in a folder of the cache."""
USR_SRC = Path("/usr/src")

SOURCE_FILES = 51_000
"""Files that unpack() unpacks of 6.12, for the progress display alone."""

SKIPPED = (
    "Documentation/*/*",
    *(
        f"arch/{name}/*.{kind}"
        for kind in ("[chS]", "dts*", "rst", "tbl")
        for name in (
            "alpha", "arc", "arm", "arm64", "csky", "hexagon", "loongarch", "m68k", "microblaze", "mips", "nios2",
            "openrisc", "parisc", "powerpc", "riscv", "s390", "sh", "sparc", "xtensa",
        )
    ),
    *(f"{name}/*.[ch]" for name in ("drivers/gpu", "drivers/infiniband", "drivers/media", "drivers/staging", "sound")),
)  # fmt: skip
"""Folders that are not unpacked: no part of User Mode Linux or of x86, and half of the source. Kconfig files and Makefiles are read."""

_ABSENT = re.compile(r"Not found in archive|Exiting with failure status due to previous errors")


@dataclass(frozen=True)
class Picked:
    """Files of a kernel source, all in one folder of the cache."""

    source: str
    """Name and version of their source, "linux-source-6.12 6.12.117-1"."""
    folder: Path


@contextlib.contextmanager
def tarball(package: archive.Package) -> Iterator[IO[bytes]]:
    """Return the tar.xz file in the package as a stream."""
    deb = archive.download(package)
    unpack: list[proc.Arg] = ["dpkg-deb", "--fsys-tarfile", deb]
    find = ["tar", "--extract", "--to-stdout", "--wildcards", "./usr/src/linux-source-*.tar.xz"]
    with (
        proc.child(unpack, stdout=subprocess.PIPE) as outer,
        proc.child(find, stdin=outer.stdout, stdout=subprocess.PIPE) as inner,
    ):
        assert outer.stdout is not None and inner.stdout is not None
        yield inner.stdout


def unpack(name: str, stream: IO[bytes], folder: Path) -> None:
    """Unpack the tar.xz of a kernel's source into `folder` without SKIPPED. HarnessError, and no folder, if that fails."""
    expand: list[proc.Arg] = [
        "tar", "--extract", "--xz", "--verbose", "--strip-components=1", "--no-same-owner", "--directory", folder,
        *(f"--exclude=linux-source-*/{pattern}" for pattern in SKIPPED),
    ]  # fmt: skip
    with ui.Progress(f"unpacking {name}", SOURCE_FILES, "files") as progress:
        result = proc.stream(expand, stdin=stream, on_line=lambda line: progress.advance())
    if result.status:
        shutil.rmtree(folder, ignore_errors=True)
        raise HarnessError(f"{name} cannot be unpacked into {folder}: {result.last}")


def counter(progress: ui.Progress) -> Callable[[str], None]:
    """Return a receiver for kbuild's lines: each step that it reports advances `progress`."""

    def count(line: str) -> None:
        if re.match(r" +[A-Z]+ ", line):
            progress.advance(line.split()[-1])

    return count


def pick(version: str, files: Sequence[str], shelf_name: str) -> Picked:
    """Return files of the source of `version` ("6.12"), named from its top, in the cache. Each of SHELVES always has the same files.

    Files that this source lacks are absent. HarnessError if the source cannot be obtained.
    """
    packages.ensure("base")
    name = f"linux-source-{version}"
    place = paths.make_folder(paths.cache() / shelf_name, "cache")
    installed = _installed_version(name)
    package = None if installed else archive.candidate(name)
    if not installed and not package and (kept := _kept(place, name)):
        return _picked(kept[-1])
    package = package or (None if installed else archive.require(name))
    folder = place / f"{name}_{package.version if package else installed}"
    with locks.held(shelf.lock(folder), f"it unpacks {name}"):
        if not folder.exists():
            work = folder.with_name(f"{folder.name}{shelf.PART}")
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            with _stream(name, package) as stream:
                _extract(stream, files, work, name)
            work.rename(folder)
            if package:
                archive.discard(package)
    return _picked(folder)


def _kept(place: Path, name: str) -> list[Path]:
    """Return the files taken from any version of the package, the last version by name."""
    return sorted(path for path in place.glob(f"{name}_*") if path.is_dir() and path.suffix != shelf.PART)


def _picked(folder: Path) -> Picked:
    return Picked(folder.name.replace("_", " ", 1), folder)


def _installed_version(name: str) -> str:
    """Return the version of the installed package, "" if it is not installed."""
    if not (USR_SRC / f"{name}.tar.xz").exists():
        return ""
    with contextlib.suppress(HarnessError):
        return proc.check(["dpkg-query", "--show", "--showformat=${Version}", name]).strip()
    return ""


@contextlib.contextmanager
def _stream(name: str, package: archive.Package | None) -> Iterator[IO[bytes]]:
    if package:
        with tarball(package) as stream:
            yield stream
    else:
        with (USR_SRC / f"{name}.tar.xz").open("rb") as file:
            yield file


def _extract(stream: IO[bytes], files: Sequence[str], folder: Path, name: str) -> None:
    argv: list[proc.Arg] = [
        "tar", "--extract", "--xz", "--no-same-owner", "--wildcards", "--transform=s,.*/,,", "--directory", folder,
        *(f"linux-source-*/{file}" for file in files),
    ]  # fmt: skip
    with ui.step(f"taking {', '.join(file.rsplit('/')[-1] for file in files)} out of {name}"):
        result = proc.stream(argv, stdin=stream)
    if result.status and (damage := [line for line in result.tail if not _ABSENT.search(line)]):
        raise HarnessError(f"{name} cannot be unpacked: {damage[0]}")
