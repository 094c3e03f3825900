# SPDX-License-Identifier: GPL-2.0
"""Paths: the folders of the project, those that its output goes to, and the cache that all clones share."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
from collections.abc import Iterator
from pathlib import Path

from . import cachemark
from .errors import HarnessError, UsageError

OUTPUT_VARIABLE = "DSBENCH_OUTPUT"
CACHE_VARIABLE = "DSBENCH_CACHE"
INSTEAD = f"{OUTPUT_VARIABLE} names another folder for build, results and plots"

if not os.environ.get("HOME"):
    os.environ.pop("HOME", None)  # an empty HOME would stand for the root folder


def _absolute(text: str) -> Path:
    """Return an absolute path. One that begins with the `~` of a user who has no home folder stays relative."""
    text = os.path.expanduser(text)
    return Path(text) if text.startswith("~") else Path(text).absolute()


ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / "harness"
REFERENCE = ROOT / "results" / "reference"
"""The results that are part of the project."""
PLOT_SCRIPTS = ROOT / "plots"

OUTPUT = _absolute(os.environ.get(OUTPUT_VARIABLE) or str(ROOT))
"""The folder of all that the commands write, except for the cache: the checkout, or $DSBENCH_OUTPUT."""
BUILD = OUTPUT / "build"
LOGS = BUILD / "logs"
RESULTS = OUTPUT / "results"
PLOTS = OUTPUT / "plots"

OBJECTS = "objects"
"""Folder of the cache with a folder for each build folder whose path kbuild refuses."""
ORIGIN = "origin"
"""File in each of these: the build folder that it stands for."""

MARK = ".dsbench"
"""File in a build folder outside of the checkout. A folder without it is another's, and stays."""

_REFUSED = re.compile(r"[^\w./+@~-]")
"""Characters that make, the shell commands of kbuild or the options of gcc may take apart. Builds at paths with the others work."""
_LEVELS = 2
"""Levels of build/ that are searched for files that this user cannot write."""


def cache_path() -> Path:
    """Return the cache folder, which may not exist: $DSBENCH_CACHE, or ~/.cache/dsbench. HarnessError if no home folder is known."""
    named = os.environ.get(CACHE_VARIABLE)
    return _expanded(CACHE_VARIABLE, named).absolute() if named else _home() / ".cache" / "dsbench"


def cache() -> Path:
    """Return the cache folder, created and marked if necessary.

    HarnessError if it cannot be created, holds something else, or kbuild cannot work in it.
    """
    folder = cache_path()
    if refused := refused_by_kbuild(folder):
        raise HarnessError(
            f"the cache folder {folder} has {refused!r} in its path, which the kernel's makefiles refuse:"
            f" {CACHE_VARIABLE} names another one"
        )
    folder = make_folder(folder, f"cache ({CACHE_VARIABLE})")
    cachemark.claim(folder)
    return folder


def refused_by_kbuild(folder: Path) -> str:
    """Return the first character of the folder's path that kbuild cannot handle, "" if there is none."""
    found = _REFUSED.search(str(folder.resolve()))
    return found[0] if found else ""


def objects_path() -> Path:
    """Return the folder that objects() returns. It may not exist."""
    if not refused_by_kbuild(BUILD):
        return BUILD
    return cache_path() / OBJECTS / hashlib.sha256(os.fsencode(BUILD)).hexdigest()[:16]


def objects() -> Path:
    """Return the folder below which kbuild works: build/, or a folder of the cache if kbuild refuses the path of build/.

    HarnessError if it cannot be created.
    """
    folder = objects_path()
    if folder == BUILD:
        return make_folder(folder, "build")
    cache()
    origin = make_folder(folder, "build") / ORIGIN
    if not origin.exists():
        origin.write_bytes(os.fsencode(BUILD))
    return folder


def orphaned_objects() -> list[Path]:
    """Return the folders of the cache with objects of build folders that are gone."""
    origins = sorted((cache_path() / OBJECTS).glob(f"*/{ORIGIN}"))
    return [origin.parent for origin in origins if not os.path.exists(origin.read_bytes())]


def logs() -> Path:
    """Return the folder of the logs, created if necessary. HarnessError if it cannot be created."""
    return make_folder(LOGS, "log")


def make_folder(folder: Path, role: str) -> Path:
    """Create `folder` if necessary, and check that it is writable. HarnessError names its `role` if it is not."""
    instead = f" ({INSTEAD})" if folder.is_relative_to(OUTPUT) else ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HarnessError(f"the {role} folder {folder} cannot be made: {error.strerror}{instead}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise HarnessError(f"the {role} folder {folder} cannot be written{instead}")
    return folder


def forget_bad_tmpdir() -> str:
    """Drop a TMPDIR that is no writable folder from the environment. Return a warning about it; "" if there is none.

    Python takes /tmp then, but compilers, scripts and guests fail, each in its own words.
    """
    named = os.environ.get("TMPDIR")
    if not named or os.path.isdir(named) and os.access(named, os.W_OK | os.X_OK):
        return ""
    del os.environ["TMPDIR"]
    what = "cannot be written" if os.path.isdir(named) else "is not a folder"
    return f"TMPDIR is {named!r}, which {what}: it is ignored"
def build_is_anothers() -> bool:
    """Return true if the build folder that $DSBENCH_OUTPUT leads to was not made by dsbench."""
    return OUTPUT != ROOT and BUILD.is_dir() and any(BUILD.iterdir()) and not (BUILD / MARK).exists()


def require_output() -> None:
    """HarnessError unless this user can write build/, results/ and plots/, and what is in build/ already.

    A build folder outside of the checkout is made and marked.
    """
    if not OUTPUT.is_absolute():
        raise HarnessError(f"{OUTPUT_VARIABLE} is {str(OUTPUT)!r}, but there is no such home folder")
    for folder in (BUILD, RESULTS, PLOTS):
        there = next(path for path in (folder, *folder.parents) if path.exists())
        if not there.is_dir():
            raise HarnessError(f"{folder} cannot be made, since {there} is a file ({INSTEAD})")
        if not os.access(there, os.W_OK | os.X_OK):
            raise HarnessError(f"{folder} cannot be {'written' if there == folder else 'made'}: {why_unwritable(there)} ({INSTEAD})")
    for path in _entries(BUILD, _LEVELS):
        if not path.is_symlink() and not os.access(path, os.W_OK):
            raise HarnessError(f"{path} cannot be written: {why_unwritable(path)}; have {BUILD} removed ({INSTEAD})")
    if build_is_anothers():
        raise HarnessError(f"{BUILD} has files that are not of dsbench: {OUTPUT_VARIABLE} must name a folder of its own")
    if OUTPUT != ROOT:
        (make_folder(BUILD, "build") / MARK).touch()


def _entries(folder: Path, levels: int) -> Iterator[Path]:
    """Yield the content of a folder, folders before their content."""
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        yield entry
        if levels > 1 and entry.is_dir() and not entry.is_symlink() and os.access(entry, os.R_OK | os.X_OK):
            yield from _entries(entry, levels - 1)


def why_unwritable(path: Path) -> str:
    """Return the likely reason why this user cannot write a file or folder."""
    owner = path.stat().st_uid
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return "its file system is read-only"
    if owner == os.geteuid():
        return f"{path} is read-only"
    try:
        return f"{path} belongs to {pwd.getpwuid(owner).pw_name}"
    except KeyError:
        return f"{path} belongs to user {owner}"


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
