# SPDX-License-Identifier: GPL-2.0
"""The catalogue of mutants: small faults, each a replacement in one source file, in harness/mutants/*.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import paths
from ..errors import HarnessError

FOLDER = paths.HARNESS / "mutants"


@dataclass(frozen=True)
class Mutant:
    """One fault: `old`, which occurs once in `file`, becomes `new`."""

    name: str
    file: str
    """Path below the project."""
    old: str
    new: str
    equivalent: str = ""
    """Why no test can notice the fault; empty if one must."""
    tests: tuple[str, ...] = ()
    """Files of harness/tests that must notice it; none: the KUnit suites."""

    def applied(self, text: str) -> str:
        """Return the source with the fault. HarnessError unless `old` occurs once."""
        found = text.count(self.old)
        if found != 1:
            raise HarnessError(f"mutant {self.name!r} does not apply to {self.file}: its old text occurs {found} times instead of once")
        return text.replace(self.old, self.new)

    def check(self, root: Path) -> None:
        """HarnessError unless the mutant applies to the project at `root` and changes it."""
        source = root / self.file
        if not source.is_file():
            raise HarnessError(f"mutant {self.name!r} does not apply: {self.file} does not exist")
        self.applied(source.read_text(encoding="utf-8"))
        if self.old == self.new:
            raise HarnessError(f"mutant {self.name!r} changes nothing")


def read(path: Path) -> list[Mutant]:
    """Return the mutants of one file of the catalogue. HarnessError says what is wrong with it."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        tests: Mapping[str, Sequence[str]] = content.get("tests", {})
        return [_mutant(entry, tests) for entry in content["mutant"]]
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise HarnessError(f"{paths.short(path)} is no catalogue of mutants: {error}") from error


def read_all(words: Sequence[str] = ()) -> list[Mutant]:
    """Return all mutants, or those whose name or file contains one of `words`. HarnessError if there is none, or a name repeats."""
    known = [mutant for path in sorted(FOLDER.glob("*.toml")) for mutant in read(path)]
    names = [mutant.name for mutant in known]
    for name in names:
        if names.count(name) > 1:
            raise HarnessError(f"two mutants have the name {name!r}")
    found = [mutant for mutant in known if not words or any(word in mutant.name or word in mutant.file for word in words)]
    if not found:
        raise HarnessError(f"no mutant has {' or '.join(words)} in its name or file")
    return found


def _mutant(entry: Mapping[str, Any], tests: Mapping[str, Sequence[str]]) -> Mutant:
    return Mutant(
        entry["name"],
        entry["file"],
        entry["old"],
        entry["new"],
        entry.get("equivalent", ""),
        tuple(tests.get(entry["file"], ())),
    )
