# SPDX-License-Identifier: GPL-2.0
"""The options that name a kernel: --kernel VERSION, or --kernel-dir DIR for one of the user's."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from .. import git
from ..errors import HarnessError, UsageError
from .own import DEFCONFIG, OwnKernel, Spec


class Folder(str):
    """A value of --kernel-dir, among those of --kernel: their order counts where several are compared."""


def add(parser: argparse.ArgumentParser, help: str, *, config: bool = True) -> None:
    """Add the options, as texts. `help` is that of --kernel. Without `config` those of target qemu alone are left out."""
    parser.add_argument("--kernel", action="append", metavar="VERSION", help=help)
    parser.add_argument(
        "--kernel-dir", dest="kernel", action="append", type=Folder, metavar="DIR",
        help="a kernel source tree of yours, as its files are now: built in the cache, and never written to",
    )  # fmt: skip
    if config:
        parser.add_argument(
            "--config", nargs="+", metavar="FILE",
            help=f"qemu: configuration of --kernel-dir: {DEFCONFIG} or a .config, and fragments (a small one that a distribution's is like)",
        )  # fmt: skip
        parser.add_argument("--bzimage", type=Path, metavar="FILE", help="qemu: the kernel that you have built in --kernel-dir, which is then not built")


def add_git(parser: argparse.ArgumentParser, revisions: tuple[str, ...], help: str) -> None:
    """Add the option for revisions of a kernel's repository. `revisions` are the names of its values after the folder."""
    parser.add_argument("--kernel-git", nargs=1 + len(revisions), metavar=("DIR", *revisions), help=help)


def several(args: argparse.Namespace) -> list[Spec]:
    """Return the kernels that were named, in order, without those of --kernel-git. UsageError for options that do not fit together."""
    named: Sequence[str] = args.kernel or []
    folders = [text for text in named if isinstance(text, Folder)]
    image: Path | None = getattr(args, "bzimage", None)
    config = _config(args)
    for option, value in (("config", config and config[0]), ("bzimage", image)):
        if value and not folders and not (option == "config" and getattr(args, "kernel_git", None)):
            raise UsageError(f"--{option} is {str(value)!r}: it is allowed with --kernel-dir only")
    if image and len(folders) > 1:
        raise UsageError(f"--bzimage is {str(image)!r}: it is allowed with one --kernel-dir, not {len(folders)}")
    if image and config:
        raise UsageError(f"--config is {config[0]!r}: a kernel that is built already, --bzimage, takes none")
    return [OwnKernel(_folder("dir", text), config, image and image.resolve()) if isinstance(text, Folder) else text for text in named]


def one(args: argparse.Namespace) -> Spec | None:
    """Return the kernel that was named; None if none was. UsageError if there are several."""
    found = several(args)
    if len(found) > 1:
        raise UsageError(f"{len(found)} kernels are named, {' and '.join(map(str, found))}: this command takes one")
    return found[0] if found else None


def of_git(args: argparse.Namespace) -> tuple[Path, tuple[str, ...], list[str]] | None:
    """Return the repository of --kernel-git, the configuration of its kernels, and the words that name revisions; None if not given."""
    if not getattr(args, "kernel_git", None):
        return None
    text, *words = args.kernel_git
    folder = _folder("git", text)
    try:
        git.answer("rev-parse", "--git-dir", folder=folder)
    except HarnessError as error:
        raise HarnessError(f"--kernel-git {folder} is no git repository: {error}") from error
    return folder, _config(args), words


def _config(args: argparse.Namespace) -> tuple[str, ...]:
    words: Sequence[str] = getattr(args, "config", None) or ()
    return tuple(word if word == DEFCONFIG else os.path.abspath(word) for word in words)


def _folder(option: str, text: str) -> Path:
    if not text:  # the working folder for pathlib, and an empty variable of a script
        raise UsageError(f"--kernel-{option} is '': allowed is a folder")
    try:
        return Path(text).resolve(strict=True)
    except OSError:
        raise HarnessError(f"--kernel-{option} {text}: there is no such folder") from None
