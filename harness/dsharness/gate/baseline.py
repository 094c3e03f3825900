# SPDX-License-Identifier: GPL-2.0
"""Baselines of the gate: the cost of each cell at one revision, in instructions, on one kernel as built by one compiler."""

from __future__ import annotations

import enum
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from .. import paths, texts
from ..errors import OTHER_BASELINE, HarnessError
from ..results import results
from ..results.samples import DATAPATH_OPS, Cell

FOLDER = paths.REFERENCE
PREFIX = "gate-"
KIND = "dsbench gate baseline"
VERSION = 1
MAKE_ONE = "dsbench gate --update makes one"

MARGIN = 2.0
"""Allowance of a cell beyond the threshold, in multiples of its noise."""
LEAST_NOISE_OF_PACKETS = 0.005
"""Minimum noise of packets: a boot's secret seeds the hash tables of sockets, so a new boot may have one more collision."""


@dataclass(frozen=True)
class Count:
    """Cost of a try of one cell, in instructions: its cheapest try in the cheapest guest and in the dearest guest.

    The cheapest try is the cost of the code. In other tries the allocator fetches pages for the container's nodes, which can add a
    third. When it does so depends on the tries before, and slightly on the guest's memory.
    """

    elements: int
    least: int
    most: int

    @property
    def noise(self) -> float:
        """Difference between the two as a share; 0 if the count is the same in every guest."""
        return (self.most - self.least) / max(self.least, 1)

    @property
    def each(self) -> float:
        """For one element or packet."""
        return self.least / self.elements


@dataclass(frozen=True)
class Identity:
    """The facts that must agree before counts may be compared."""

    kernel: str
    compiler: str

    @property
    def name(self) -> str:
        """Name of the baseline of this kernel and compiler."""
        return f"{self.kernel}-{self.compiler.replace(' ', '-')}"


@dataclass(frozen=True)
class Baseline:
    """A baseline and the facts of how it was made."""

    identity: Identity
    facts: dict[str, Any]
    counts: dict[str, Count]


class Move(enum.Enum):
    """What became of a cell."""

    SAME = "same"
    WITHIN = "within the threshold"
    IMPROVED = "improved"
    REGRESSED = "regressed"
    GONE = "gone"
    NEW = "new"


FAILURES = (Move.REGRESSED, Move.GONE)


@dataclass(frozen=True)
class Change:
    """One cell in the baseline and now. `ratio` is now / before, `noise` a share."""

    name: str
    before: Count | None
    now: Count | None
    ratio: float
    noise: float
    move: Move


def judge(before: Mapping[str, Count], now: Mapping[str, Count], threshold: float) -> list[Change]:
    """Judge each cell that either side has. A cell whose count does not repeat is allowed MARGIN times its noise beyond the threshold."""
    noise = noises(before)
    return [
        _change(name, before.get(name), now.get(name), threshold, noise.get(name, 0.0))
        for name in dict.fromkeys((*before, *now))
    ]


def selected(changes: Sequence[Change], cells: re.Pattern[str] | None) -> list[Change]:
    """Return the changes of the cells whose names match; None selects all."""
    return [change for change in changes if not cells or cells.search(change.name)]


def noises(counts: Mapping[str, Count]) -> dict[str, float]:
    """Return the noise of each cell: the largest noise of its container's operation at any size and burst, since a few guests do not show all of it."""
    largest: dict[tuple[str, str], float] = {}
    for name, count in counts.items():
        loop = _loop(name)
        least = LEAST_NOISE_OF_PACKETS if loop[1] in DATAPATH_OPS else 0.0
        largest[loop] = max(largest.get(loop, least), count.noise)
    return {name: largest[_loop(name)] for name in counts}


def _loop(name: str) -> tuple[str, str]:
    """Return the container or device of a cell, and its operation."""
    container, op, *_ = name.split("/")
    return container, op


def _change(name: str, before: Count | None, now: Count | None, threshold: float, noise: float) -> Change:
    if before is None or now is None:
        return Change(name, before, now, math.nan, math.nan, Move.GONE if now is None else Move.NEW)
    ratio = max(now.each, 1 / now.elements) / max(before.each, 1 / before.elements)
    allowed = threshold + MARGIN * noise
    if ratio > 1 + allowed:
        move = Move.REGRESSED
    elif ratio < 1 / (1 + allowed):
        move = Move.IMPROVED
    else:
        move = Move.SAME if ratio == 1 else Move.WITHIN
    return Change(name, before, now, ratio, noise, move)


def file(named: str | None) -> Path:
    """Return the path of a baseline that is named as a file."""
    assert named
    return Path(named)


def place(named: str | None, identity: Identity) -> Path:
    """Return the path of the baseline: a named file, a name below FOLDER, or the baseline of this kernel and compiler."""
    if named and ("/" in named or named.endswith(".json")):
        return Path(named)
    return FOLDER / f"{PREFIX}{named or identity.name}.json"


def find(named: str | None, identity: Identity) -> Baseline:
    """Return the baseline to compare with. HarnessError if there is none, or none of this kernel and compiler (OTHER_BASELINE)."""
    path = place(named, identity)
    if not named and not path.exists():
        there_are = ", ".join(sorted(file.stem.removeprefix(PREFIX) for file in path.parent.glob(f"{PREFIX}*.json")))
        if there_are:
            raise HarnessError(
                f"no baseline is of kernel {identity.kernel} and {identity.compiler}, there are {there_are}: {MAKE_ONE}",
                OTHER_BASELINE,
            )
        raise HarnessError(f"there is no baseline yet, {path} is missing: {MAKE_ONE}")
    found = read(path)
    if found.identity != identity:
        raise HarnessError(
            f"the baseline {path} is of kernel {found.identity.kernel} and {found.identity.compiler}, this is"
            f" {identity.kernel} and {identity.compiler}: {MAKE_ONE} for it",
            OTHER_BASELINE,
        )
    return found


def read(path: Path) -> Baseline:
    """Read and check a baseline. HarnessError names the file and what is wrong."""
    try:
        content = texts.all_printable(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise HarnessError(f"the baseline {path} is missing: {MAKE_ONE}") from None
    except OSError as error:
        raise HarnessError(f"the baseline {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError):
        _foreign(path, "it is not JSON, or is truncated")
    if not isinstance(content, dict) or content.get("kind") != KIND:
        _foreign(path, "it is none of the gate's")
    if content.get("version") != VERSION:
        _foreign(path, f"its version is {content.get('version')!r}, this harness reads {VERSION}")
    cells = content.get("cells")
    if not isinstance(cells, dict) or not cells:
        _foreign(path, "it has no cells")
    identity = Identity(_text(path, content, "kernel"), _text(path, content, "compiler"))
    facts = {key: value for key, value in content.items() if key != "cells"}
    return Baseline(identity, facts, {name: _count(path, name, value) for name, value in cells.items()})


def write(made: Baseline, path: Path) -> None:
    """Write the baseline atomically."""
    paths.make_folder(path.parent, "baseline")
    content = {"kind": KIND, "version": VERSION, **asdict(made.identity), **made.facts}
    results.write_document({**content, "cells": {name: asdict(count) for name, count in made.counts.items()}}, path)


def counted(guests: Sequence[Sequence[Cell]]) -> dict[str, Count]:
    """Return the costs of the cells of one or several guests, by name."""
    elements = {cell.name: cell.elements for cells in guests for cell in cells}
    cheapest: dict[str, list[int]] = {name: [] for name in elements}
    for cells in guests:
        for cell in cells:
            cheapest[cell.name].append(min(cell.counts))
    return {name: Count(elements[name], min(values), max(values)) for name, values in cheapest.items()}


def _count(path: Path, name: str, value: Any) -> Count:
    try:
        found = Count(**value)
        whole = all(type(number) is int for number in (found.elements, found.least, found.most))
        if not whole or found.elements < 1 or found.least > found.most:
            raise ValueError(name)
    except (TypeError, ValueError):
        _foreign(path, f"its cell {name} is damaged")
    return found


def _text(path: Path, content: Mapping[str, Any], key: str) -> str:
    value = content.get(key)
    if not isinstance(value, str) or not value:
        _foreign(path, f"its {key} is {value!r} instead of a name")
    return value


def _foreign(path: Path, what: str) -> NoReturn:
    raise HarnessError(f"the baseline {path} can't be used: {what}")
