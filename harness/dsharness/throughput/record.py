# SPDX-License-Identifier: GPL-2.0
"""Result files of the throughput: JSON in Google Benchmark's schema, and the same rows as CSV beside it.

The `real_time` of a row is in µs of one Mbit. Fields of our own: `kernel`, `device`, `traffic`, `checksum`, `tso`, `gro`,
`mbit_per_second`, `bytes`, `seconds`, and under icount `instructions_per_byte`.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..results import results
from ..tunnel.meters import Reading
from .offloads import Setting
from .steps import Cell

SCHEMA_VERSION = 1
LATEST = "latest-throughput.json"
INSTRUCTIONS_PER_SECOND = 1e9
"""Of a guest under icount."""
COLUMNS = ("kernel", "device", "traffic", "checksum", "tso", "gro", "mbit_per_second", "instructions_per_byte", "bytes", "seconds")


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

    def find(self, kernel: str, device: str, setting: Setting, traffic: str) -> Sample | None:
        """Return one measurement; None if it was not made."""
        wanted = (kernel, device, setting, traffic)
        return next((one for one in self.samples if (one.kernel, one.cell.device, one.cell.setting, one.cell.traffic.name) == wanted), None)


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
            "mbit_per_second": one.reading.value,
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
            "name": name, "run_name": name, "run_type": "iteration", "repetitions": 1, "repetition_index": 0, "threads": 1,
            "iterations": 1, "real_time": time, "cpu_time": time, "time_unit": "us", **row,
        })  # fmt: skip
    print(json.dumps({"context": run.context, "benchmarks": benchmarks}, indent=1, ensure_ascii=False, allow_nan=False), file=file)


def _write_csv(run: Throughput, file: IO[str]) -> None:
    table = csv.DictWriter(file, COLUMNS, lineterminator="\n", restval="")
    table.writeheader()
    table.writerows(rows(run))
