# SPDX-License-Identifier: GPL-2.0
"""The build root: a small Debian of the next release in the cache, with the newest stock kernel and its headers.

Its tools are too new for the system's C library, so commands run inside it: in mount and pid namespaces of their own, which remove
every mount and process when they end. The system's package sources are read, never changed.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import apt, locks, packages, paths, proc, ui
from ..errors import HarnessError
from . import archive, shelf

SHELF = "buildroot"
STAMP = ".release"
"""The last file of a root to be written, with the release of its kernel."""

UNPACKED = ".unpacked"
"""File beside an unfinished root whose packages are installed."""

SUITE = "trixie"
HEADERS_SUITE = "trixie-backports"
PACKAGES = ("make", "kmod", "sparse", "iproute2")
"""What the builds need, and the ip that tests load our plugin into."""
KERNEL_PACKAGES = ("linux-headers", "linux-binary", "linux-modules")
"""Packages of the newest release. The headers pull in gcc and the libraries of their own tools."""

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
DEFAULT_MIRROR = "http://deb.debian.org/debian/"
LISTS_MAX_AGE_SECONDS = 24 * 3600

ENTER = paths.HARNESS / "buildroot" / "enter"
UNWANTED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")

NAMESPACES = ("setpriv", "--pdeathsig", "KILL", "--", "unshare", "--mount", "--pid", "--fork", "--kill-child=KILL")
"""With --fork, unshare ignores the SIGTERM that tells other children of the harness that it has died."""


@dataclass(frozen=True)
class BuildRoot:
    """A finished build root."""

    path: Path
    release: str
    """Release of the kernel that its headers are for, "7.3.4+deb13-amd64"."""

    @property
    def headers(self) -> Path:
        """The folder of the headers, as seen from outside."""
        return self.path / self.kdir.relative_to("/")

    @property
    def kdir(self) -> Path:
        """Folder for make -C kdir M=…, as seen from inside."""
        return Path("/usr/src") / f"linux-headers-{self.release}"

    @property
    def image(self) -> Path:
        """The kernel's image, as seen from outside."""
        return self.path / "usr/lib/modules" / self.release / "vmlinuz"

    def command(self, argv: Sequence[proc.Arg], output: Path | None = None) -> list[str]:
        """Return `argv` to run inside the root. The project is there at its own path.

        Only `output` is writable, by default the folder of objects. It has its own path there, too.
        """
        enter: list[proc.Arg] = [ENTER, self.path, paths.ROOT, output or paths.objects(), *argv]
        return [*_namespaces(), *(os.fspath(arg) for arg in enter)]


@dataclass(frozen=True)
class Kind:
    """What one kind of build root has, besides the newest kernel."""

    name: str
    """As messages call it."""
    shelf: str
    """Folder of the cache for the roots of this kind."""
    packages: tuple[str, ...]
    kernel_packages: tuple[str, ...]
    """Names of packages in front of the kernel's release."""
    version_packages: tuple[str, ...]
    """Names of packages in front of the kernel's version, "7.3"."""
    unwanted: tuple[str, ...]
    """Files that are not unpacked, as patterns of dpkg."""
    size: int
    """Size of the root, its archive and its downloaded packages while it is made, in bytes."""
    finish: Callable[[BuildRoot, Path], None] | None = None
    """Complete the unpacked root, with a folder for its work on the same file system."""
    finish_recipe: tuple[str, ...] = ()
    """What decides the result of `finish`."""
    announce: str = ""
    """What to say before the root is made."""


PLAIN = Kind("build root", SHELF, PACKAGES, KERNEL_PACKAGES, (), UNWANTED, size=3 << 29)
"""The root that builds the C modules."""


def find(kind: Kind = PLAIN) -> BuildRoot:
    """Return the build root with the newest kernel headers of the mirror, made if necessary (the plain one in about a minute).

    If the mirror is out of reach, return the newest existing root. HarnessError if there is none.
    """
    require_namespaces()
    roots = paths.make_folder(paths.cache() / kind.shelf, kind.name)
    try:
        release = newest_release(paths.make_folder(paths.cache() / SHELF, "package list"))
    except HarnessError as error:
        ready = sorted(roots.glob(f"{SUITE}_*/{STAMP}"), key=lambda file: file.stat().st_mtime)
        if not ready:
            raise
        ui.warn(f"{error}; going on with the {kind.name} that is there")
        return BuildRoot(ready[-1].parent, ready[-1].read_text(encoding="utf-8"))
    folder = roots / f"{SUITE}_{release}_{recipe(kind)}"
    with locks.held(shelf.lock(folder), f"it makes the {kind.name}"):
        if not (folder / STAMP).exists():
            _make(folder, release, kind)
    return BuildRoot(folder, release)


def built(kind: Kind = PLAIN) -> list[Path]:
    """Return the finished roots in the cache."""
    return [stamp.parent for stamp in (paths.cache_path() / kind.shelf).glob(f"{SUITE}_*/{STAMP}")]


def unused(kind: Kind = PLAIN) -> list[Path]:
    """Return the roots in the cache that find() does not use any more."""
    return shelf.unused(paths.cache_path() / kind.shelf, functools.partial(recipe, kind), STAMP)


def newest_release(roots: Path) -> str:
    """Return the newest kernel release with headers in the mirror, from package lists of our own that are at most a day old."""
    packages.ensure("base")
    state = paths.make_folder(roots / "apt", "package list")
    with locks.held(roots / "apt.lock", "it fetches the package lists"):
        options = _private_apt(state)
        stamp = state / "fetched"
        if not stamp.exists() or time.time() - stamp.stat().st_mtime > LISTS_MAX_AGE_SECONDS:
            with ui.step(f"looking for the newest kernel in {HEADERS_SUITE}"):
                _fetch_lists(options, stamp)
        depends = proc.check(["apt-cache", *options, "depends", "linux-headers-amd64"])
    match = re.search(r"Depends: linux-headers-(\d\S*)", depends)
    if not match:
        raise HarnessError(f"{HEADERS_SUITE} of {mirror()} has no linux-headers-amd64")
    return match.group(1)


@functools.cache
def mirror() -> str:
    """Return the mirror of the system's own apt, or Debian's if it is unknown."""
    try:
        targets = proc.check(["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"])
        codename = _codename()
    except (HarnessError, OSError):
        return DEFAULT_MIRROR
    for line in targets.splitlines():
        release, _, uri = line.partition(" ")
        if release == codename and uri.startswith(("http://", "https://")):
            return uri
    return DEFAULT_MIRROR


@functools.cache
def require_namespaces() -> None:
    """HarnessError if this process may not create the namespaces that the build root needs."""
    if subprocess.run([*_namespaces(), "true"], check=False, capture_output=True).returncode:
        raise HarnessError(
            "the build root needs root, or user namespaces for everyone (sysctl kernel.unprivileged_userns_clone=1)"
        )


def _namespaces() -> list[str]:
    return [*NAMESPACES, *([] if os.geteuid() == 0 else ["--map-root-user"]), "--"]


def _codename() -> str:
    release = Path("/etc/os-release").read_text(encoding="utf-8")
    match = re.search(r"^VERSION_CODENAME=(\w+)$", release, re.MULTILINE)
    return match.group(1) if match else ""


def recipe(kind: Kind = PLAIN) -> str:
    """Return a name of what decides the root's contents besides the kernel release."""
    ingredients = (SUITE, *kind.packages, *kind.kernel_packages, *kind.version_packages, *kind.unwanted, *kind.finish_recipe)
    return hashlib.sha256("\0".join(ingredients).encode()).hexdigest()[:10]


def _source(suite: str) -> str:
    return f"deb [signed-by={KEYRING}] {mirror()} {suite} main"


def _private_apt(state: Path) -> list[str]:
    """Return options that give apt sources, lists and caches of our own. Proxies and the like stay the system's."""
    (state / "sources.list").write_text(_source(HEADERS_SUITE) + "\n", encoding="utf-8")
    (state / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    settings = {
        "Dir::Etc::SourceList": state / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State": state,
        "Dir::State::status": "/dev/null",
        "Dir::Cache": state,
        "APT::Sandbox::User": "root",
        "APT::Architecture": "amd64",
        "Acquire::Languages": "none",
    }
    return [f"-o{name}={value}" for name, value in settings.items()]


def _fetch_lists(options: Sequence[str], stamp: Path) -> None:
    _require_keyring()
    update = ["apt-get", *options, "-oAPT::Update::Error-Mode=any", "-q", "update"]
    environment = proc.english()
    result = proc.stream([*update, *apt.IMPATIENT], env=environment)
    if result.status and not apt.silences(result.tail):
        result = proc.stream([*update, *apt.PATIENT], env=environment)
    if result.status:
        raise HarnessError(f"the package lists of {HEADERS_SUITE} cannot be fetched: {_reason(result)}")
    stamp.touch()


def _reason(result: proc.Finished) -> str:
    """Return why apt or mmdebstrap failed."""
    silent = apt.silences(result.tail)
    return str(silent[0]) if silent else apt.error(result.tail) or result.last


def _require_keyring() -> None:
    if not KEYRING.exists():
        raise HarnessError(f"{KEYRING} is missing: install debian-archive-keyring")


def _make(folder: Path, release: str, kind: Kind) -> None:
    """Make the root beside `folder`. It gets its name once it is complete."""
    archive.require_space(folder.parent, kind.size)
    packages.ensure("lint")
    _require_keyring()
    if os.geteuid() and not _has_subordinate_ids():
        raise HarnessError(
            "making the build root needs root, or subordinate user ids (in /etc/subuid and /etc/subgid, package uidmap)"
        )
    if kind.announce:
        ui.say(kind.announce)
    work = folder.with_name(f"{folder.name}{shelf.PART}")
    root = work / "root"
    if not (work / UNPACKED).exists():
        _unpack(work, release, kind)
    if kind.finish:
        kind.finish(BuildRoot(root, release), work)
    (root / STAMP).write_text(release, encoding="utf-8")
    root.rename(folder)
    shutil.rmtree(work, ignore_errors=True)


def _unpack(work: Path, release: str, kind: Kind) -> None:
    """Make and unpack the root in the folder `work`, which stays if that succeeds: the next call need not repeat it."""
    shutil.rmtree(work, ignore_errors=True)
    root = paths.make_folder(work / "root", kind.name)
    try:
        with ui.step(f"making the {kind.name}: {SUITE} with Linux {release}"):
            _bootstrap(work / "root.tar", release, kind)
            proc.check(["tar", "--extract", "--no-same-owner", "--exclude=./dev/*", "--directory", root, "--file", work / "root.tar"])
            (work / "root.tar").unlink()
        (work / UNPACKED).touch()
    finally:
        if not (work / UNPACKED).exists():
            shutil.rmtree(work, ignore_errors=True)


def _has_subordinate_ids() -> bool:
    """Return true if mmdebstrap can give the root's files to more than one user without root's privileges."""
    return (
        subprocess.run(["mmdebstrap", "--unshare-helper", "true"], check=False, capture_output=True).returncode == 0
    )


def _bootstrap(tar: Path, release: str, kind: Kind = PLAIN) -> None:
    version = ".".join(release.split(".")[:2])
    named = [f"{name}-{release}" for name in kind.kernel_packages] + [f"{name}-{version}" for name in kind.version_packages]
    include = ",".join((*kind.packages, *named))
    mmdebstrap = [
        "mmdebstrap", "--variant=essential", f"--include={include}", "--architectures=amd64", f"--keyring={KEYRING}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in kind.unwanted),
        *(f"--aptopt={option}" for option in _network_options()),
        # They may have the password of a proxy, and nothing is installed in the root later.
        '--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap"',
    ]  # fmt: skip
    sources = [_source(SUITE), _source(HEADERS_SUITE)]
    environment = {**proc.build_environment(), **apt.proxy_environment()}
    if os.geteuid() == 0:
        # Its temporary folder lies in ours, its mounts and processes in a namespace: an abrupt end leaves nothing behind.
        mmdebstrap = [*NAMESPACES, "--mount-proc", "--", *mmdebstrap, "--mode=root"]
        environment["TMPDIR"] = str(tar.parent)
    else:
        mmdebstrap = [*mmdebstrap, "--mode=unshare"]
    log = paths.logs() / f"{kind.shelf}.log"
    log.unlink(missing_ok=True)
    result = proc.stream([*mmdebstrap, SUITE, tar, *sources], log=log, env=environment)
    if result.status:
        raise HarnessError(f"mmdebstrap cannot make the {kind.name}: {_reason(result)} (log: {log})")


def _network_options() -> list[str]:
    """Return apt's options for the network: the proxies of the system's apt, which mmdebstrap does not read, and some patience.

    One retry, since a broken connection would waste the minute before it.
    """
    patience = ('Acquire::Retries "1"', 'Acquire::http::Timeout "15"', 'Acquire::https::Timeout "15"')
    return [*(line.rstrip(";") for line in apt.proxy_options()), *patience]
