# SPDX-License-Identifier: GPL-2.0
"""Debian packages: which of those in packages.txt are missing, and their installation.

An installation is announced: which packages, how many, the sizes of the download and on the disk, what is setuid or a server. On a
terminal the user is asked, unless --yes was given. NO_INSTALL=1 in the environment prevents installation; the missing packages are
named instead. Nothing is ever removed.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from . import apt, options, paths, proc, ui
from .errors import HarnessError, UsageError

LIST = paths.HARNESS / "packages.txt"
APT_GET = ("apt-get", "-y", "-q", "-o", "DPkg::Lock::Timeout=600", "-o", "APT::Get::Remove=false")
DPKG_QUERY = "dpkg-query"
LOG = "apt.log"
MOST_COLUMNS = 110
WARNINGS = {"setuid": "setuid programs", "server": "servers, which the installation does not start"}
"""What packages.txt says of a package, and how it is announced."""

INSTEAD = {
    "binutils": "strip", "busybox": "busybox", "gcc": "gcc", "make": "make", "kmod": "depmod", "xz-utils": "xz",
    "gnuplot-nox": "gnuplot", "flex": "flex", "bison": "bison", "bc": "bc", "perl": "perl", "git": "git", "qemu-system-x86": "qemu-system-x86_64",
    "iproute2": "ip", "iperf3": "iperf3", "sockperf": "sockperf", "wireguard-tools": "wg", "mypy": "mypy", "sparse": "sparse",
    "shellcheck": "shellcheck", "mmdebstrap": "mmdebstrap",
    "python3-rich": "rich", "python3-numpy": "numpy", "python3-scipy": "scipy", "python3-psutil": "psutil", "python3-pytest": "pytest",
    "python3-pytest-xdist": "xdist", "python3-jsonschema": "jsonschema",
}  # fmt: skip
"""What to look for on a system without dpkg: a program, or for python3-* a module. Other packages are assumed to be there."""
PYTHON = "python3-"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Entry:
    """A package of the list."""

    names: tuple[str, ...]
    """Its names in several releases of Debian, the oldest release first."""
    warnings: tuple[str, ...] = ()
    """Keys of WARNINGS."""

    def __str__(self) -> str:
        return self.names[0]


@dataclass
class _Consent:
    given: bool = False
    """The user has said yes to every installation of this process."""
    refused: bool = False
    """The user has said no, and is not asked again: lint goes on without the checks that lack something."""


_consent = _Consent()


def consent() -> None:
    """Install without asking from now on: --yes was given."""
    _consent.given = True


def groups() -> dict[str, list[Entry]]:
    """Return the packages of each group. `[group]` starts a group, a line is a package, `#` starts a comment."""
    found: dict[str, list[Entry]] = {}
    current: list[Entry] | None = None
    for line in LIST.read_text(encoding="utf-8").splitlines():
        entry = line.partition("#")[0].strip()
        if entry.startswith("[") and entry.endswith("]"):
            current = found.setdefault(entry[1:-1], [])
        elif entry and current is not None:
            current.append(_entry(entry))
        elif entry:
            raise HarnessError(f"{LIST}: {entry!r} stands before the first [group]")
    return found


def _entry(text: str) -> Entry:
    names, *warnings = text.split()
    if unknown := [word for word in warnings if word not in WARNINGS]:
        raise HarnessError(f"{LIST}: {unknown[0]!r} after {names!r} is unknown: there are {', '.join(WARNINGS)}")
    return Entry(tuple(names.split("|")), tuple(warnings))


def missing(names: Sequence[str]) -> list[Entry]:
    """Return the packages of these groups that are not installed. UsageError for an unknown group.

    Without dpkg, a package is missing if its program or Python module is.
    """
    known = groups()
    for name in names:
        if name not in known:
            raise UsageError(f"package group {name!r} is unknown: there are {', '.join(known)}{options.suggestion(name, known)}")
    wanted = list(dict.fromkeys(entry for name in names for entry in known[name]))
    installed = _installed()
    if not installed:
        return [entry for entry in wanted if _absent_without_dpkg(entry)]
    return [entry for entry in wanted if installed.isdisjoint(entry.names)]


def ensure(*names: str) -> None:
    """Install the missing packages of these groups. HarnessError if that is forbidden, refused, impossible or fails."""
    absent = missing(names)
    if not absent:
        return
    if not can_install():
        raise HarnessError(f"missing here: {remedy(absent)} (this system has no dpkg with apt-get, by which dsbench installs packages)")
    chosen = installable(absent)
    command = _command(chosen)
    if forbidden():
        raise HarnessError(f"missing packages: {' '.join(chosen)} (NO_INSTALL is set; install them by: {command})")
    change = _simulated(chosen)
    if change.removed:
        raise HarnessError(
            f"missing packages: {' '.join(chosen)} (they would remove {' '.join(change.removed)}, and dsbench removes nothing;"
            f" as root: {command})"
        )
    ui.say(announcement(absent, chosen, change))
    _ask(chosen)
    _authorise(f"missing packages: {' '.join(chosen)} (as root: {command})")
    with ui.step(f"installing {' '.join(chosen)}"):
        _install(chosen)
    if still := missing(names):
        raise HarnessError(f"apt-get has installed {' '.join(chosen)}, but dpkg does not list {' '.join(map(str, still))}")


def installable(entries: Sequence[Entry]) -> list[str]:
    """Return the name of each package that the archive of this release has; the first one if the lists have none."""
    several = [name for entry in entries if len(entry.names) > 1 for name in entry.names]
    offered = apt.candidates(several) if several else set()
    return [next((name for name in entry.names if name in offered), entry.names[0]) for entry in entries]


def can_install() -> bool:
    """Return true if this system has apt-get and a database of dpkg."""
    return bool(shutil.which("apt-get") and _installed())


def remedy(entries: Sequence[Entry]) -> str:
    """Return what the user can do about missing packages: a command, or without apt-get what to look for."""
    if can_install():
        return _command(installable(entries))
    modules = [INSTEAD.get(str(entry), str(entry)) for entry in entries if str(entry).startswith(PYTHON)]
    programs = [INSTEAD.get(str(entry), str(entry)) for entry in entries if not str(entry).startswith(PYTHON)]
    parts = [f"{what} {', '.join(names)}" for what, names in (("programs:", programs), ("Python modules:", modules)) if names]
    return "; ".join(parts)


def _command(names: Sequence[str]) -> str:
    return f"apt-get install --no-install-recommends {' '.join(names)}"


def announcement(absent: Sequence[Entry], chosen: Sequence[str], change: apt.Installation) -> str:
    """Return what is going to be installed, for people."""
    count = len(change.new)
    parts = {
        "needed": list(chosen),
        "with them": [name for name in change.new if name not in chosen],
        "newer versions": list(change.upgraded),
    }
    for warning, words in WARNINGS.items():
        parts[words] = [name for entry, name in zip(absent, chosen) if warning in entry.warnings]
    head = f"{count} package{'s' if count != 1 else ''} of Debian to install, {change.download} to download, {change.disk} on the disk:"
    width = min(shutil.get_terminal_size().columns, MOST_COLUMNS)
    folded = (
        textwrap.fill(f"{title}: {' '.join(names)}", width, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
        for title, names in parts.items()
        if names
    )
    return "\n".join([head, *folded])


def forbidden() -> bool:
    """Has the user said NO_INSTALL=1?"""
    return os.environ.get("NO_INSTALL", "0") not in ("", "0")


def refresh() -> None:
    """Update the package lists. HarnessError if that fails, or if no mirror answers. A mirror that fails alone is a warning."""
    if not shutil.which("apt-get"):
        raise HarnessError("there is no apt-get here: dsbench takes kernels and packages from Debian's archive (doctor, plot and compare work)")
    if forbidden():
        raise HarnessError("the package lists are missing or old (NO_INSTALL is set; fetch them by: apt-get update)")
    _authorise("the package lists are missing or old (as root: apt-get update)")
    with ui.step("fetching the package lists"):
        status, lines = _apt(*apt.IMPATIENT, "update")
        silent = apt.silences(lines)
        if silent and not any(line.startswith(("Get:", "Hit:")) for line in lines):
            raise HarnessError(f"the package lists cannot be fetched: {silent[0]}")
        if status:
            raise HarnessError(f"apt-get update failed: {_complaint(status, lines)}")
    for silence in silent:
        ui.warn(str(silence))


def _simulated(chosen: Sequence[str]) -> apt.Installation:
    """Simulate the installation. Missing or old package lists show as a package that is not found: update the lists only then."""
    try:
        return apt.simulated(chosen)
    except HarnessError:
        refresh()
    try:
        return apt.simulated(chosen)
    except HarnessError as error:
        raise HarnessError(f"apt-get cannot install {' '.join(chosen)}: {error}") from error


def _ask(chosen: Sequence[str]) -> None:
    """Ask for consent on a terminal. Without a terminal nobody can be asked: the announcement has to do."""
    if _consent.given or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    if not _consent.refused:
        sys.stderr.write("install them? [Y/n] (--yes: do not ask) ")
        sys.stderr.flush()
        answer = sys.stdin.readline()
        _consent.refused = not answer or answer.strip().lower() not in ("", "y", "yes")
    if _consent.refused:
        raise HarnessError(f"missing packages: {' '.join(chosen)} (nothing was installed)")


def _install(chosen: Sequence[str]) -> None:
    """Install, at first without retries. HarnessError names a mirror that does not answer."""
    status, lines = _apt(*apt.IMPATIENT, "--no-install-recommends", "install", *chosen)
    if not status:
        return
    if silent := apt.silences(lines):
        raise HarnessError(f"{' '.join(chosen)} cannot be downloaded: {silent[0]}")
    refresh()
    status, lines = _apt(*apt.PATIENT, "--no-install-recommends", "install", *chosen)
    if status:
        silent = apt.silences(lines)
        raise HarnessError(f"apt-get cannot install {' '.join(chosen)}: {silent[0] if silent else _complaint(status, lines)}")


@functools.cache
def _authorise(otherwise: str) -> None:
    """Let sudo ask for its password now, before a progress line is drawn. HarnessError if there is no way to become root."""
    if os.geteuid() == 0:
        return
    if not shutil.which("sudo"):
        raise HarnessError(f"{otherwise}; you are not root, and there is no sudo")
    if subprocess.run(["sudo", "-v"], check=False).returncode:
        raise HarnessError(f"{otherwise}; sudo refused")


def _installed() -> set[str]:
    """Return the names of the installed packages, and the names that they provide: a renamed package provides its old name.

    The set is empty on a system that has no dpkg, or has dpkg beside another package manager.
    """
    query = [DPKG_QUERY, "--show", "--showformat", "${db:Status-Status}\t${Package}\t${Provides}\n"]
    found: set[str] = set()
    try:
        answer = subprocess.run(query, check=False, capture_output=True, encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return found
    for line in answer.stdout.splitlines():
        status, _, names = line.partition("\t")
        if status == "installed":
            found.update(name.split("(")[0].split(":")[0].strip() for name in names.replace("\t", ",").split(","))
    return found


def _absent_without_dpkg(entry: Entry) -> bool:
    name = INSTEAD.get(str(entry))
    if not name:
        return False
    if str(entry).startswith(PYTHON):
        return importlib.util.find_spec(name) is None
    return not shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}")


def _complaint(status: int, lines: Sequence[str]) -> str:
    return f"{apt.error(lines) or f'status {status}'} (log: {paths.logs() / LOG})"


def _apt(*arguments: str) -> tuple[int, list[str]]:
    """Run apt-get as root. Return its status and the lines of its output, which the log has, too.

    An interrupted dpkg leaves a broken system, so ^C waits for it instead of killing it. sudo drops the variables for proxies unless
    it is told to keep them.
    """
    log = paths.logs() / LOG
    proxies = ",".join(apt.proxy_environment())
    sudo = [] if os.geteuid() == 0 else ["sudo", *([f"--preserve-env={proxies}"] if proxies else [])]
    settings = (f"{name}={value}" for name, value in {"DEBIAN_FRONTEND": "noninteractive", **proc.ENGLISH}.items())
    argv = [*sudo, "env", *settings, *APT_GET, *arguments]
    with log.open("ab") as sink:
        begin = sink.tell()
        sink.write(f"$ {shlex.join(argv)}\n".encode())
        sink.flush()
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink) as process:
            status = process.wait()
    with log.open("rb") as written:
        written.seek(begin)
        return status, written.read().decode(errors="replace").splitlines()
