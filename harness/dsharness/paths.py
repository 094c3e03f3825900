# SPDX-License-Identifier: GPL-2.0
"""Paths: the folders of the project, and the cache that all clones share."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from . import cachemark
from .errors import HarnessError, UsageError

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / "harness"
BUILD = ROOT / "build"
LOGS = BUILD / "logs"
RESULTS = ROOT / "results"
PLOTS = ROOT / "plots"


def cache_path() -> Path:
    """Return the cache folder, which may not exist: $DSBENCH_CACHE, or ~/.cache/dsbench. HarnessError if no home folder is known."""
    named = os.environ.get("DSBENCH_CACHE")
    return _expanded("DSBENCH_CACHE", named).absolute() if named else _home() / ".cache" / "dsbench"


def cache() -> Path:
    """Return the cache folder, created and marked if necessary. HarnessError if it cannot be created, or holds something else."""
    folder = make_folder(cache_path(), "cache (DSBENCH_CACHE)")
    cachemark.claim(folder)
    return folder


def logs() -> Path:
    """Return the folder of the logs, created if necessary. HarnessError if it cannot be created."""
    return make_folder(LOGS, "log")


def make_folder(folder: Path, role: str) -> Path:
    """Create `folder` if necessary, and check that it is writable. HarnessError names its `role` if it is not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HarnessError(f"the {role} folder {folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise HarnessError(f"the {role} folder {folder} cannot be written")
    return folder


def short(path: Path) -> Path:
    """Return the path relative to the current folder if it lies below it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _expanded(variable: str, named: str) -> Path:
    """Return a path that a variable names, with ~ and ~user expanded. UsageError for an unknown user."""
    first, *rest = Path(named).parts
    if first == "~":
        return Path(_home(), *rest)
    try:
        return Path(named).expanduser()
    except RuntimeError:
        raise UsageError(f"{variable} is {named!r}: there is no user {first[1:]!r}, name a folder") from None


def _home() -> Path:
    """Return the user's home folder: $HOME, or that of the password database. HarnessError if neither names one."""
    if named := os.environ.get("HOME"):
        return Path(named).absolute()
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir).absolute()
    except KeyError:
        raise HarnessError(f"HOME is not set, and user {os.getuid()} has no home folder: set DSBENCH_CACHE to a folder for kernels") from None
