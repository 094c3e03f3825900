# SPDX-License-Identifier: GPL-2.0
"""Where a profile is made: a kernel and a state of the modules; and the command that compares two such places."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..kernel import own, trees
from ..kernel.own import Spec
from ..results import datapath

KERNEL = re.compile(r"[0-9]+\.[0-9]+\S*|newest|rust")
"""Names of kernels. A revision of this form must be spelt as refs/tags/NAME."""
SETTINGS: dict[str, str | int] = {
    "order": "shuffled", "alloc": "prealloc", "erase_order": "key", "lookups": 0, "misses": 0, "seed": 1, **datapath.PACKET_SETTINGS,
}  # fmt: skip
"""Parameters of a run that a profile must share, with the usual values: the core's, then those of dsbench_tunnel."""
LISTED = 6
"""Maximum number of commands to print."""


@dataclass(frozen=True)
class Place:
    """A kernel, None for the usual one, and a revision of the modules, None for the working tree."""

    kernel: Spec | None = None
    revision: str | None = None

    @property
    def described(self) -> str:
        """The place for people."""
        return f"{self.revision or trees.WORKTREE} on {self.kernel}" if self.kernel else self.revision or trees.WORKTREE


def of_context(context: Mapping[str, Any]) -> Place:
    """Return the place of a result from its context."""
    revision = None if context.get("git_dirty") else context.get("git_revision")
    return Place(context.get("kernel"), None if revision in (None, "unknown") else revision)


def unusual(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of SETTINGS that a run had otherwise."""
    return {name: context[name] for name, usual in SETTINGS.items() if context.get(name, usual) != usual}


def options(context: Mapping[str, Any]) -> list[str]:
    """Return the options of dsbench explain for the parameters of a run that are not the usual ones."""
    return [word for name, value in unusual(context).items() for word in (f"--{name.replace('_', '-')}", str(value))]


def command(cell: str, before: Place, after: Place, more: Sequence[str] = ()) -> str:
    """Return the command that shows which functions of a cell changed. Two kernels count more than two revisions."""
    words = ["harness/dsbench", "explain", cell]
    words += own.options_of(after.kernel)
    if after.revision:
        words += ["--revision", after.revision]
    if before.kernel != after.kernel and before.kernel:
        words += ["--against", str(before.kernel)]
    else:
        words += ["--against", before.revision or trees.WORKTREE]
    return shlex.join([*words, *more])


def explainable(names: Sequence[str]) -> list[str]:
    """Return the cells that can be explained: those that readers share cannot."""
    return [name for name in names if not re.search("/(threads|peers):", name)]


def hints(names: Sequence[str], before: Place, after: Place, more: Sequence[str] = ()) -> list[str]:
    """Return a line for each of the slower cells: the command that explains it."""
    cells = explainable(names)
    if not cells or before == after:
        return []
    lines = [f"why {name}: {command(name, before, after, more)}" for name in cells[:LISTED]]
    return [*lines, *([f"and so for {len(cells) - LISTED} more"] if len(cells) > LISTED else [])]
