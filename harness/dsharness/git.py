# SPDX-License-Identifier: GPL-2.0
"""What git knows of the checkout."""

from __future__ import annotations

import os
import subprocess

from . import paths
from .errors import HarnessError


def answer(*args: str) -> str:
    """Run git in the project's folder and return what it prints. HarnessError with its complaint.

    Variables such as GIT_DIR, which hooks of git set, would lead to another repository: git gets none of them.
    """
    argv = ["git", "-C", str(paths.ROOT), *args]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(argv, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, env=environment)
    except FileNotFoundError:
        raise HarnessError("git is not installed") from None
    if done.returncode:
        complaint = done.stderr.strip().splitlines()
        raise HarnessError(complaint[-1] if complaint else f"git {args[0]} ended with status {done.returncode}")
    return done.stdout.strip()
