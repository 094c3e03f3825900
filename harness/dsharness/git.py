# SPDX-License-Identifier: GPL-2.0
"""Facts from git, about the checkout and about repositories of the user's."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from . import paths
from .errors import HarnessError


def environment() -> dict[str, str]:
    """Return the environment for git.

    git gets no variables such as GIT_DIR, which its hooks set: they would lead to another repository. Its messages are in English,
    since answer() reads them. It does not refresh the index: that would write to the user's repository.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}


def answer(*args: str, folder: Path | None = None) -> str:
    """Run git in `folder`, the project's by default, and return its output. HarnessError with its error message."""
    folder = folder or paths.ROOT
    argv = ["git", "-C", str(folder), *args]
    try:
        done = subprocess.run(
            argv, check=False, capture_output=True, encoding="utf-8", errors="surrogateescape", stdin=subprocess.DEVNULL, env=environment()
        )
    except FileNotFoundError:
        raise HarnessError("git is not installed") from None
    if "dubious ownership" in done.stderr:
        raise HarnessError(
            f"git does not trust {folder}, which belongs to another user: "
            f"git config --global --add safe.directory {shlex.quote(str(folder))}"
        )
    if done.returncode:
        complaint = done.stderr.strip().splitlines()
        raise HarnessError(complaint[-1] if complaint else f"git {args[0]} ended with status {done.returncode}")
    return done.stdout.strip()


def require_checkout() -> None:
    """HarnessError unless the project's folder is the top of a git checkout: a tarball inside one has no revisions."""
    try:
        top = answer("rev-parse", "--show-toplevel")
    except HarnessError as error:
        raise HarnessError(f"{paths.ROOT} is no git checkout, so it has no revisions: {error}") from error
    if Path(top).resolve() != paths.ROOT.resolve():
        raise HarnessError(f"{paths.ROOT} is no git checkout of its own but a folder of {top}: it has no revisions")


def described() -> str:
    """Return the commit with 12 digits, "-dirty" behind it if the tree has changes; "" outside a checkout of the project's own.

    The name depends on neither tags nor the user's core.abbrev.
    """
    try:
        require_checkout()
        return answer("describe", "--always", "--exclude=*", "--abbrev=12", "--dirty")
    except HarnessError:
        return ""
