# SPDX-License-Identifier: GPL-2.0
"""Two profiles of one operation: which function gained instructions, and which one lost some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .profile import Profile

EXACT = 1e-9
"""Differences below it are those of floating point."""


@dataclass(frozen=True)
class Change:
    """Instructions per element of a function on both sides; None where it does not run."""

    function: str
    before: float | None
    after: float | None

    @property
    def difference(self) -> float:
        """How many more it has after."""
        found = (self.after or 0.0) - (self.before or 0.0)
        return found if abs(found) > EXACT else 0.0

    @property
    def mark(self) -> str:
        """What became of a function that runs on one side only."""
        return "appears" if self.before is None else "vanishes" if self.after is None else ""

    def as_json(self) -> dict[str, str | float | None]:
        """Return the change as a value of a JSON file."""
        return {"function": self.function, "before": self.before, "after": self.after, "difference": self.difference}


def changes(before: Profile, after: Profile) -> list[Change]:
    """Return a change for each function of either side, the largest first. Their sum is the difference of the profiles."""
    names = dict.fromkeys([*before.functions, *after.functions])
    found = [Change(name, _each(before, name), _each(after, name)) for name in names]
    return sorted(found, key=lambda change: -abs(change.difference))


def total(found: Sequence[Change]) -> Change:
    """Return the sum of changes, as one."""
    return Change(f"{len(found)} more", sum(one.before or 0.0 for one in found), sum(one.after or 0.0 for one in found))


def _each(profile: Profile, name: str) -> float | None:
    share = profile.functions.get(name)
    return profile.each(share.instructions) if share else None
