# SPDX-License-Identifier: GPL-2.0
"""Limits that the kernel sets to this process and its children."""

from __future__ import annotations

import resource

from .errors import HarnessError

OPEN_FILES = 256
"""Files that a guest and a parallel build may have open at once. With fewer, the guest's programs fail and the guest hangs."""


def require_open_files() -> None:
    """Raise the limit of open files if it is lower than OPEN_FILES. HarnessError if this user may not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= OPEN_FILES:
        return
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES:
        raise HarnessError(f"{hard} files may be open at once (ulimit -n): allowed are {OPEN_FILES} or more, raise it in a new shell")
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, hard))
