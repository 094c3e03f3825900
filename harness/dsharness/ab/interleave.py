# SPDX-License-Identifier: GPL-2.0
"""Runs the modules of several sides in one guest, one load after the other, in random order.

Two guests never have the same memory, nor the same neighbours; in one guest whatever disturbs one side disturbs the other
as often. The tries of a load share its memory layout, so a load is what counts as one measurement: a block.
"""

from __future__ import annotations

import random
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .. import paths, ui
from ..errors import HarnessError
from ..kernel.build import Build
from ..results.samples import Cell, Report
from ..sweep import bystanders
from ..sweep.drive import STAGE, last_words
from ..sweep.stream import StageResult, SweepStream
from ..targets import Target

SCRIPT = paths.HARNESS / "guest" / "ab.sh"


@dataclass(frozen=True)
class Side:
    """Modules under test: `name` is one word, unlike the other side's."""

    name: str
    build: Build
    containers: tuple[str, ...]


@dataclass(frozen=True)
class Load:
    """The modules of one side loaded once, for one run."""

    round: int
    side: Side
    n: int

    @property
    def stage(self) -> str:
        """Its name in what the guest prints."""
        return f"{self.round}:{self.side.name}:{self.n}"

    @property
    def called(self) -> str:
        """Its name for people."""
        return f"round {self.round + 1}, side {self.side.name}, n={self.n}"


@dataclass
class Taken:
    """What one side's loads gave: by cell, the blocks of per-element costs, and the cells with all their tries."""

    report: Report | None = None
    cells: dict[str, Cell] = field(default_factory=dict)
    blocks: dict[str, list[list[float]]] = field(default_factory=dict)

    def add(self, stage: StageResult) -> None:
        """One more load."""
        self.report = stage.report
        for cell in stage.cells:
            known = self.cells.setdefault(cell.name, cell)
            if known is not cell:
                known.extend(cell)
            self.blocks.setdefault(cell.name, []).append([count / cell.elements for count in cell.cycles])


def order(sides: Sequence[Side], sizes: Sequence[int], rounds: int, seed: int) -> list[Load]:
    """`rounds` times all sizes in random order, at each size all sides in random order, one right after the other."""
    chance = random.Random(seed)
    return [
        Load(number, side, n)
        for number in range(rounds)
        for n in chance.sample(list(sizes), len(sizes))
        for side in chance.sample(list(sides), len(sides))
    ]


def run(
    target: Target,
    loads: Sequence[Load],
    settings: Callable[[Load], Sequence[str]],
    progress: ui.Progress,
    timeout: float,
    taken: dict[str, Taken],
) -> None:
    """Run `loads` in one guest of `target`, the core's parameters being `settings`; `taken` grows, by side.

    GuestError when the guest does not come to the end in `timeout` seconds; HarnessError when a load or a run fails.
    """
    by_stage = {load.stage: load for load in loads}
    before = progress.done

    def follow(stage: str, done: int, total: int) -> None:
        progress.update(before + loads.index(by_stage[stage]), by_stage[stage].called)

    def keep(stage: StageResult) -> None:
        taken.setdefault(by_stage[stage.stage].side.name, Taken()).add(stage)

    stream = SweepStream(follow, keep, called=lambda stage: by_stage[stage].called)
    with tempfile.TemporaryDirectory(prefix="dsbench-") as folder:
        files = [*_archives(loads, Path(folder)), _plan(loads, settings, Path(folder)), SCRIPT, STAGE]
        target.cpu = bystanders.idlest_cpu() if target.name == "uml" else None
        ended = target.run(["sh", SCRIPT.name, "plan"], files=files, timeout=timeout, on_stdout=stream.feed)
    if stream.failure:
        raise stream.failure
    if ended.status:
        raise HarnessError(last_words(ended))
    progress.update(before + len(loads))


def _archives(loads: Sequence[Load], folder: Path) -> list[Path]:
    """For each side a file of the modules that it loads."""
    made = []
    for side in dict.fromkeys(load.side for load in loads):
        path = folder / f"{side.name}.tar"
        with tarfile.open(path, "w") as archive:
            for module in ("dsbench", *(f"dsbench_{name}" for name in side.containers)):
                archive.add(side.build.ko_dir / f"{module}.ko", f"{module}.ko")
        made.append(path)
    return made


def _plan(loads: Sequence[Load], settings: Callable[[Load], Sequence[str]], folder: Path) -> Path:
    """The file that ab.sh works through."""
    path = folder / "plan"
    lines = [" ".join((load.stage, load.side.name, f"n={load.n}", *settings(load))) for load in loads]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return path
