# SPDX-License-Identifier: GPL-2.0
"""Result files of the evaluation: JSON in Google Benchmark's schema, and all samples as CSV beside it.

The `real_time` of a row is in µs: of a round trip for latency, of one Mbit for throughput, so that less is better in both. Fields of
our own: `device`, `tool`, `metric`, `value` in the metric's unit, `round`, `order` within the round, `details`. `comparisons` has each
device against the bare link and against the best peer, and udptun_rust against udptun, by the tests of significance.py.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from .. import paths
from ..errors import HarnessError
from ..results import results
from ..results.datapath import ENCRYPTING, OWN, RUST, UDPTUN
from .devices import LINK
from .meters import LATENCY, TOOLS, Reading, Tool
from .significance import Comparison, Figures, compare, figures
from .steps import Take

SCHEMA_VERSION = 1
LATEST = "latest-tunnel.json"
REFERENCE = paths.REFERENCE / "seed_tunnel.csv"

CSV_COLUMNS = ("target", "accel", "kernel", "round", "order", "device", "tool", "metric", "value")


@dataclass(frozen=True)
class Sample:
    """One measurement."""

    take: Take
    reading: Reading


@dataclass(frozen=True)
class Row:
    """One device measured with one tool, and its comparisons; None where it is the reference itself."""

    device: str
    figures: Figures
    against_link: Comparison | None
    against_best: Comparison | None
    against_c: Comparison | None = None
    """The driver in Rust against the one in C."""


@dataclass(frozen=True)
class PaperRow:
    """One row of the paper's tables."""

    interface: str
    mean: float
    min: float
    max: float
    sigma: float


@dataclass
class Evaluation:
    """One run: its environment and its samples, in the order in which they were taken."""

    context: dict[str, Any]
    samples: list[Sample]

    @property
    def tools(self) -> list[Tool]:
        """The tools that measured something."""
        used = {sample.take.tool.name for sample in self.samples}
        return [tool for tool in TOOLS if tool.name in used]

    def values(self, device: str, tool: Tool) -> list[float]:
        """Return the samples of `tool` for `device`, in order."""
        return [
            sample.reading.value
            for sample in self.samples
            if (sample.take.device, sample.take.tool.name) == (device, tool.name)
        ]

    def measured(self, tool: Tool) -> list[str]:
        """Return the devices that `tool` measured: the bare link first, then in the order of the context."""
        return [name for name in (LINK, *self.context["devices"]) if self.values(name, tool)]

    def best_peer(self, tool: Tool) -> str | None:
        """Return the in-tree tunnel with the best mean. A tunnel that encrypts does another job and is not considered."""
        peers = [name for name in self.measured(tool) if name not in (LINK, *OWN, ENCRYPTING)]
        means = {name: figures(self.values(name, tool)).mean for name in peers}
        best = min if tool.lower_is_better else max
        return best(means, key=lambda name: means[name]) if means else None

    def rows(self, tool: Tool) -> list[Row]:
        """The table of `tool`."""
        best = self.best_peer(tool)
        return [
            Row(
                name,
                figures(self.values(name, tool)),
                None if name == LINK else compare(self.values(name, tool), self.values(LINK, tool)),
                None if name in (LINK, best) or not best else compare(self.values(name, tool), self.values(best, tool)),
                compare(self.values(RUST, tool), self.values(UDPTUN, tool)) if name == RUST and self.values(UDPTUN, tool) else None,
            )
            for name in self.measured(tool)
        ]


def paper(metric: str) -> list[PaperRow]:
    """Return the paper's table for `metric`. HarnessError if the file is missing or damaged."""
    try:
        with REFERENCE.open(encoding="utf-8", newline="") as file:
            lines = csv.DictReader(line for line in file if not line.startswith("#"))
            return [
                PaperRow(line["interface"], *(float(line[name]) for name in ("mean", "min", "max", "sigma")))
                for line in lines
                if line["metric"] == metric
            ]
    except OSError as error:
        raise HarnessError(f"the paper's figures {REFERENCE} cannot be read: {error.strerror}") from error
    except (KeyError, ValueError, TypeError) as error:
        raise HarnessError(f"the paper's figures {REFERENCE} can't be used: {error}") from error


def write(run: Evaluation, path: Path) -> None:
    """Write the JSON file and the CSV beside it, each atomically, the JSON file last: if it exists, both are complete."""
    results.replace(path.with_suffix(".csv"), lambda file: _write_csv(run, file))
    results.replace(path, lambda file: _write_json(run, file))


def _write_json(run: Evaluation, file: IO[str]) -> None:
    rows = [row for tool in run.tools for name in run.measured(tool) for row in _benchmarks(run, name, tool)]
    content = {"context": run.context, "benchmarks": rows, "comparisons": list(_comparisons(run))}
    print(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False), file=file)


def _benchmarks(run: Evaluation, device: str, tool: Tool) -> Iterator[dict[str, Any]]:
    name = f"{device}/{tool.name}"
    found = [s for s in run.samples if (s.take.device, s.take.tool.name) == (device, tool.name)]
    common = {"run_name": name, "repetitions": len(found), "threads": 1}
    ours = {"device": device, "tool": tool.name, "metric": tool.metric}
    for index, sample in enumerate(found):
        place = {"round": sample.take.round, "order": sample.take.order}
        yield {
            "name": name, **common, "run_type": "iteration", "repetition_index": index, "iterations": 1,
            **_time(sample.reading.value, tool), **ours, "value": sample.reading.value, **place,
            "details": sample.reading.details,
        }  # fmt: skip
    summary = figures([sample.reading.value for sample in found])
    times = figures([_time(sample.reading.value, tool)["real_time"] for sample in found])
    for aggregate, label in (("mean", "mean"), ("min", "min"), ("max", "max"), ("sigma", "stddev")):
        time = getattr(times, aggregate)
        yield {
            "name": f"{name}_{label}", **common, "run_type": "aggregate", "aggregate_name": label,
            "aggregate_unit": "time", "iterations": len(found), "real_time": time, "cpu_time": time, "time_unit": "us",
            **ours, "value": getattr(summary, aggregate),
        }  # fmt: skip


def _time(value: float, tool: Tool) -> dict[str, Any]:
    """Return the times of a row, in the schema's fields."""
    time = value if tool.metric == LATENCY else 1e6 / value
    return {"real_time": time, "cpu_time": time, "time_unit": "us"}


def _comparisons(run: Evaluation) -> Iterator[dict[str, Any]]:
    for tool in run.tools:
        for row in run.rows(tool):
            for reference, found in ((LINK, row.against_link), (run.best_peer(tool), row.against_best), (UDPTUN, row.against_c)):
                if found:
                    yield {"device": row.device, "reference": reference, "tool": tool.name, **asdict(found)}


def _write_csv(run: Evaluation, file: IO[str]) -> None:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(CSV_COLUMNS)
    where = (run.context["target"], run.context.get("accel") or "", run.context["kernel"])
    for sample in run.samples:
        take, tool = sample.take, sample.take.tool
        table.writerow((*where, take.round, take.order, take.device, tool.name, tool.metric, sample.reading.value))
