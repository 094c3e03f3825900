# SPDX-License-Identifier: GPL-2.0
"""The mark of a cache: a file that says that dsbench made the folder, so that `clean --cache` removes nobody else's files.

The file follows the Cache Directory Tagging Specification, by which backup programs recognise a cache, too.
"""

from __future__ import annotations

import re
from pathlib import Path

from .errors import HarnessError

NAME = "CACHEDIR.TAG"
SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"
OURS = "# This folder is a cache of dsbench."
TEXT = f"""{SIGNATURE}
{OURS} All of it can be made again; `harness/dsbench clean --cache` removes it.
# For the signature see https://bford.info/cachedir/
"""

NOBODYS = frozenset({"lost+found", NAME})
"""Names that a folder without content may have: a new file system has one, an interrupted claim() the other."""
LISTED = 4
"""Maximum number of names to list."""

_SOURCE = re.compile(r"linux-source-\d[\d.]*(_.+|\.lock)")
_BEFORE_MARKS = {
    "apt": re.compile(r"(src)?pkgcache\.bin.*"),
    "archive": re.compile(r"(headers|image|kbuild)-\d.*"),
    "buildroot": re.compile(r"apt|apt\.lock|[a-z-]+_\d.*"),
    "debs": re.compile(r"linux-[a-z].*"),
    "uml": _SOURCE,
    "kernel-tests": _SOURCE,
    "kernel-drivers": _SOURCE,
    "kernel-ynl": _SOURCE,
}
"""The shelves of caches that were made before there was a mark, and the names that all of their content has."""
_FILES_BEFORE_MARKS = re.compile(r"kvm\.(json|lock)|kvm-\d.*\.console")


def claim(cache: Path) -> None:
    """Mark a cache folder that is ours or empty. HarnessError if it holds something else and no cache."""
    if is_marked(cache):
        return
    names = sorted({entry.name for entry in cache.iterdir()} - NOBODYS)
    foreign = [name for name in names if not is_certain(cache / name)]
    if not foreign or _is_default(cache):
        (cache / NAME).write_text(TEXT, encoding="utf-8")
    elif len(foreign) == len(names):
        more = f" and {len(foreign) - LISTED} more" if len(foreign) > LISTED else ""
        raise HarnessError(
            f"the cache folder {cache} (DSBENCH_CACHE) holds something else, {', '.join(foreign[:LISTED])}{more}: name a new folder"
        )


def is_marked(cache: Path) -> bool:
    """Return true if dsbench has marked the folder as its cache."""
    try:
        text = (cache / NAME).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return text.startswith(SIGNATURE) and OURS in text


def is_certain(entry: Path) -> bool:
    """Return true if this entry of a folder without a mark is that of a cache, by its name and by those of all of its content."""
    content = _BEFORE_MARKS.get(entry.name)
    if content is None or entry.is_symlink() or not entry.is_dir():
        return bool(_FILES_BEFORE_MARKS.fullmatch(entry.name)) and entry.is_file()
    names = [inside.name for inside in entry.iterdir()]
    return bool(names) and all(map(content.fullmatch, names))


def is_ours(cache: Path) -> bool:
    """Return true if the folder is marked, or holds nothing but a cache from before the mark."""
    return is_marked(cache) or cache.is_dir() and all(is_certain(entry) for entry in cache.iterdir() if entry.name not in NOBODYS)


def _is_default(cache: Path) -> bool:
    return cache.parts[-2:] == (".cache", "dsbench")
