# SPDX-License-Identifier: GPL-2.0
"""A private copy of a kernel's source tree in the cache, which kbuild works in.

The user's tree is read and never written: it may be dirty, or configured in place, which forbids a build elsewhere. The copy takes the
state of the tree as it is, or of a revision, and only files whose content changes get a new time. So kbuild rebuilds what differs
between two states, and shares the other objects, whatever times git or an editor gives to the files.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .. import git, paths, ui
from ..errors import HarnessError
from .own import OwnKernel

PRODUCTS = paths.HARNESS / "kernel" / "products.gitignore"
"""Patterns of the files that a build makes beside the sources."""
INDEX = "index.json"
"""git's hash of each file of the copy."""
SEEN = "seen.json"
"""What is known of each file of the user's tree."""
TREE = "tree"

_OTHER_ARCHES = "alpha|arc|arm|arm64|csky|hexagon|ia64|loongarch|m68k|microblaze|mips|nios2|openrisc|parisc|powerpc|riscv|s390|sh|sparc|xtensa"
_NEVER = re.compile(
    rf"Documentation/[^/]+/.*|arch/(?:{_OTHER_ARCHES})/.*\.(?:[chS]|dts\w*|rst|tbl)|tools/(?:perf|testing/(?!kunit/)).*|debian/.*"
)
"""Files that no kernel for x86 or um is built from: half of the source."""
_UNUSED = re.compile(r"(?:drivers/(?:gpu|infiniband|media|staging)|sound)/.*\.[ch]")
"""Files that dsbench's own configurations do not build, either."""

Seen = list[int | str]
"""Times of modification and of change in ns, size, inode, and git's hash of the content, which stays while the others do."""


@dataclass(frozen=True)
class State:
    """The content of a source tree."""

    files: Mapping[str, str]
    """git's hash of each file's content, by its path."""
    modes: Mapping[str, int]
    described: str
    """git's name of the state, "-dirty" behind it if the files differ from the commit; "" outside of git."""

    @property
    def digest(self) -> str:
        """Digest of the whole content."""
        return self.digest_of(self.files)

    def digest_of(self, names: Collection[str]) -> str:
        """Digest of some of the files."""
        listed = "".join(f"{self.files[name]} {name}\0" for name in sorted(names))
        return hashlib.sha256(listed.encode(errors="surrogateescape")).hexdigest()[:12]


def differing(folder: Path, files: Mapping[str, str]) -> float:
    """Return the share of the files that differ, 0 to 1, of those that these and the copy in a folder of the cache have in common; 1 if it has none."""
    known: dict[str, str] = _read(folder / INDEX)
    common = known.keys() & files.keys()
    return sum(known[name] != files[name] for name in common) / len(common) if common else 1.0


class Mirror:
    """The copy of one source tree, in a folder of the cache. The caller holds the folder's lock."""

    def __init__(self, folder: Path, whole: bool) -> None:
        """`whole` includes the files that only other configurations than dsbench's build."""
        self.tree = folder / TREE
        self._index = folder / INDEX
        self._seen = folder / SEEN
        self._whole = whole

    def state(self, own: OwnKernel) -> State:
        """Return the content of the user's tree, or of its revision. The copy stays as it is. HarnessError if it cannot be read."""
        if own.commit:
            entries = [entry for entry in _listed(own.folder, own.commit) if self._wanted(entry[1])]
            files, modes = {name: blob for _, name, blob in entries}, {name: mode for mode, name, _ in entries}
        else:
            files, modes = self._of_files(own.folder)
        return State(files, modes, self._described(own, files))

    def update(self, own: OwnKernel, state: State) -> State:
        """Make the copy have the content of `state`. Return its content: files of the user's may have changed meanwhile."""
        known: dict[str, str] = _read(self._index)
        changed = [name for name, blob in state.files.items() if known.get(name) != blob]
        # An update that is interrupted is made up for by the next one, since the index has forgotten these files.
        _write(self._index, {name: blob for name, blob in known.items() if state.files.get(name) == blob})
        found = dict(state.files)
        with ui.Progress(f"copying {own} into the cache", len(changed), "files") as progress, _reader(own) as content:
            for name in changed:
                data = content(name, state)
                found[name] = _hash(data)
                self._put(name, data, state.modes[name])
                progress.advance()
        for gone in set(known) - set(found):
            (self.tree / gone).unlink(missing_ok=True)
        _write(self._index, found)
        return State(found, state.modes, state.described)

    def _of_files(self, folder: Path) -> tuple[dict[str, str], dict[str, int]]:
        known: dict[str, Seen] = _read(self._seen)
        files: dict[str, str] = {}
        modes: dict[str, int] = {}
        seen: dict[str, Seen] = {}
        with ui.Progress(f"reading {folder}", unit="files") as progress:
            for name in filter(self._wanted, _names(folder)):
                try:
                    status = os.lstat(folder / name)
                except OSError:
                    continue  # git knows it, and the user has removed it
                if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
                    continue
                mark: Seen = [status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino]
                before = known.get(name, [])
                blob = str(before[-1]) if before[:-1] == mark else _hash(_content(folder / name, status.st_mode))
                files[name], modes[name], seen[name] = blob, status.st_mode, [*mark, blob]
                progress.advance()
        if not files:
            raise HarnessError(f"{folder} has no source files: git ignores all of them")
        if seen != known:
            _write(self._seen, seen)
        return files, modes

    def _wanted(self, name: str) -> bool:
        return not _NEVER.fullmatch(name) and (self._whole or not _UNUSED.fullmatch(name))

    def _put(self, name: str, content: bytes, mode: int) -> None:
        """Write a file, unless it has this content. It gets a new inode: older kernels of the same tree keep a link to the old one."""
        path = self.tree / name
        if stat.S_ISLNK(mode):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.symlink_to(os.fsdecode(content))
            return
        with contextlib.suppress(OSError):
            if not path.is_symlink() and path.read_bytes() == content:
                return
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)  # a folder became a file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        if mode & stat.S_IXUSR:
            path.chmod(0o755)

    def _described(self, own: OwnKernel, found: Mapping[str, str]) -> str:
        commit = own.commit or "HEAD"
        try:
            name = git.answer("describe", "--always", "--tags", "--abbrev=12", commit, folder=own.folder)
            if own.commit:
                return name
            clean = {listed: blob for _, listed, blob in _listed(own.folder, commit) if self._wanted(listed)}
        except HarnessError:
            return ""
        return name if clean == dict(found) else f"{name}-dirty"


def _read(file: Path) -> dict[str, Any]:
    """Return the content of a JSON file, {} if it is missing or damaged."""
    with contextlib.suppress(OSError, ValueError):
        content = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    return {}


def _write(file: Path, content: Mapping[str, Any]) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps(content), encoding="utf-8")
    part.replace(file)


def _content(path: Path, mode: int) -> bytes:
    try:
        return os.fsencode(os.readlink(path)) if stat.S_ISLNK(mode) else path.read_bytes()
    except OSError as error:
        raise HarnessError(f"{path} cannot be read: {error.strerror}") from error


def _hash(content: bytes) -> str:
    """Return git's hash of a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _listed(folder: Path, commit: str) -> Iterator[tuple[int, str, str]]:
    """Yield the mode, the path and git's hash of each file of a revision."""
    for entry in git.answer("ls-tree", "-r", "-z", commit, folder=folder).split("\0"):
        about, _, name = entry.partition("\t")
        mode, kind, blob = about.split() if name else ("", "", "")
        if kind == "blob":
            yield int(mode, 8), name, blob


def _names(folder: Path) -> list[str]:
    """Return the paths of the source files of a tree, without the products of a build in it. They may include removed files.

    git tells which files are products: by its index, the tree's .gitignore files, and PRODUCTS. Debian's .gitignore hides the whole
    source, and is not read.
    """
    tell = ["ls-files", "-z", "--others", f"--exclude-from={PRODUCTS}"]
    try:
        git.answer("ls-files", "--error-unmatch", "Makefile", folder=folder)
    except HarnessError as error:
        if "does not trust" in str(error):
            raise
        with tempfile.TemporaryDirectory(prefix="dsbench-") as empty:
            try:
                git.answer("init", "--quiet", "--bare", empty)
                listed = git.answer(f"--git-dir={empty}", f"--work-tree={folder}", *tell, folder=folder)
            except HarnessError as trouble:
                return _all_files(folder, trouble)
    else:
        hides = git.answer("ls-files", "--cached", "--ignored", "--exclude-per-directory=.gitignore", "Makefile", folder=folder)
        listed = git.answer(*tell, "--cached", *([] if hides else ["--exclude-per-directory=.gitignore"]), folder=folder)
    return list(dict.fromkeys(name for name in listed.split("\0") if name))


def _all_files(folder: Path, trouble: HarnessError) -> list[str]:
    """Return all files of a tree that nothing was built in. HarnessError if something was."""
    if (folder / ".config").exists() or (folder / "include/config").exists():
        raise HarnessError(f"{folder} was built in place, and only git can tell its sources from the products: {trouble}") from trouble
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [os.path.relpath(os.path.join(parent, name), folder) for name in names]
    return found


@contextlib.contextmanager
def _reader(own: OwnKernel) -> Iterator[Callable[[str, State], bytes]]:
    """Provide a function that returns the content of a file of the user's tree, or of its revision."""
    if not own.commit:
        yield lambda name, state: _content(own.folder / name, state.modes[name])
        return
    argv = ["git", "-C", str(own.folder), "cat-file", "--batch"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=git.environment()) as process:
        assert process.stdin and process.stdout
        ask, answer = process.stdin, process.stdout
        try:
            yield lambda name, state: _blob(ask, answer, state.files[name])
        finally:
            ask.close()


def _blob(ask: IO[bytes], answer: IO[bytes], blob: str) -> bytes:
    ask.write(f"{blob}\n".encode())
    ask.flush()
    words = answer.readline().split()
    if len(words) != 3:
        raise HarnessError(f"git has no content for {blob}: the repository is incomplete (a partial clone has to be fetched first)")
    content = answer.read(int(words[2]))
    answer.read(1)
    return content
