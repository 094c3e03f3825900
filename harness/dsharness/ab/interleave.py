# SPDX-License-Identifier: GPL-2.0
"""Runs the modules of several sides in one guest, one load after the other, in random order.

Two guests never have the same memory, nor the same neighbours; in one guest whatever disturbs one side disturbs the other
as often. The tries of a load share its memory layout, so a load is what counts as one measurement: a block.

A load that shared its core with a neighbour says nothing of the modules. It is told by its marks, never by its figures: more
of its tries are disturbed than of another load of that side and size.
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
from ..results.datapath import ENCRYPTING
from ..results.samples import PACKET, WORKS, Cell, Report
from ..sweep import otherprocesses
from ..sweep import drive as sweeper
from ..sweep.plan import DatapathPlan
from ..sweep.stream import DATAPATH, StageResult, SweepStream
from ..targets import Target
from .plan import MIN_ROUNDS

SCRIPT = paths.HARNESS / "guest" / "ab.sh"
TUNNEL, UDPTUN = "dsbench_tunnel", "udptun"

DISTURBED_MORE = 0.2
"""Such a share of a load's tries, above the least of its like: long tries are disturbed in each load."""


@dataclass(frozen=True)
class Side:
    """Modules under test: `name` is one word, unlike the other side's."""

    name: str
    build: Build
    containers: tuple[str, ...]
    devices: tuple[str, ...] = ()
    """What the datapath is measured on; none: it is not."""

    @property
    def lacking(self) -> list[str]:
        """The modules that measuring its devices takes, and that were not built."""
        return [name for name in datapath_modules(self.devices) if not (self.build.ko_dir / f"{name}.ko").exists()]


def datapath_modules(devices: Sequence[str]) -> list[str]:
    """Our modules that measuring these devices takes, beside the core."""
    return [*([TUNNEL] if devices else []), *([UDPTUN] if UDPTUN in devices else [])]


@dataclass(frozen=True)
class Load:
    """The modules of one side loaded once, for one run."""

    round: int
    side: Side
    n: int | None
    """Elements; None: the datapath."""

    @property
    def stage(self) -> str:
        """Its name in what the guest prints."""
        return f"{self.round}:{self.side.name}:{DATAPATH if self.n is None else self.n}"

    @property
    def called(self) -> str:
        """Its name for people."""
        what = "the datapath" if self.n is None else f"n={self.n}"
        return f"round {self.round + 1}, side {self.side.name}, {what}"


@dataclass(frozen=True)
class Turn:
    """The loads of all sides that are taken one right after the other."""

    round: int
    n: int | None


@dataclass
class SideSamples:
    """What one side's loads gave: the cells with all their tries, and by cell and round the costs an element or packet."""

    report: Report | None = None
    """The latest of the containers."""
    devices: dict[str, Any] = field(default_factory=dict)
    """What came of the datapath's devices, as a context has it."""
    cells: dict[str, Cell] = field(default_factory=dict)
    blocks: dict[str, dict[int, list[float]]] = field(default_factory=dict)
    disturbed: dict[Turn, float] = field(default_factory=dict)
    """The share of disturbed tries in each load."""

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
            self.blocks.setdefault(cell.name, {})[turn.round] = [count / cell.elements for count in cell.cycles]
        marked = [cell for cell in stage.cells if cell.container != ENCRYPTING]
        self.disturbed[turn] = sum(sum(cell.disturbed) for cell in marked) / max(1, sum(len(cell.cycles) for cell in marked))

    @property
    def names(self) -> list[str]:
        """The cells as they are shown: devices behind containers, wherever chance had them."""
        return sorted(self.cells, key=lambda name: WORKS.index(self.cells[name].work))

    def turn(self, name: str, number: int) -> Turn:
        """The turn of that round in which a cell was measured."""
        cell = self.cells[name]
        return Turn(number, None if cell.work == PACKET else cell.n)

    def spoilt(self, rounds: int) -> set[Turn]:
        """The turns in which this side's load was disturbed more than one of the first `rounds`."""
        least: dict[int | None, float] = {}
        for turn, share in self.disturbed.items():
            if turn.round < rounds:
                least[turn.n] = min(share, least.get(turn.n, share))
        return {turn for turn, share in self.disturbed.items() if share > least.get(turn.n, share) + DISTURBED_MORE}


def order(sides: Sequence[Side], sizes: Sequence[int], rounds: int, seed: int) -> list[Load]:
    """`rounds` times all sizes in random order, at each size all sides in random order, one right after the other.

    The datapath is one more size, where the sides have devices.
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
    """A turn for each of these `turns`, of its size, in rounds from `first` on."""
    chance = random.Random(seed)
    made = []
    for number in range(max(Counter(turn.n for turn in turns).values(), default=0)):
        sizes = [n for n, count in Counter(turn.n for turn in turns).items() if count > number]
        for n in chance.sample(sizes, len(sizes)):
            made += [Load(first + number, side, n) for side in chance.sample(list(sides), len(sides))]
    return made


def spoilt(taken: Mapping[str, SideSamples], rounds: int) -> set[Turn]:
    """The turns in which the load of any side was disturbed, more than in the first `rounds`: turns taken later move no mark."""
    return {turn for side in taken.values() for turn in side.spoilt(rounds)}


def blocks(taken: Mapping[str, SideSamples], without: Collection[Turn] = ()) -> dict[str, dict[str, list[list[float]]]]:
    """By side and cell, the blocks of all turns, the same rounds on all sides; but for some turns, where enough others are left."""
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
    """Run `loads` in one guest of `target`, the core's parameters being `settings`; `taken` grows, by side.

    `datapath` is there where one of the loads measures it.

    GuestError when the guest does not come to the end in `timeout` seconds; HarnessError when a load or a run fails.
    """
    by_stage = {load.stage: load for load in loads}
    before = progress.done

    def follow(stage: str, done: int, total: int) -> None:
        progress.update(before + loads.index(by_stage[stage]), by_stage[stage].called)

    def keep(stage: StageResult) -> None:
        load = by_stage[stage.stage]
        taken.setdefault(load.side.name, SideSamples()).add(stage, Turn(load.round, load.n))

    stream = SweepStream(follow, keep, called=lambda stage: by_stage[stage].called)
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
    progress.update(before + len(loads))


def _archives(loads: Sequence[Load], folder: Path) -> list[Path]:
    """For each side a file of the modules that it loads."""
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
    """The file that ab.sh works through."""
    path = folder / "plan"
    lines = [" ".join((load.stage, load.side.name, *settings(load))) for load in loads]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return path
