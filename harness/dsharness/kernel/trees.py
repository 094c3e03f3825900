# SPDX-License-Identifier: GPL-2.0
"""The sources of the modules at one state of the project: the working tree as it is, or a revision of git's."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from .. import git, locks, paths, proc
from ..errors import HarnessError, UsageError

SOURCES = ("modules", "include")
"""The folders that the modules are made of."""
SUFFIXES = (".c", ".h", ".S", ".rs")
NAMES = ("Kbuild", "Makefile")
"""What kbuild reads: all else in these folders is a product of somebody's own build, or text."""

_DIGEST = re.compile(r"\+[0-9a-f]{12}$")
"""How a stamp ends."""

WORKTREE = "worktree"
WORKTREE_NAMES = (WORKTREE, ".")


@dataclass(frozen=True)
class Tree:
    """One state of SOURCES, and where its builds go."""

    name: str
    """What the user calls it."""
    revision: str
    """What git calls it, "-dirty" behind it when it has changes of its own."""
    root: Path
    into: Path

    @property
    def dirty(self) -> bool:
        """Whether it is none that git knows."""
        return self.revision.endswith("-dirty")

    @property
    def digest(self) -> str:
        """What tells its sources from others', whatever git knows of them."""
        found = hashlib.sha256()
        for path in source_files(self.root):
            found.update(f"{path.relative_to(self.root)}\0{path.stat().st_size}\0".encode())
            found.update(path.read_bytes())
        return found.hexdigest()[:12]

    @property
    def stamp(self) -> str:
        """What its modules say that they are of: the revision and, as two dirty trees have the same, "+" and the digest."""
        return f"{self.revision}+{self.digest}"

    @property
    def containers(self) -> list[str]:
        """Its containers by name."""
        return containers(self.root)


def source_files(root: Path) -> list[Path]:
    """Return the files that kbuild reads below SOURCES of the project at `root`, sorted.

    Products of a build by hand (.o, .mod.c, .ko) are left out: they must not enter another kernel's build.
    """
    found = (path for name in SOURCES for path in (root / name).rglob("*") if path.suffix in SUFFIXES or path.name in NAMES)
    return sorted(path for path in found if path.is_file() and not path.name.endswith(".mod.c"))


def containers(root: Path) -> list[str]:
    """The containers in the project at `root`, one source file each."""
    return sorted(source.stem for source in (root / "modules/containers").glob("*.c"))


def same_sources(one: str, other: str) -> bool:
    """Whether modules with these stamps are of the same sources; what git calls these changes with any commit."""
    digests = [_DIGEST.search(stamp) for stamp in (one, other)]
    return one == other or bool(digests[0] and digests[1] and digests[0][0] == digests[1][0])


def working() -> Tree:
    """The working tree as it is."""
    return Tree(WORKTREE, described(), paths.ROOT, paths.BUILD)


def described() -> str:
    """What git calls the state of the project; "unknown" outside a repository."""
    return git.described() or "unknown"


def find(name: str) -> Tree:
    """The tree that `name` stands for: a revision of git's, unpacked below build/ab, or the working tree.

    UsageError when git knows no such revision; HarnessError when this is no checkout, or the revision has no modules.
    """
    if name in WORKTREE_NAMES:
        return working()
    git.require_checkout()
    try:
        commit = git.answer("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except HarnessError:
        shallow = git.answer("rev-parse", "--is-shallow-repository") == "true"
        advice = "; this is a shallow clone: git fetch --unshallow brings the rest" if shallow else ""
        raise UsageError(f"revision {name!r} is unknown: allowed is what git rev-parse knows here, or {WORKTREE}{advice}") from None
    into = paths.make_folder(paths.BUILD / "ab", "build") / commit[:12]
    with locks.held(into.with_name(f".{into.name}.lock"), f"it unpacks {name}"):
        if not (into / "tree").is_dir():
            _unpack(name, commit, into / "tree")
    return Tree(name, commit[:12], into / "tree", into)


def _unpack(name: str, commit: str, folder: Path) -> None:
    """An archive rather than a worktree of git's: nothing stays registered, and build/ can be removed at any time."""
    fresh = folder.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    paths.make_folder(fresh, "build")
    archive = fresh.with_suffix(".tar")
    try:
        git.answer("archive", f"--output={archive}", commit, *SOURCES)
    except HarnessError as error:
        raise HarnessError(f"revision {name!r} cannot be taken out of git: {error}") from error
    proc.check(["tar", "-xf", archive, "-C", fresh])
    archive.unlink()
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
