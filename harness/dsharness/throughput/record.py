# SPDX-License-Identifier: GPL-2.0
"""Result files of the throughput: JSON in Google Benchmark's schema, and the same rows as CSV beside it.

The `real_time` of a row is in µs of one Mbit. Fields of our own: `kernel`, `device`, `traffic`, `checksum`, `tso`, `gro`,
`round`, `mbit_per_second`, `bytes`, `seconds`, and under icount `instructions_per_byte`. `comparisons` has each kind of traffic over
udptun_rust against udptun, by the tests of tunnel/significance.py.
"""

from __future__ import annotations

import csv
import json
import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from ..results import results
from ..results.datapath import RUST, UDPTUN
from ..tunnel.meters import Reading, Tool
from ..tunnel.significance import Comparison, compare
from .offloads import DEFAULT, Setting
from .plan import TRAFFIC_NAMES
from .steps import Cell

SCHEMA_VERSION = 1
LATEST = "latest-throughput.json"
INSTRUCTIONS_PER_SECOND = 1e9
"""Of a guest under icount."""
COLUMNS = ("kernel", "device", "traffic", "checksum", "tso", "gro", "round", "mbit_per_second", "instructions_per_byte", "bytes", "seconds")


@dataclass(frozen=True)
class Sample:
    """One measurement on one kernel."""

    kernel: str
    cell: Cell
    reading: Reading

    @property
    def per_byte(self) -> float:
        """Instructions a byte, under icount."""
        return INSTRUCTIONS_PER_SECOND * self.reading.details["seconds"] / self.reading.details["bytes"]


@dataclass(frozen=True)
class Figure:
    """The means of all rounds."""

    mbit_per_second: float
    per_byte: float


@dataclass
class Throughput:
    """One run: its environment, and what was measured."""

    context: dict[str, Any]
    samples: list[Sample]

    @property
    def counts_instructions(self) -> bool:
        """Whether a second is a number of instructions."""
        return bool(self.context["accel"] == "icount")

    @property
    def kernels(self) -> list[str]:
        """The kernels, in the order of the measurement."""
        return list(dict.fromkeys(sample.kernel for sample in self.samples))

    def devices(self, kernel: str) -> list[str]:
        """The devices that were measured on a kernel, the bare link first."""
        return list(dict.fromkeys(sample.cell.device for sample in self.samples if sample.kernel == kernel))

    def samples_of(self, kernel: str, device: str, setting: Setting, traffic: str) -> list[Sample]:
        """Return the measurement of each round."""
        wanted = (kernel, device, setting, traffic)
        return [one for one in self.samples if (one.kernel, one.cell.device, one.cell.setting, one.cell.traffic.name) == wanted]

    def find(self, kernel: str, device: str, setting: Setting, traffic: str) -> Figure | None:
        """Return a figure; None if it was not measured."""
        found = self.samples_of(kernel, device, setting, traffic)
        if not found:
            return None
        return Figure(statistics.fmean(one.reading.value for one in found), statistics.fmean(one.per_byte for one in found))

    def traffic(self, kernel: str) -> list[Tool]:
        """Return the kinds of traffic of the default setting, in the order of the plan."""
        kinds = {one.cell.traffic.name: one.cell.traffic for one in self.samples if one.kernel == kernel and one.cell.setting == DEFAULT}
        return [kinds[name] for name in TRAFFIC_NAMES if name in kinds]

    def against_c(self, kernel: str) -> dict[str, Comparison]:
        """Return the throughput of udptun_rust against that of udptun by kind of traffic, where both were measured in several rounds."""
        found = {}
        for kind in self.traffic(kernel):
            rust, c = ([one.reading.value for one in self.samples_of(kernel, device, DEFAULT, kind.name)] for device in (RUST, UDPTUN))
            if min(len(rust), len(c)) > 1:
                found[kind.name] = compare(rust, c)
        return found


def write(run: Throughput, path: Path) -> None:
    """Write the CSV, then the JSON file, each atomically."""
    results.replace(path.with_suffix(".csv"), lambda file: _write_csv(run, file))
    results.replace(path, lambda file: _write_json(run, file))


def rows(run: Throughput) -> list[dict[str, Any]]:
    """Return what the files have of each measurement."""
    return [
        {
            "kernel": one.kernel, "device": one.cell.device, "traffic": one.cell.traffic.name,
            "checksum": one.cell.setting.checksum, "tso": one.cell.setting.tso, "gro": one.cell.setting.gro,
            "round": one.cell.round, "mbit_per_second": one.reading.value,
            **({"instructions_per_byte": one.per_byte} if run.counts_instructions else {}), **one.reading.details,
        }
        for one in run.samples
    ]  # fmt: skip


def _write_json(run: Throughput, file: IO[str]) -> None:
    benchmarks = []
    for one, row in zip(run.samples, rows(run), strict=True):
        name = f"{one.cell.device}/{one.cell.traffic.name}/{one.cell.setting.label()}/{one.kernel}"
        time = 1e6 / one.reading.value
        benchmarks.append({
            "name": name, "run_name": name, "run_type": "iteration", "repetitions": run.context.get("rounds", 1),
            "repetition_index": one.cell.round, "threads": 1,
            "iterations": 1, "real_time": time, "cpu_time": time, "time_unit": "us", **row,
        })  # fmt: skip
    content = {"context": run.context, "benchmarks": benchmarks, "comparisons": list(_comparisons(run))}
    print(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False), file=file)


def _comparisons(run: Throughput) -> Iterator[dict[str, Any]]:
    for kernel in run.kernels:
        for traffic, found in run.against_c(kernel).items():
            yield {"kernel": kernel, "device": RUST, "reference": UDPTUN, "traffic": traffic, **asdict(found)}


def _write_csv(run: Throughput, file: IO[str]) -> None:
    table = csv.DictWriter(file, COLUMNS, lineterminator="\n", restval="")
    table.writeheader()
    table.writerows(rows(run))
