# SPDX-License-Identifier: GPL-2.0
"""Names of cells on the command line: maple/fill/1000, xarray/*, udptun/path/1400, udptun/path/1400/burst:64."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass

from .. import options
from ..errors import UsageError
from ..results import datapath, floors
from ..results.samples import CONTAINER_OPS, DATAPATH_OPS, name_of
from ..sweep.plan import DEFAULT_SIZES, MAX_N

USUAL_N = 1000
"""Elements of a cell whose name does not say how many."""

_WILD = re.compile(r"[*?[]")
_BURST = re.compile(r"burst:(.*)")


@dataclass(frozen=True)
class Wanted:
    """A cell to explain. `named` is true if the user spelt it out, false if a pattern includes it."""

    container: str
    op: str
    n: int
    named: bool
    burst: int = 0
    """Packets between two softirqs; 0: as many as the operation sends by default."""

    @property
    def name(self) -> str:
        """Its name in results."""
        return name_of(self.container, self.op, self.n, burst=self.burst)

    @property
    def is_packet(self) -> bool:
        """Whether it is a cell of the datapath."""
        return self.op in DATAPATH_OPS

    @property
    def work(self) -> str:
        """What one operation is: "lookup", "packet" or "element"."""
        return "packet" if self.is_packet else "lookup" if self.op == "find" else "element"


def find(patterns: Sequence[str], containers: Sequence[str], devices: Sequence[str] = datapath.DEVICES) -> list[Wanted]:
    """Return the cells that the patterns name, each one once. `containers` and `devices` are those that may exist.

    UsageError for a pattern without a cell; it suggests the nearest name.
    """
    found: dict[str, Wanted] = {}
    for pattern in patterns:
        for cell in _matches(pattern, _ops(containers, devices)):
            known = found.get(cell.name)
            found[cell.name] = cell if cell.named or not known else known
    return list(found.values())


def _ops(containers: Sequence[str], devices: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return the operations of each container, of the floors and of each device."""
    return {
        **dict.fromkeys(containers, CONTAINER_OPS),
        floors.FLOOR: floors.OPS,
        **dict.fromkeys(devices, DATAPATH_OPS),
    }


def _matches(pattern: str, ops: dict[str, Sequence[str]]) -> list[Wanted]:
    words = pattern.split("/")
    match = _BURST.fullmatch(words[3]) if len(words) == 4 else None
    burst = match[1] if match else ""
    if len(words) > (4 if burst else 3) or not all(words):
        raise UsageError(
            f"cell {pattern!r} is unknown: names are such as maple/fill/1000, xarray/find, 'rbtree/*', udptun/path/1400"
            " or udptun/path/1400/burst:64"
        )
    container, op, n = (*words, *["*"] * (2 - len(words)), "")[:3]
    pairs = [(one, work) for one in ops if fnmatch.fnmatchcase(one, container) for work in ops[one] if fnmatch.fnmatchcase(work, op)]
    if not pairs:
        raise UsageError(f"cell {pattern!r} is unknown{_nearest(container, op, n, ops)}")
    return [
        Wanted(one, work, size, len(words) >= 3 and not _WILD.search(pattern), packets)
        for one, work in pairs
        for size in _sizes(pattern, n, work)
        for packets in (_bursts(pattern, burst, work, size) if burst else (0,))
    ]


def _bursts(pattern: str, burst: str, op: str, size: int) -> Sequence[int]:
    """Return the bursts that the last word of a pattern means for an operation and a size. UsageError if there are none."""
    named = not _WILD.search(pattern)
    if named and (op not in DATAPATH_OPS or not datapath.bursts_of(size, [1])):
        raise UsageError(f"cell {pattern!r} has no bursts: only packets of 1 to {datapath.SEGMENT} octets of payload come in some")
    if op not in DATAPATH_OPS:
        return ()
    if _WILD.search(burst):
        return datapath.bursts_of(size, [int(one) for one in datapath.BURSTS if fnmatch.fnmatchcase(one, burst)])
    if not re.fullmatch(r"[0-9]{1,4}", burst) or not 1 <= int(burst) <= datapath.MAX_BURST:
        raise UsageError(f"cell {pattern!r} ends in {burst!r}: allowed are bursts of 1 to {datapath.MAX_BURST} packets, or * for the usual ones")
    return datapath.bursts_of(size, [int(burst)])


def _sizes(pattern: str, n: str, op: str) -> list[int]:
    """Return the sizes that the last word of a pattern means for an operation. UsageError if there are none."""
    packets = op in DATAPATH_OPS
    usual, most = (datapath.USUAL_PAYLOAD, datapath.MAX_PAYLOAD) if packets else (USUAL_N, MAX_N)
    if not n:
        return [usual]
    if _WILD.search(n):
        sizes = [size for size in (datapath.PAYLOADS if packets else DEFAULT_SIZES) if fnmatch.fnmatchcase(size, n)]
        return [int(size) for size in sizes]
    if not re.fullmatch(r"[0-9]{1,8}", n) or not 1 <= int(n) <= most:
        what = "octets of payload" if packets else "elements"
        raise UsageError(f"cell {pattern!r} ends in {n!r}: allowed are {what} from 1 to {most}, or * for the usual ones")
    return [int(n)]


def _nearest(container: str, op: str, n: str, ops: dict[str, Sequence[str]]) -> str:
    """Return the rest of the sentence: the nearest name, or all containers and devices."""
    names = [f"{one}/{work}" for one in ops for work in ops[one]]
    if near := options.nearest(f"{container}/{op}", names, 0.5):
        return f": did you mean {near}{f'/{n}' if n else ''}?"
    return f": there are {', '.join(ops)}, each with operations such as {names[0]}"
