# SPDX-License-Identifier: GPL-2.0
"""The sources of the modules at one state of the project: the working tree, or a git revision."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from .. import git, locks, paths, proc
from ..errors import HarnessError, UsageError

SOURCES = ("modules", "include")
"""The folders that the modules are built from."""
SUFFIXES = (".c", ".h", ".S", ".rs", ".mk")
NAMES = ("Kbuild", "Makefile")
"""The files that kbuild reads. All other files in these folders are products of a build by hand, or text."""

_STAMPED = re.compile(r"\+[0-9a-f]{12}$")
"""How a stamp ends."""

WORKTREE = "worktree"
WORKTREE_NAMES = (WORKTREE, ".")


@dataclass(frozen=True)
class Tree:
    """One state of SOURCES, and the folder of its builds."""

    name: str
    """What the user calls it."""
    revision: str
    """Git's name of the revision, with "-dirty" if the tree has changes."""
    root: Path
    into: Path

    @property
    def dirty(self) -> bool:
        """Whether the tree differs from every revision of git."""
        return self.revision.endswith("-dirty")

    @property
    def digest(self) -> str:
        """Digest of the sources, independent of git."""
        return _digest(self.root)

    @property
    def stamp(self) -> str:
        """The stamp in the modules: the revision, "+" and the digest, since two dirty trees have the same revision."""
        return self.stamp_of(self.root)

    def stamp_of(self, root: Path) -> str:
        """Return the stamp of a copy of the sources at `root`."""
        return f"{self.revision}+{_digest(root)}"

    @property
    def containers(self) -> list[str]:
        """Its containers by name, without those of rust_containers."""
        return containers(self.root)

    @property
    def rust_containers(self) -> list[str]:
        """Its containers that only a build for Rust has."""
        return rust_containers(self.root)


def source_files(root: Path) -> list[Path]:
    """Return the files that kbuild reads below SOURCES of the project at `root`, sorted.

    Products of a build by hand (.o, .mod.c, .ko) are left out: they must not enter another kernel's build.
    """
    found = (path for name in SOURCES for path in (root / name).rglob("*") if path.suffix in SUFFIXES or path.name in NAMES)
    return sorted(path for path in found if path.is_file() and not path.name.endswith(".mod.c"))


def _digest(root: Path) -> str:
    found = hashlib.sha256()
    for path in source_files(root):
        content = path.read_bytes()
        found.update(f"{path.relative_to(root)}\0{len(content)}\0".encode())
        found.update(content)
    return found.hexdigest()[:12]


def containers(root: Path) -> list[str]:
    """Return the containers in the project at `root`, one source file each."""
    return sorted(source.stem for source in (root / "modules/containers").glob("*.c"))


def rust_containers(root: Path) -> list[str]:
    """Return the containers of the project at `root` that only a build for Rust has: those in Rust, then their twins in C.

    A file of C registers each: rust_list.c, and list_owned.c, which works as list in Rust must. The twin by clang is a second build.
    """
    folder = root / "modules/rust"
    rust = sorted(source.stem for part in ("", "hand/") for source in folder.glob(f"{part}rust_*.c"))
    owned = sorted(source.stem for source in folder.glob("*_owned.c"))
    in_c = containers(root)
    return [*rust, *owned, *(f"{name}_clang" for one in rust if (name := one.removeprefix("rust_")) in in_c)]


def same_sources(one: str, other: str) -> bool:
    """Return true if modules with these stamps have the same sources. The revision changes with any commit."""
    digests = [_STAMPED.search(stamp) for stamp in (one, other)]
    return one == other or bool(digests[0] and digests[1] and digests[0][0] == digests[1][0])


def working() -> Tree:
    """Return the working tree."""
    return Tree(WORKTREE, described(), paths.ROOT, paths.objects())


def described() -> str:
    """Return git's name of the state of the project; "unknown" outside a repository."""
    return git.described() or "unknown"


def find(name: str) -> Tree:
    """Return the tree that `name` stands for: a git revision, unpacked below build/ab, or the working tree.

    UsageError for an unknown revision; HarnessError if this is not a checkout, or the revision has no modules.
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
    into = paths.make_folder(paths.objects() / "ab", "build") / commit[:12]
    with locks.held(into.with_name(f".{into.name}.lock"), f"it unpacks {name}"):
        if not (into / "tree").is_dir():
            _unpack(name, commit, into / "tree")
    return Tree(name, commit[:12], into / "tree", into)


def _unpack(name: str, commit: str, folder: Path) -> None:
    """Unpack an archive rather than a git worktree: nothing stays registered, so build/ can be removed at any time.

    The files have the bytes of the revision: git converts no line ends, whatever the user's core.autocrlf says.
    """
    fresh = folder.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    paths.make_folder(fresh, "build")
    archive = fresh.with_suffix(".tar")
    try:
        git.answer("-c", "core.autocrlf=false", "archive", f"--output={archive}", commit, *SOURCES)
    except HarnessError as error:
        raise HarnessError(f"revision {name!r} cannot be taken out of git: {error}") from error
    proc.check(["tar", "-xf", archive, "-C", fresh])
    archive.unlink()
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
