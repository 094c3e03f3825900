# SPDX-License-Identifier: GPL-2.0
"""Parses the output of guest/sweep.sh: the stages of a sweep."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .. import texts
from ..errors import HarnessError
from ..results.datapath import Topology, parse_topology
from ..results.samples import Cell, Report, check_agreement, parse_report, parse_samples
from .marked import MarkedSections, damaged

MARK = "@dsbench"
DATAPATH = "datapath"
"""The name of the datapath's stage. All other stages are sizes."""

SECTIONS = ("failed", "topology", "report", "samples")
"""Marks that begin a section of the output."""
FIGURES = {"begin": 0, "progress": 2, "end": 0, **dict.fromkeys(SECTIONS, 0)}
"""Each mark, and how many numbers follow its stage."""

OPENING = ("begin", "failed")
"""Marks that may come while their stage has not begun: a script also fails before and after a run."""

_FIGURE = re.compile(r"[0-9]{1,18}")
_LOG_PREFIX = re.compile(r"^(\[[ \d.]+\] )?(dsbench\w*: )*")
_MODULE_LOADER = re.compile(r"invalid for parameter")


@dataclass(frozen=True)
class StageResult:
    """The result of one stage: of a size or of the datapath. Without devices the datapath has no report and no cells."""

    stage: str
    report: Report | None
    cells: list[Cell]
    topology: Topology | None = None


def runs_of(stages: Sequence[str]) -> dict[str, str]:
    """Return the names of the runs of these stages, sizes or the datapath, for people."""
    return {stage: "the run of the datapath" if stage == DATAPATH else f"the run of n={stage}" for stage in stages}


class SweepStream(MarkedSections):
    """Collects each stage until it is complete, and calls back on every step."""

    def __init__(
        self,
        on_progress: Callable[[str, int, int], None],
        on_stage: Callable[[StageResult], None],
        runs: Mapping[str, str],
    ) -> None:
        """`on_progress` gets the stage, its tries done and its tries in all; `on_stage` gets each complete stage.

        `runs` has each stage that may come, one word, and the name of its run for an error message.
        """
        super().__init__(MARK, self._mark)
        self._on_progress = on_progress
        self._on_stage = on_stage
        self._runs = runs
        self._stage = ""
        """The stage that has begun and not ended."""
        self._section = ""
        self._texts: dict[str, list[str]] = {}

    def _mark(self, words: list[str], since: list[str]) -> None:
        kind, stage, figures = words[0] if words else "", words[1] if len(words) > 1 else "", words[2:]
        sound = len(figures) == FIGURES.get(kind, -1) and all(map(_FIGURE.fullmatch, figures))
        if not sound or stage not in self._runs or stage != self._stage and kind not in OPENING:
            raise damaged(words)
        if self._section:
            self._texts[self._section] = [texts.printable(line) for line in since]
        self._stage = "" if kind == "end" else stage
        self._section = kind if kind in SECTIONS else ""
        if kind == "begin":
            self._texts = {}
            self._on_progress(stage, 0, 0)
        elif kind == "progress":
            done, total = map(int, figures)
            self._on_progress(stage, min(done, total), total)
        elif kind == "end":
            self._end(stage)

    def _end(self, stage: str) -> None:
        called = self._runs[stage]
        if "failed" in self._texts:
            raise HarnessError(f"the kernel refused {called}: {_reason(self._texts['failed'])}")
        topology = parse_topology(self._texts["topology"]) if "topology" in self._texts else None
        if topology and not topology.present:
            self._on_stage(StageResult(stage, None, [], topology))
            return
        report = parse_report(self._text("report"))
        cells = parse_samples(self._text("samples"))
        if not report.rows or any(run.settings.get("state") != "complete" for run in report.runs):
            said = [text for text in report.warnings if text.startswith("run ")] or ["see the kernel's log"]
            raise HarnessError(f"{called} was not completed: {said[-1]}")
        check_agreement(report, cells)
        order = [row.name for row in report.rows]
        cells.sort(key=lambda cell: order.index(cell.name))
        self._on_stage(StageResult(stage, report, cells, topology))

    def _text(self, section: str) -> str:
        return "".join(f"{line}\n" for line in self._texts.get(section, []))


def _reason(log: list[str]) -> str:
    """Return the last line of the kernel's log that is from the core, not from the module loader."""
    said = [_LOG_PREFIX.sub("", line).strip() for line in log if not _MODULE_LOADER.search(line)]
    return next((line for line in reversed(said) if line), "it left no message")
