# SPDX-License-Identifier: GPL-2.0
"""A repository of kernel commits with planted faults, made from Debian's linux-source, for test_kernels_e2e.py."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from dsharness import locks, paths, proc
from dsharness.kernel import archive, linuxsource

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


def slow(text: str, name: str) -> str:
    """Return the source with the planted instructions of SLOWER."""
    _, function, count = SLOWER[name]
    before, found, after = text.partition(function)
    assert found, function
    return f'{before}{found}\tasm volatile(".rept {count}; nop; .endr");\n{after}'


def made() -> Repository:
    """Return the repository, made once: `git bisect` finds `maple slower` between `good` and `bad`, 16 commits later."""
    folder = paths.make_folder(paths.BUILD / "test-kernels", "test") / "linux"
    with locks.held(folder.with_name("lock"), "it makes a repository of kernels"):
        if not (folder / ".git/finished").exists():
            _make(folder)
    listed = git(folder, "log", "--format=%H %s", "good..bad").splitlines()
    return Repository(folder, {subject: commit for commit, _, subject in (line.partition(" ") for line in listed)})


def _make(folder: Path) -> None:
    proc.check(["rm", "-rf", folder])
    folder.mkdir()
    with linuxsource.tarball(archive.require(f"linux-source-{VERSION}")) as tarball:
        argv: list[proc.Arg] = [
            "tar", "--extract", "--xz", "--strip-components=1", "--no-same-owner", "--directory", folder,
            *(f"--exclude=linux-source-*/{pattern}" for pattern in LEFT_OUT),
        ]  # fmt: skip
        assert proc.stream(argv, stdin=tarball).status == 0
    git(folder, "init", "--quiet", "--initial-branch=main")
    for key, value in (("user.name", "tests"), ("user.email", "tests@example.org"), ("gc.auto", "0"), ("core.fsync", "none")):
        git(folder, "config", key, value)
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-qm", "base")
    git(folder, "tag", "good")
    plant(folder)
    git(folder, "tag", "bad")
    git(folder, "checkout", "-q", "good")
    (folder / ".git/finished").touch()


def plant(folder: Path) -> None:
    """Make 16 commits."""

    def commit(subject: str, name: str, text: str) -> None:
        (folder / name).write_text(text, encoding="utf-8")
        git(folder, "commit", "-qam", subject)

    def source(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8")

    def comment(number: int) -> None:
        commit(f"comment {number}", "lib/xarray.c", f"{source('lib/xarray.c')}/* {number} */\n")

    for number in range(4):
        comment(number)
    whole = source("lib/xarray.c")
    commit("does not compile", "lib/xarray.c", f"{whole}int broken(void) {{ return 1 }}\n")
    commit("compiles again", "lib/xarray.c", whole)
    comment(6)
    whole = source("lib/maple_tree.c")
    commit("does not boot", "lib/maple_tree.c", whole.replace("void __init maple_tree_init(void)\n{\n", 'void __init maple_tree_init(void)\n{\n\tpanic("planted");\n'))
    commit("boots again", "lib/maple_tree.c", whole)
    commit("maple slower", "lib/maple_tree.c", slow(whole, "maple"))
    comment(10)
    for name in ("rbtree", "xarray", "veth"):
        commit(f"{name} slower", SLOWER[name][0], slow(source(SLOWER[name][0]), name))
    comment(14)
    comment(15)
