# SPDX-License-Identifier: GPL-2.0
"""Debian packages: which of those in packages.txt are missing, and their installation.

NO_INSTALL=1 in the environment prevents installation; the missing packages are named instead.
"""

from __future__ import annotations

import functools
import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from . import options, paths, ui
from .errors import HarnessError, UsageError

LIST = paths.HARNESS / "packages.txt"
APT_GET = ("apt-get", "-y", "-q", "-o", "DPkg::Lock::Timeout=600", "-o", "Acquire::Retries=3")


def groups() -> dict[str, list[str]]:
    """Return the packages of each group. `[group]` starts a group, a line is a package, `#` starts a comment."""
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in LIST.read_text(encoding="utf-8").splitlines():
        entry = line.partition("#")[0].strip()
        if entry.startswith("[") and entry.endswith("]"):
            current = found.setdefault(entry[1:-1], [])
        elif entry and current is not None:
            current.append(entry)
        elif entry:
            raise HarnessError(f"{LIST}: {entry!r} stands before the first [group]")
    return found


def missing(names: Sequence[str]) -> list[str]:
    """Return the packages of these groups that are not installed. UsageError for an unknown group."""
    known = groups()
    for name in names:
        if name not in known:
            raise UsageError(f"package group {name!r} is unknown: there are {', '.join(known)}{options.suggestion(name, known)}")
    wanted = list(dict.fromkeys(package for name in names for package in known[name]))
    installed = _installed(wanted)
    return [package for package in wanted if package not in installed]


def ensure(*names: str) -> None:
    """Install the missing packages of these groups. HarnessError if that is forbidden, impossible or fails."""
    absent = missing(names)
    if not absent:
        return
    command = f"apt-get install --no-install-recommends {' '.join(absent)}"
    if forbidden():
        raise HarnessError(f"missing packages: {' '.join(absent)} (NO_INSTALL is set; install them by: {command})")
    if not shutil.which("apt-get"):
        raise HarnessError(f"missing packages: {' '.join(absent)} (there is no apt-get here: install their like)")
    _authorise(f"missing packages: {' '.join(absent)} (as root: {command})")
    with ui.step(f"installing {len(absent)} packages: {' '.join(absent)}"):
        # Missing or old package lists show as a package that is not found: update the lists only then.
        if _apt("install", "--no-install-recommends", *absent):
            refresh()
            if complaint := _apt("install", "--no-install-recommends", *absent):
                raise HarnessError(f"apt-get cannot install {' '.join(absent)}: {complaint}")


def forbidden() -> bool:
    """Has the user said NO_INSTALL=1?"""
    return os.environ.get("NO_INSTALL", "0") not in ("", "0")


def refresh() -> None:
    """Update the package lists. HarnessError if that fails."""
    if forbidden():
        raise HarnessError("the package lists are missing or old (NO_INSTALL is set; fetch them by: apt-get update)")
    _authorise("the package lists are missing or old (as root: apt-get update)")
    with ui.step("fetching the package lists"):
        if complaint := _apt("update"):
            raise HarnessError(f"apt-get update failed: {complaint}")


@functools.cache
def _authorise(otherwise: str) -> None:
    """Let sudo ask for its password now, before a progress line is drawn. HarnessError if there is no way to become root."""
    if os.geteuid() == 0:
        return
    if not shutil.which("sudo"):
        raise HarnessError(f"{otherwise}; you are not root, and there is no sudo")
    if subprocess.run(["sudo", "-v"], check=False).returncode:
        raise HarnessError(f"{otherwise}; sudo refused")


def _installed(names: Sequence[str]) -> set[str]:
    query = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *names]
    try:
        answer = subprocess.run(query, check=False, capture_output=True, encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return set()
    pairs = (line.split() for line in answer.stdout.splitlines())
    return {package for package, status in pairs if status == "installed"}


def _apt(*arguments: str) -> str:
    """Run apt-get as root. Return its last error, or "" if it succeeded.

    An interrupted dpkg leaves a broken system, so ^C waits for it instead of killing it.
    """
    log = paths.logs() / "apt.log"
    environment = ["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8"]
    argv = [*([] if os.geteuid() == 0 else ["sudo"]), *environment, *APT_GET, *arguments]
    with log.open("ab") as sink:
        begin = sink.tell()
        sink.write(f"$ {shlex.join(argv)}\n".encode())
        sink.flush()
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink) as process:
            status = process.wait()
    if not status:
        return ""
    with log.open("rb") as written:
        written.seek(begin)
        lines = written.read().decode(errors="replace").splitlines()
    return f"{apt_error(lines) or f'status {status}'} (log: {log})"


def apt_error(lines: Sequence[str]) -> str:
    """Return the first error in the output of apt or mmdebstrap, without its mark; "" if there is none."""
    return next((line.split(": ", 1)[1] for line in lines if line.startswith(("E: ", "W: Failed"))), "")
