# SPDX-License-Identifier: GPL-2.0
"""Kernel trees from Debian's linux-source: a repository of commits with planted faults, and the source of any version as it is."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dsharness import locks, paths, proc
from dsharness.kernel import archive, kernels, linuxsource, rustroot

VERSION = "6.12"
LEFT_OUT = ("Documentation/*/*", "tools/testing/selftests/*", "drivers/gpu/*.[ch]", "drivers/media/*.[ch]", "drivers/staging/*.[ch]", "sound/*.[ch]")
"""Files that no test builds: half of the source."""

SLOWER = {
    "rbtree": ("lib/rbtree.c", "void rb_insert_color(struct rb_node *node, struct rb_root *root)\n{\n", 8),
    "maple": ("lib/maple_tree.c", "void *mtree_load(struct maple_tree *mt, unsigned long index)\n{\n", 6),
    "xarray": ("lib/xarray.c", "void *xa_load(struct xarray *xa, unsigned long index)\n{\n", 4),
    "veth": ("drivers/net/veth.c", "static netdev_tx_t veth_xmit(struct sk_buff *skb, struct net_device *dev)\n{\n", 100),
}
"""What becomes slower by 2 % or more: a file, the beginning of a function, and the number of instructions to put there."""


@dataclass(frozen=True)
class Repository:
    """The repository, and the hashes of its commits by name."""

    folder: Path
    commits: dict[str, str]


def git(folder: Path, *argv: str) -> str:
    """Run git in a folder and return its output."""
    return subprocess.run(["git", "-C", str(folder), *argv], check=True, capture_output=True, encoding="utf-8").stdout.strip()


def clone(repository: Repository, commit: str) -> Path:
    """Return a clone at a commit, always the same folder: dsbench keeps one copy of it in its cache."""
    folder = repository.folder.with_name("clone")
    proc.check(["rm", "-rf", folder])
    git(folder.parent, "clone", "-q", "--shared", "--no-checkout", str(repository.folder), str(folder))
    git(folder, "checkout", "-q", "--detach", commit)
    return folder


def stamps(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return what tells of any change to a file or folder below a folder: mode, size, inode, and the times of content and of inode.

    No program can set the last one, so a file that has it unchanged has its content unchanged.
    """
    found = {}
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = os.path.join(parent, name)
            status = os.lstat(path)
            found[path] = (status.st_mode, status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns)
    return found


def slow(text: str, name: str) -> str:
    """Return the source with the planted instructions of SLOWER."""
    _, function, count = SLOWER[name]
    before, found, after = text.partition(function)
    assert found, function
    return f'{before}{found}\tasm volatile(".rept {count}; nop; .endr");\n{after}'


def made() -> Repository:
    """Return the repository, made once: `git bisect` finds `maple slower` between `good` and `bad`, 16 commits later.

    Of 16 commits git tries the eighth first. It does not compile, so git tries the third or the thirteenth next: neither boots.
    """
    folder = paths.make_folder(paths.BUILD / "test-kernels", "test") / "linux"
    mark, recipe = folder / ".git/finished", hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    with locks.held(folder.with_name("lock"), "it makes a repository of kernels"):
        if not mark.exists():
            _unpack(folder)
        if not mark.exists() or mark.read_text(encoding="utf-8") != recipe:
            git(folder, "checkout", "-q", "--force", "--detach", "good")
            plant(folder)
            git(folder, "tag", "--force", "bad")
            git(folder, "checkout", "-q", "good")
            mark.write_text(recipe, encoding="utf-8")
    listed = git(folder, "log", "--format=%H %s", "good..bad").splitlines()
    return Repository(folder, {subject: commit for commit, _, subject in (line.partition(" ") for line in listed)})


def _unpack(folder: Path) -> None:
    """Make the commit `good` of the distribution's source."""
    unpack(VERSION, folder, LEFT_OUT)
    git(folder, "init", "--quiet", "--initial-branch=main")
    for key, value in (("user.name", "tests"), ("user.email", "tests@example.org"), ("gc.auto", "0"), ("core.fsync", "none")):
        git(folder, "config", key, value)
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-qm", "base")
    git(folder, "tag", "good")


def unpack(version: str, folder: Path, left_out: Sequence[str]) -> None:
    """Unpack the distribution's source of `version` ("6.12") into a new folder, without the files that match a pattern of `left_out`."""
    proc.check(["rm", "-rf", folder])
    folder.mkdir()
    with linuxsource.tarball(archive.require(f"linux-source-{version}")) as tarball:
        argv: list[proc.Arg] = [
            "tar", "--extract", "--xz", "--strip-components=1", "--no-same-owner", "--directory", folder,
            *(f"--exclude=linux-source-*/{pattern}" for pattern in left_out),
        ]  # fmt: skip
        assert proc.stream(argv, stdin=tarball).status == 0


def plain(version: str) -> Path:
    """Return a tree with the source of `version`, or of NEWEST, unpacked once, outside of any repository. NEWEST needs the build root for Rust."""
    folder = paths.make_folder(paths.BUILD / "test-kernel-trees", "test") / f"linux-{version}"
    with locks.held(folder.with_name(f"{folder.name}.lock"), f"it unpacks Linux {version}"):
        if not folder.exists():
            work = folder.with_name(f"{folder.name}.part")
            if version == kernels.NEWEST:
                proc.check(["rm", "-rf", work])
                work.mkdir()
                rustroot.unpack(rustroot.find(), work)
            else:
                unpack(version, work, ("Documentation/*/*", "tools/testing/selftests/*"))
            work.rename(folder)
    return folder


def plant(folder: Path) -> None:
    """Make 16 commits."""
    xarray, maple = "lib/xarray.c", "lib/maple_tree.c"

    def source(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8")

    def commit(subject: str, name: str, text: str) -> None:
        (folder / name).write_text(text, encoding="utf-8")
        git(folder, "commit", "-qam", subject)

    def comment(number: int) -> None:
        commit(f"comment {number}", xarray, f"{source(xarray)}/* {number} */\n")

    def breaks(subject: str, mended: str, name: str, text: str) -> None:
        whole = source(name)
        commit(subject, name, text)
        commit(mended, name, whole)

    def slower(name: str) -> None:
        commit(f"{name} slower", SLOWER[name][0], slow(source(SLOWER[name][0]), name))

    def panics() -> str:
        before, found, after = source(maple).partition("void __init maple_tree_init(void)\n{\n")
        assert found
        return f'{before}{found}\tpanic("planted");\n{after}'

    comment(1)
    comment(2)
    breaks("does not boot", "boots again", maple, panics())
    slower("rbtree")
    comment(6)
    comment(7)
    breaks("does not compile", "compiles again", xarray, f"{source(xarray)}int broken(void) {{ return 1 }}\n")
    slower("maple")
    slower("xarray")
    slower("veth")
    breaks("does not boot, either", "boots as before", maple, panics())
    comment(15)
    comment(16)
