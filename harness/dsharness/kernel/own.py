# SPDX-License-Identifier: GPL-2.0
"""A kernel of the user's: a source tree, or a revision of its repository, and how it is configured.

An OwnKernel says what the user asked for; nothing is built yet. ownbuild.py makes it a kernel that boots.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from .. import git
from ..errors import HarnessError, UsageError

OLDEST = (6, 1)
"""The oldest kernel that the modules are for."""
DEFCONFIG = "defconfig"
WORKTREE = "worktree"
"""The revision's name that stands for the files as they are."""
TOP = ("Makefile", "Kconfig", "Kbuild", "scripts", "arch/x86", "arch/um")
"""Files and folders by which a kernel tree is known."""
UTS_RELEASE = "include/generated/utsrelease.h"
BUILT = ("Makefile", "Module.symvers", UTS_RELEASE, "include/generated/autoconf.h", "scripts/mod/modpost")
"""Files of a folder that a kernel was built in, which its modules need."""
IMAGE_BYTES = 1 << 17
"""Beginning of a bzImage that has its header and the kernel's version."""
TARGETS = ("uml", "qemu")
"""The targets that boot it."""


@dataclass(frozen=True)
class OwnKernel:
    """A kernel of the user's, as the command line names it."""

    folder: Path
    """Top of the source tree, absolute; with `image` the folder that the kernel was built in."""
    config: tuple[str, ...] = ()
    """`defconfig`, and files: a whole configuration first, or fragments; empty for dsbench's own configuration."""
    image: Path | None = None
    """The bzImage of a kernel that the user has built."""
    commit: str | None = None
    """Full hash of a revision; None: the files as they are."""
    name: str = ""
    """The user's name of the revision; "" without one."""

    def __str__(self) -> str:
        return f"{self.name} of {self.folder}" if self.name else str(self.folder)

    @property
    def label(self) -> str:
        """A short name: the revision, or the last folder."""
        return self.name or self.folder.name

    @property
    def options(self) -> list[str]:
        """The options that name it on the command line. A revision has none: its files have to be checked out."""
        words = ["--kernel-dir", str(self.folder)]
        words += ["--config", *self.config] if self.config else []
        return [*words, *(["--bzimage", str(self.image)] if self.image else [])]


Spec = str | OwnKernel
"""A kernel by its name (a version, a release, newest, debug), or one of the user's."""


def options_of(spec: Spec | None) -> list[str]:
    """Return the options that name a kernel on the command line."""
    if spec is None:
        return []
    return spec.options if isinstance(spec, OwnKernel) else ["--kernel", spec]


def check(own: OwnKernel, target: str) -> None:
    """HarnessError unless its folder is a kernel tree that this target can be built from. Nothing is built.

    UsageError for a target or a configuration that is not allowed.
    """
    if target not in TARGETS:
        raise UsageError(f"--kernel-dir is {str(own.folder)!r}: target {target} runs no kernel of its own, allowed are {', '.join(TARGETS)}")
    if target == "uml" and (own.config or own.image):
        option, value = ("config", own.config[0]) if own.config else ("bzimage", str(own.image))
        raise UsageError(f"--{option} is {value!r}: it is for target qemu, the configuration for uml is dsbench's own")
    if not own.folder.is_dir():
        raise HarnessError(f"--kernel-dir {own.folder}: there is no such folder")
    if own.image:
        _check_built(own.folder, own.image)
        return
    for word in own.config:
        if word != DEFCONFIG and not os.access(word, os.R_OK):
            raise HarnessError(f"--config {word}: there is no such file, allowed are {DEFCONFIG} and files of options")
    if own.commit:
        makefile = git.answer("show", f"{own.commit}:./Makefile", folder=own.folder)
    else:
        missing = next((name for name in TOP if not (own.folder / name).exists()), "")
        if missing:
            raise HarnessError(f"--kernel-dir {own.folder} is no kernel source tree: it has no {missing}")
        makefile = (own.folder / "Makefile").read_text(encoding="utf-8", errors="replace")
    found = version(makefile)
    if not found:
        raise HarnessError(f"--kernel-dir {own.folder} is no kernel source tree: its Makefile names no VERSION and PATCHLEVEL")
    if found < OLDEST:
        raise HarnessError(f"{own} is Linux {found[0]}.{found[1]}: the oldest that dsbench supports is {OLDEST[0]}.{OLDEST[1]}")


def version(makefile: str) -> tuple[int, int] | None:
    """Return (6, 12) from the text of a kernel's Makefile, None if it names no version."""
    found = dict(re.findall(r"^(VERSION|PATCHLEVEL)\s*=\s*(\d+)\s*$", makefile, re.MULTILINE))
    return (int(found["VERSION"]), int(found["PATCHLEVEL"])) if len(found) == 2 else None


def of_revision(folder: Path, name: str, config: tuple[str, ...] = ()) -> OwnKernel:
    """Return the kernel of a revision in the repository at `folder`, or of its files. UsageError for an unknown revision."""
    if name == WORKTREE:
        return OwnKernel(folder, config, name=name)
    try:
        commit = git.answer("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", folder=folder)
    except HarnessError:
        raise UsageError(f"revision {name!r} is unknown: allowed is what git rev-parse knows in {folder}, or {WORKTREE}") from None
    return OwnKernel(folder, config, commit=commit, name=name)


def series(folder: Path, text: str, steps: int, config: tuple[str, ...] = ()) -> list[OwnKernel]:
    """Return `steps` kernels from A to B of the range A..B, the ends included, at equal distances on the line of first parents.

    UsageError for a range that is none or has no commits.
    """
    first, dots, last = text.partition("..")
    if not (first and dots and last) or last.startswith("."):
        raise UsageError(f"--kernel-git has the range {text!r}: allowed is A..B, such as v6.6..v6.12")
    ends = [of_revision(folder, name, config) for name in (first, last)]
    assert ends[0].commit and ends[1].commit
    listed = git.answer("rev-list", "--first-parent", "--reverse", f"{ends[0].commit}..{ends[1].commit}", folder=folder).split()
    if not listed:
        raise UsageError(f"--kernel-git has the range {text!r}: no commit of {last} comes after {first}")
    commits = [ends[0].commit, *listed]
    count = min(steps, len(commits))
    chosen = [commits[round(place * (len(commits) - 1) / (count - 1))] for place in range(count)]
    names = [first, *(git.answer("describe", "--always", "--tags", "--abbrev=12", commit, folder=folder) for commit in chosen[1:-1]), last]
    return [OwnKernel(folder, config, commit=commit, name=name) for commit, name in zip(chosen, names)]


def _check_built(folder: Path, image: Path) -> None:
    if not image.is_file():
        raise HarnessError(f"--bzimage {image}: there is no such file")
    if missing := next((name for name in BUILT if not (folder / name).exists()), ""):
        raise HarnessError(f"--kernel-dir {folder} has no {missing}: with --bzimage it must be the folder that the kernel was built in")
    release = built_release(folder)
    if not (found := image_release(image)):
        raise HarnessError(f"--bzimage {image} is no bzImage of Linux for x86")
    if found != release:
        raise HarnessError(f"--bzimage {image} is Linux {found}, and --kernel-dir {folder} is {release}: modules of one do not fit the other")


def built_release(folder: Path) -> str:
    """Return `uname -r` of the kernel that was built in a folder. A distribution's kernel.release may be that of its source instead."""
    text = (folder / UTS_RELEASE).read_text(encoding="utf-8", errors="replace")
    named = re.search(r'^#define UTS_RELEASE "(\S+)"', text, re.MULTILINE)
    if not named:
        raise HarnessError(f"--kernel-dir {folder}: its {UTS_RELEASE} names no release")
    return named[1]


def image_release(image: Path) -> str:
    """Return the release in the header of a bzImage (Documentation/arch/x86/boot.rst), "" if the file has none."""
    try:
        with image.open("rb") as file:
            start = file.read(IMAGE_BYTES)
    except OSError as error:
        raise HarnessError(f"--bzimage {image} cannot be read: {error.strerror}") from error
    if start[0x202:0x206] != b"HdrS":
        return ""
    place = int.from_bytes(start[0x20E:0x210], "little") + 0x200
    return start[place:].partition(b" ")[0].decode(errors="replace")
