# SPDX-License-Identifier: GPL-2.0
"""Folded stacks, one line for each path of calls: what flame graph tools read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import HarnessError
from .profile import Profile
from .symbols import Symbols
from .windows import Node

ROOT = 0


def stacks(profile: Profile, nodes: Mapping[int, Node], symbols: Symbols) -> Counter[tuple[str, ...]]:
    """Return the instructions of a try by stack: the functions from the outermost to the one that runs."""
    found: Counter[tuple[str, ...]] = Counter()
    callers: dict[int, tuple[str, ...]] = {ROOT: ()}

    def above(node: int) -> tuple[str, ...]:
        if node not in callers:
            callers[node] = (*above(nodes[node].parent), symbols.at(nodes[node].site.address).shown)
        return callers[node]

    for window in profile.windows:
        for node, block, runs in window.paths:
            found[(*above(node), symbols.at(block.address).shown)] += runs * block.instructions
    return found


def write(path: Path, profiles: Sequence[tuple[Profile, Counter[tuple[str, ...]]]]) -> None:
    """Write the stacks of all profiles; the outermost frame is the cell. HarnessError if the file cannot be written."""
    text = "".join(
        f"{';'.join((profile.cell.name, *stack))} {count}\n" for profile, found in profiles for stack, count in found.items()
    )
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise HarnessError(f"--folded {path}: {error.strerror}") from error
