# SPDX-License-Identifier: GPL-2.0
"""Debian's package archive without changes to the system: `apt-get download`, unpacked into the cache by `dpkg-deb`.

A package or a tree of packages gets its name only once it is complete: it is made beside the name and renamed.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import apt, locks, packages, paths, proc, ui
from ..errors import HarnessError

MIB = 1 << 20


@dataclass(frozen=True)
class Package:
    """One package as the lists describe it."""

    name: str
    version: str
    depends: str
    size: int
    sha256: str
    arch: str = ""
    """Of another architecture than the system's."""


def names(pattern: str, arch: str = "") -> list[str]:
    """Return the packages in the lists whose names match the POSIX expression `pattern`.

    `arch` is an architecture other than the system's ("arm64"); its lists are in the cache, see refresh_foreign().
    """
    listing = _apt_cache(arch, "search", "--names-only", pattern)
    return [line.partition(" - ")[0] for line in listing.splitlines()]


def candidate(name: str, arch: str = "") -> Package | None:
    """Return the version of a package that apt would install, or None if the lists have none. `arch` as for names()."""
    record = _apt_cache(arch, "show", "--no-all-versions", name)
    fields = dict(line.split(": ", 1) for line in record.splitlines() if ": " in line and line[0] != " ")
    if "Filename" not in fields:
        return None
    return Package(
        name=name,
        version=fields["Version"],
        depends=fields.get("Depends", ""),
        size=int(fields["Size"]),
        sha256=fields["SHA256"],
        arch=arch,
    )


def refresh_foreign(arch: str) -> None:
    """Fetch the package lists of another architecture into the cache. HarnessError if that fails. The system's stay as they are."""
    with ui.step(f"fetching the package lists of {arch}"):
        answer = subprocess.run(
            ["apt-get", *_apt_options(arch), *apt.PATIENT, "update"],
            check=False, capture_output=True, encoding="utf-8", errors="replace", env=proc.english(),
        )  # fmt: skip
    if answer.returncode:
        lines = answer.stderr.splitlines()
        said = next(map(str, apt.silences(lines)), "") or apt.error(lines) or f"apt-get ends with status {answer.returncode}"
        raise HarnessError(f"the package lists of {arch} cannot be fetched: {said}")


def require(name: str) -> Package:
    """Return candidate(), after an update of the lists if they lack the package. HarnessError if they still do."""
    found = candidate(name)
    if not found:
        packages.refresh()
        found = candidate(name)
    if not found:
        raise HarnessError(f"the package archive has no {name}: see the sources in /etc/apt")
    return found


def download(package: Package) -> Path:
    """Return the package's file in the cache. A partial download is resumed, a damaged one is fetched again."""
    folder = paths.make_folder(paths.cache() / "debs", "download")
    deb = _deb(package)
    with locks.held(folder / f"{package.name}.lock", f"it downloads {package.name}"):
        if deb.exists() and _sha256(deb) == package.sha256:
            return deb
        require_space(folder, package.size)
        work = paths.make_folder(folder / f"{package.name}-{package.version}", "download")
        _fetch(package, work)
        fetched = next(work.glob("*.deb"), None)
        if not fetched or _sha256(fetched) != package.sha256:
            shutil.rmtree(work)
            raise HarnessError(f"the download of {package.name} {package.version} is damaged: try again")
        fetched.rename(deb)
        shutil.rmtree(work)
    return deb


def tree(
    name: str,
    wanted: Callable[[], Sequence[Package]],
    *,
    proofs: Sequence[str],
    mend: Callable[[Path], None] | None = None,
) -> Path:
    """Return the folder of the cache with the packages of `wanted` unpacked one over the other.

    `proofs` are files that it must have, not empty; otherwise it is damaged and made again. `mend` receives the unpacked folder before
    it gets its name.
    """
    folder = paths.cache() / "archive" / name
    with locks.held(folder.with_name(f"{name}.lock"), f"it unpacks {name}"):
        if all(_solid(folder / proof) for proof in proofs):
            return folder
        work = folder.with_name(f"{name}.part")
        for stale in (folder, work):
            shutil.rmtree(stale, ignore_errors=True)
        parts = wanted()
        paths.make_folder(work, "unpacking")
        require_space(work, 6 * sum(package.size for package in parts))
        debs = [download(package) for package in parts]
        with ui.step(f"unpacking {name}"):
            for deb in debs:
                proc.check(["dpkg-deb", "--extract", deb, work])
        if mend:
            mend(work)
        if lacking := [proof for proof in proofs if not _solid(work / proof)]:
            raise HarnessError(f"the packages of {name} lack {', '.join(lacking)}")
        work.rename(folder)
        for package in parts:
            discard(package)
    return folder


def discard(package: Package) -> None:
    """Remove the package's downloaded file."""
    _deb(package).unlink(missing_ok=True)


def require_space(folder: Path, size: int) -> None:
    """HarnessError if the file system of `folder` has fewer than `size` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < size:
        raise HarnessError(
            f"{folder} has {free // MIB} MiB free, {size // MIB + 1} MiB are needed (DSBENCH_CACHE names another folder)"
        )


def _deb(package: Package) -> Path:
    return paths.cache() / "debs" / f"{package.name}-{package.sha256[:16]}.deb"


def _fetch(package: Package, folder: Path) -> None:
    """Download the package into `folder`, at first without retries. HarnessError names a mirror that does not answer."""
    status, lines = _download(package, folder, apt.IMPATIENT)
    if status and not apt.silences(lines):
        status, lines = _download(package, folder, apt.PATIENT)
    if status:
        silent = apt.silences(lines)
        reason = silent[0] if silent else f"{apt.error(lines) or f'apt-get ends with status {status}'} (try apt-get update)"
        raise HarnessError(f"{package.name} {package.version} cannot be downloaded: {reason}")


def _download(package: Package, folder: Path, patience: Sequence[str]) -> tuple[int, list[str]]:
    """Return the status of apt-get and the lines of its output."""
    argv = ["apt-get", *_apt_options(package.arch), *patience, "download", f"{package.name}={package.version}"]
    log = folder.parent / f"{package.name}.log"
    total = package.size // MIB + 1
    with (
        ui.Progress(f"downloading {package.name} {package.version}", total, "MiB") as progress,
        log.open("wb") as sink,
        proc.child(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=proc.english()) as process,
    ):
        while True:
            try:
                status = process.wait(timeout=ui.REDRAW_SECONDS)
                break
            except subprocess.TimeoutExpired:
                progress.update(sum(file.stat().st_size for file in folder.glob("*.deb")) // MIB)
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    if not status:
        log.unlink()
    return status, lines


def _apt_cache(arch: str, *arguments: str) -> str:
    """Return the output of apt-cache; "" where there is none, as if the package lists were empty: what the cache has still works."""
    argv = ["apt-cache", *_apt_options(arch), *arguments]
    try:
        return subprocess.run(argv, check=False, capture_output=True, encoding="utf-8", errors="replace").stdout
    except FileNotFoundError:
        return ""


def _apt_options(arch: str = "") -> list[str]:
    """Return the options for a package index of our own: container images keep none, so each call would build it anew.

    Another architecture has package lists of its own there, too, and no installed packages.
    """
    index = paths.make_folder(paths.cache() / "apt" / arch, "package index")
    foreign: list[str] = []
    if arch:
        status = index / "status"
        status.touch()
        lists = paths.make_folder(index / "lists", "package index")
        settings = {"APT::Architecture": arch, "APT::Architectures": arch, "Dir::State::Lists": lists, "Dir::State::Status": status}
        foreign = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    return [
        *foreign,
        "-o", f"Dir::Cache::pkgcache={index}/pkgcache.bin", "-o", f"Dir::Cache::srcpkgcache={index}/srcpkgcache.bin",
        "-o", "APT::Sandbox::User=root",
    ]  # fmt: skip


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(MIB):
            digest.update(block)
    return digest.hexdigest()


def _solid(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0
