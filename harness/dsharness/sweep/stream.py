# SPDX-License-Identifier: GPL-2.0
"""Parses the output of guest/sweep.sh: the stages of a sweep."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import HarnessError
from ..results.datapath import Topology, parse_topology
from ..results.samples import Cell, Report, check_agreement, name_of, parse_report, parse_samples
from .marked import MarkedSections

MARK = "@dsbench"
DATAPATH = "datapath"
"""The name of the datapath's stage. All other stages are sizes."""

_LOG_PREFIX = re.compile(r"^(\[[ \d.]+\] )?(dsbench\w*: )*")
_MODULE_LOADER = re.compile(r"invalid for parameter")


@dataclass(frozen=True)
class StageResult:
    """The result of one stage: of a size or of the datapath. Without devices the datapath has no report and no cells."""

    stage: str
    report: Report | None
    cells: list[Cell]
    topology: Topology | None = None


def _size_or_datapath(stage: str) -> str:
    return "the run of the datapath" if stage == DATAPATH else f"the run of n={stage}"


class SweepStream(MarkedSections):
    """Collects each stage until it is complete, and calls back on every step."""

    def __init__(
        self,
        on_progress: Callable[[str, int, int], None],
        on_stage: Callable[[StageResult], None],
        called: Callable[[str], str] = _size_or_datapath,
    ) -> None:
        """`on_progress` gets the stage, its tries done and its tries in all; `on_stage` gets each complete stage.

        A stage is one word: a size or DATAPATH here. `called` returns the name of its run for an error message.
        """
        super().__init__(MARK, self._mark)
        self._on_progress = on_progress
        self._on_stage = on_stage
        self._called = called
        self._stage = ""
        self._section = ""
        self._texts: dict[str, list[str]] = {}

    def _mark(self, words: list[str], since: list[str]) -> None:
        if self._section:
            self._texts[self._section] = since
        kind, self._stage, figures = words[0], words[1], [int(word) for word in words[2:]]
        self._section = "" if kind in ("begin", "progress", "end") else kind
        if kind == "begin":
            self._texts = {}
            self._on_progress(self._stage, 0, 0)
        elif kind == "progress":
            self._on_progress(self._stage, figures[0], figures[1])
        elif kind == "end":
            self._end(self._called(self._stage))

    def _end(self, called: str) -> None:
        if "failed" in self._texts:
            raise HarnessError(f"the kernel refused {called}: {_reason(self._texts['failed'])}")
        topology = parse_topology(self._texts["topology"]) if "topology" in self._texts else None
        if topology and not topology.present:
            self._on_stage(StageResult(self._stage, None, [], topology))
            return
        report = parse_report(self._text("report"))
        cells = parse_samples(self._text("samples"))
        if not report.rows or any(run.settings.get("state") != "complete" for run in report.runs):
            said = [text for text in report.warnings if text.startswith("run ")] or ["see the kernel's log"]
            raise HarnessError(f"{called} was not completed: {said[-1]}")
        check_agreement(report, cells)
        order = [name_of(row.container, row.op, row.n, row.threads) for row in report.rows]
        cells.sort(key=lambda cell: order.index(cell.name))
        self._on_stage(StageResult(self._stage, report, cells, topology))

    def _text(self, section: str) -> str:
        return "".join(f"{line}\n" for line in self._texts.get(section, []))


def _reason(log: list[str]) -> str:
    """Return the last line of the kernel's log that is from the core, not from the module loader."""
    said = [_LOG_PREFIX.sub("", line).strip() for line in log if not _MODULE_LOADER.search(line)]
    return next((line for line in reversed(said) if line), "it left no message")
