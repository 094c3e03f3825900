# SPDX-License-Identifier: GPL-2.0
"""Runs the modules of several sides in one guest, one load after another, in random order.

Two guests never have the same memory or the same neighbours. In one guest, a disturbance hits both sides equally often. The tries
of a load share its memory layout, so a load counts as one measurement: a block.

A load that shared its core with a neighbour does not measure the modules. Its marks identify it, never its figures: more of its tries
are disturbed than those of another load of the same side and size.
"""

from __future__ import annotations

import random
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import paths, ui
from ..errors import HarnessError
from ..kernel.build import Build
from ..results.datapath import ENCRYPTING, OWN
from ..results.samples import PACKET, WORKS, Cell, Report
from ..sweep import otherprocesses
from ..sweep import drive as sweeper
from ..sweep.plan import DatapathPlan
from ..sweep.stream import DATAPATH, StageResult, SweepStream
from ..targets import Target
from .plan import MIN_ROUNDS

SCRIPT = paths.HARNESS / "guest" / "ab.sh"
TUNNEL = "dsbench_tunnel"

DISTURBED_MORE = 0.2
"""A load is disturbed if this share of its tries is, above the least of loads like it: long tries are disturbed in each load."""


@dataclass(frozen=True)
class Side:
    """Modules under test. `name` is one word and differs from the other side's."""

    name: str
    build: Build
    containers: tuple[str, ...]
    devices: tuple[str, ...] = ()
    """Devices of the datapath; none to leave it out."""

    @property
    def lacking(self) -> list[str]:
        """Modules that its devices need and that were not built."""
        return [name for name in datapath_modules(self.devices) if not (self.build.ko_dir / f"{name}.ko").exists()]


def datapath_modules(devices: Sequence[str]) -> list[str]:
    """Return our modules that these devices need besides the core."""
    return [*([TUNNEL] if devices else []), *(kind for kind in OWN if kind in devices)]


@dataclass(frozen=True)
class Load:
    """One load of the modules of a side, for one run."""

    round: int
    side: Side
    n: int | None
    """Elements; None: the datapath."""

    @property
    def stage(self) -> str:
        """Name of the load in the guest's output."""
        return f"{self.round}:{self.side.name}:{DATAPATH if self.n is None else self.n}"

    @property
    def called(self) -> str:
        """Its name for people."""
        what = "the datapath" if self.n is None else f"n={self.n}"
        return f"round {self.round + 1}, side {self.side.name}, {what}"


@dataclass(frozen=True)
class Turn:
    """The consecutive loads of all sides."""

    round: int
    n: int | None


@dataclass
class SideSamples:
    """The samples of one side's loads: cells with all their tries, and costs per element or packet by cell and round."""

    report: Report | None = None
    """The latest of the containers."""
    devices: dict[str, Any] = field(default_factory=dict)
    """Context of the datapath's devices."""
    cells: dict[str, Cell] = field(default_factory=dict)
    blocks: dict[str, dict[int, list[float]]] = field(default_factory=dict)
    disturbed: dict[Turn, float] = field(default_factory=dict)
    """Share of disturbed tries of each load."""

    def add(self, stage: StageResult, turn: Turn) -> None:
        """One more load."""
        if stage.topology:
            self.devices = self.devices or sweeper.devices(stage)
        else:
            self.report = stage.report
        for cell in stage.cells:
            known = self.cells.setdefault(cell.name, cell)
            if known is not cell:
                known.extend(cell)
            self.blocks.setdefault(cell.name, {})[turn.round] = [count / cell.elements for count in cell.counts]
        marked = [cell for cell in stage.cells if cell.container != ENCRYPTING]
        self.disturbed[turn] = sum(sum(cell.disturbed) for cell in marked) / max(1, sum(len(cell.counts) for cell in marked))

    @property
    def names(self) -> list[str]:
        """Return the cells in the order of display: devices after containers, whatever the random order was."""
        return sorted(self.cells, key=lambda name: WORKS.index(self.cells[name].work))

    def turn(self, name: str, number: int) -> Turn:
        """Return the turn of a round in which a cell was measured."""
        cell = self.cells[name]
        return Turn(number, None if cell.work == PACKET else cell.n)

    def spoilt(self, rounds: int) -> set[Turn]:
        """Return the turns in which this side's load was disturbed more than a load of the first `rounds`."""
        least: dict[int | None, float] = {}
        for turn, share in self.disturbed.items():
            if turn.round < rounds:
                least[turn.n] = min(share, least.get(turn.n, share))
        return {turn for turn, share in self.disturbed.items() if share > least.get(turn.n, share) + DISTURBED_MORE}


def order(sides: Sequence[Side], sizes: Sequence[int], rounds: int, seed: int) -> list[Load]:
    """Return the loads of `rounds` rounds: all sizes in random order, and at each size all sides in random order.

    The datapath is one more size if the sides have devices.
    """
    chance = random.Random(seed)
    stages = [*sizes, *([None] if all(side.devices for side in sides) else [])]
    return [
        Load(number, side, n)
        for number in range(rounds)
        for n in chance.sample(stages, len(stages))
        for side in chance.sample(list(sides), len(sides))
    ]


def retry_loads(sides: Sequence[Side], turns: Collection[Turn], first: int, seed: int) -> list[Load]:
    """Return the loads that retry `turns`, each of its size, in rounds from `first` on."""
    chance = random.Random(seed)
    made = []
    for number in range(max(Counter(turn.n for turn in turns).values(), default=0)):
        sizes = [n for n, count in Counter(turn.n for turn in turns).items() if count > number]
        for n in chance.sample(sizes, len(sizes)):
            made += [Load(first + number, side, n) for side in chance.sample(list(sides), len(sides))]
    return made


def spoilt(taken: Mapping[str, SideSamples], rounds: int) -> set[Turn]:
    """Return the turns in which the load of any side was disturbed. The reference is the first `rounds`; retries do not change it."""
    return {turn for side in taken.values() for turn in side.spoilt(rounds)}


def blocks(taken: Mapping[str, SideSamples], without: Collection[Turn] = ()) -> dict[str, dict[str, list[list[float]]]]:
    """Return the blocks of all turns by side and cell, the same rounds on all sides, without `without` if enough others remain."""
    found: dict[str, dict[str, list[list[float]]]] = {}
    for name, side in taken.items():
        for cell, known in side.blocks.items():
            rounds = sorted(set(known).intersection(*(other.blocks[cell] for other in taken.values() if cell in other.blocks)))
            calm = [number for number in rounds if side.turn(cell, number) not in without]
            chosen = calm if len(calm) >= MIN_ROUNDS else rounds
            found.setdefault(name, {})[cell] = [known[number] for number in chosen]
    return found


def run(
    target: Target,
    loads: Sequence[Load],
    settings: Callable[[Load], Sequence[str]],
    progress: ui.Progress,
    timeout: float,
    taken: dict[str, SideSamples],
    datapath: DatapathPlan | None = None,
) -> None:
    """Run `loads` in one guest of `target` with `settings` as the core's parameters; `taken` grows, by side.

    `datapath` is given if a load measures it.

    GuestError if the guest does not finish within `timeout` seconds; HarnessError if a load or a run fails.
    """
    by_stage = {load.stage: load for load in loads}
    finished = 0

    def follow(stage: str, done: int, total: int) -> None:
        nonlocal finished
        place = loads.index(by_stage[stage])
        progress.advance(by_stage[stage].called, place - finished)
        finished = place

    def keep(stage: StageResult) -> None:
        load = by_stage[stage.stage]
        taken.setdefault(load.side.name, SideSamples()).add(stage, Turn(load.round, load.n))

    stream = SweepStream(follow, keep, {stage: load.called for stage, load in by_stage.items()})
    with tempfile.TemporaryDirectory(prefix="dsbench-") as folder:
        files = [*_archives(loads, Path(folder)), _plan(loads, settings, Path(folder)), SCRIPT, *sweeper.PARTS]
        words = ["", ""]
        if datapath:
            files += sweeper.datapath_files()
            words = [" ".join(datapath.devices), sweeper.tunnel_settings(datapath)]
        target.cpu = otherprocesses.idlest_cpu() if target.name == "uml" else None
        ended = target.run(["sh", SCRIPT.name, "plan", *words], files=files, timeout=timeout, on_stdout=stream.feed)
    if stream.failure:
        raise stream.failure
    if ended.status:
        raise HarnessError(sweeper.last_words(ended))
    progress.advance(count=len(loads) - finished)


def _archives(loads: Sequence[Load], folder: Path) -> list[Path]:
    """Write an archive of modules for each side."""
    made = []
    for side in dict.fromkeys(load.side for load in loads):
        path = folder / f"{side.name}.tar"
        with tarfile.open(path, "w") as archive:
            for module in ("dsbench", *datapath_modules(side.devices)):
                archive.add(side.build.ko_dir / f"{module}.ko", f"{module}.ko")
            for name in side.containers:
                archive.add(side.build.ko_dir / f"dsbench_{name}.ko", f"containers/dsbench_{name}.ko")
        made.append(path)
    return made


def _plan(loads: Sequence[Load], settings: Callable[[Load], Sequence[str]], folder: Path) -> Path:
    """Write the file that ab.sh processes."""
    path = folder / "plan"
    lines = [" ".join((load.stage, load.side.name, *settings(load))) for load in loads]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return path
