# SPDX-License-Identifier: GPL-2.0
"""Result files: JSON in Google Benchmark's schema, and a flat CSV beside it.

`context` has the environment, `benchmarks` an `iteration` row for each try and the aggregates of each cell. The `iterations` of a row
are the elements or packets of its try; `real_time` and `cpu_time` are ns for one of them by the clock's kHz. The metric is a field
of our own: `tsc_per_element` or `instructions_per_element`, in rows of the datapath `…_per_packet`. `disturbed` marks a try that
was interrupted or shared its core. The median's row has the 95 % interval of the median, from `median_low` to `median_high` in the
metric, and counts outliers: mild ones lie 1.5 to 3 interquartile ranges beyond the quartiles, severe ones further out. No figure
leaves out an outlier. `x_floor` in this row is the cost divided by that of the cell's floor, see floors.py; a cell without a floor
lacks the field. If `threads` readers shared a container, which its name then says, the rows have the `elapsed` counts, the `reads` of
all readers and the `writes` beside them, and `items_per_second` is what all of them read in a second. If the packets of a device came in
bursts, which its name then says, the rows have `burst`, the packets between two softirqs; if each took one of many tunnels, `peers`, their number. A sweep with --explain adds to the median's row what an
element cost in one exact profile: `instructions_by_function`, `loads`, `stores` and `lines`, the distinct cache lines of data. To read a file, take the
samples from the iteration rows alone, compute every statistic anew, and ignore unknown fields.
"""

from __future__ import annotations

import atexit
import csv
import datetime
import errno
import functools
import json
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np

from .. import paths, texts
from ..errors import HarnessError
from ..statistics import inference, stats
from . import datapath, fits, floors
from .samples import CYCLES, TSC, UNITS, WORKS, Cell, unit_words

SCHEMA_VERSION = 2
READ_VERSIONS = (1, SCHEMA_VERSION)
"""Version 1 called TSC cycles and counts cycles."""
LATEST = "latest.json"
SEED_TABLES = "seed_tables"
"""Key of the context of a run by the seed report's method: what each container's find looked up."""
SHARING = ("elapsed", "reads", "writes")
"""Fields that only rows of shared containers have."""
CORE_RATE = "core_rate"
"""Key of the context: core cycles per 1000 TSC cycles at the start and the end of each run."""
BELOW_RESOLUTION = "below_resolution"
"""Key of the context: the cells whose median the core found within the clock's own spread in a run."""
KERNEL_TREE = "kernel_tree"
"""Entry of the context: what is known of a kernel of the user's."""
CURVE = "curve"
"""Key of the context of a curve: its identity. Such a file also has its complexities."""

# Minimum number of undisturbed tries if there are more tries: a comparison cuts no fewer into stretches.
LEAST_CALM = 30

# Share of disturbed tries from which a result mentions them.
NOTABLE_SHARE = 0.05

ROW_BYTES = 340

CACHED_FIGURES = 2048
"""Number of cells whose statistics are kept. A sweep has about 240 cells."""

_ROW = json.JSONEncoder(separators=(",", ":"), allow_nan=False)

MOST = 1e300
"""Larger numbers are damage. NaN and infinity are not below it either."""

CONTEXT_KINDS: Mapping[str, type | tuple[type, ...]] = {
    "target": str, "kernel": str, "date": str, "complete": bool, "git_revision": str, "cpu_model": str, "governor": str,
    "num_cpus": int, "n": list, "payloads": list, "load_avg": list, "caches": list, "config": list, "absent_ops": list,
    "core_rate": list, "below_resolution": list, "devices": list, "absent_devices": dict, "not_loaded": dict, "sharing": dict,
    "bursts": list, "peers": list, "device_options": dict, "protocol": str, "hash": int, "sink_gro": int, "boot_parameters": list, "mitigations": dict, "core_types": list,
}  # fmt: skip
"""Fields of a context that the harness reads if they exist, with their types."""

CONTEXT_KEYS = ("target", "kernel", "unit", "clock_khz", "complete", "cells", "warnings", "date")

CSV_COLUMNS = (
    "target", "accel", "kernel", "unit", "container", "op", "n", "elements", "tries", "disturbed",
    "min", "p10", "p50", "mean", "p90", "p99", "max", "mad", "stddev", "cv",
    "p50_low", "p50_high", "outliers_mild", "outliers_severe",
    *(f"{prefix}per_{work}" for work in WORKS for prefix in ("", "ns_")),
    "threads", "items_per_second", "burst", "peers",
    "x_floor",
    "core_cycles",
    "loads", "stores", "lines", "instructions_by_function",
)  # fmt: skip


@dataclass(frozen=True)
class Costs:
    """What an element or packet of a cell costs in one exact profile of it."""

    instructions_by_function: dict[str, float]
    """The clock's own are among them."""
    loads: float
    stores: float
    lines: float
    """Distinct cache lines of data."""

    def as_json(self) -> dict[str, Any]:
        """Return the fields of the median's row."""
        by_function = {name: round(count, 4) for name, count in self.instructions_by_function.items()}
        return {
            "instructions_by_function": by_function, "loads": round(self.loads, 4), "stores": round(self.stores, 4),
            "lines": round(self.lines, 4),
        }  # fmt: skip


@dataclass
class Results:
    """One sweep: its environment and its cells."""

    context: dict[str, Any]
    cells: list[Cell]
    costs: dict[str, Costs] = field(default_factory=dict)
    """Of the cells that a sweep explained, by name."""

    @property
    def unit(self) -> str:
        """Unit of the clock, one of samples.UNITS."""
        return str(self.context["unit"])

    @property
    def unit_words(self) -> str:
        """Unit of the clock for people: "TSC cycles", "instructions"."""
        return unit_words(self.unit)

    @property
    def core_rate(self) -> float:
        """Core cycles in one TSC cycle, the median of the runs; NaN if it is unknown."""
        rates = self.context.get(CORE_RATE, [])
        return float(np.median(rates)) / 1000 if rates else math.nan

    def is_resolved(self, cell: Cell) -> bool:
        """Whether the median of the cell is above the clock's resolution: its cost is a figure."""
        return cell.name not in self.context.get(BELOW_RESOLUTION, ()) and per_work(cell).median > 0

    @property
    def order(self) -> str:
        """Order of insertion of the keys: "shuffled" or "sequential"; "" if the sweep does not say."""
        return str(self.context.get("order", ""))

    @property
    def disturbed_share(self) -> float:
        """Share of disturbed tries, from 0 to 1, among tries that do not wait for other threads."""
        cells = [cell for cell in self.cells if cell.container != datapath.ENCRYPTING]
        return sum(sum(cell.disturbed) for cell in cells) / max(1, sum(len(cell.counts) for cell in cells))

    def metric(self, cell: Cell) -> str:
        """Name of our own field in each row of this cell."""
        return f"{self.unit}_per_{cell.work}"

    def part(self, work: str) -> Results:
        """Return the containers or devices with this kind of work, unshared and without floors and bursts, in the same environment."""
        cells = [cell for cell in self.cells if cell.work == work and not cell.threads and not cell.burst and not cell.peers and not floors.is_floor(cell)]
        return Results(self.context, cells)

    @property
    def in_bursts(self) -> Results:
        """The devices whose packets came in bursts, in the same environment."""
        return Results(self.context, [cell for cell in self.cells if cell.burst and not cell.peers])

    @property
    def over_peers(self) -> Results:
        """The devices that were timed with a number of tunnels, in the same environment."""
        return Results(self.context, [cell for cell in self.cells if cell.peers])

    @property
    def peers(self) -> list[int]:
        """Numbers of tunnels of which each packet took a random one, smallest first."""
        return sorted({cell.peers for cell in self.cells if cell.peers})

    @property
    def bursts(self) -> list[int]:
        """Numbers of packets between two softirqs, smallest first."""
        return sorted({cell.burst for cell in self.cells if cell.burst})

    @property
    def shared(self) -> Results:
        """The shared containers in the same environment."""
        return Results(self.context, [cell for cell in self.cells if cell.threads])

    @property
    def threads(self) -> list[int]:
        """Numbers of readers that shared a container, smallest first."""
        return sorted({cell.threads for cell in self.cells if cell.threads})

    @property
    def floors(self) -> Results:
        """The core's floors in the same environment."""
        return Results(self.context, [cell for cell in self.cells if floors.is_floor(cell)])

    @property
    def containers(self) -> list[str]:
        """The containers, in the order of their first cells."""
        return list(dict.fromkeys(cell.container for cell in self.cells))

    @property
    def ops(self) -> list[str]:
        """The operations, in the order of their first cells."""
        return list(dict.fromkeys(cell.op for cell in self.cells))

    @property
    def sizes(self) -> list[int]:
        """Each n, smallest first."""
        return sorted({cell.n for cell in self.cells})

    @property
    def absent_ops(self) -> dict[str, list[str]]:
        """The operations that each container lacks among those that were asked for."""
        absent: dict[str, list[str]] = {}
        for name in self.context.get("absent_ops", []):
            container, _, op = str(name).partition("/")
            absent.setdefault(container, []).append(op)
        return absent

    @property
    def ns_per_count(self) -> float:
        """Nanoseconds of one cycle or instruction."""
        return 1e6 / float(self.context["clock_khz"])

    @property
    def label(self) -> str:
        """Short name of the target: "uml", "qemu-icount"."""
        return label(self.context["target"], self.context.get("accel"))


def label(target: str, accel: str | None) -> str:
    """Return the target with its accelerator, if it has one."""
    return f"{target}-{accel}" if accel else target


def comparable_samples(before: Results, after: Results) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Return the tries of two sweeps that a comparison uses, per element or packet, by cell: the undisturbed ones.

    All tries of a cell are used if less than half of them would remain on either side, or too few for stretches. All are also used if
    readers share the container or instructions are counted, since a mark then says nothing about the count.
    """
    sides = [{cell.name: cell for cell in sweep.cells} for sweep in (before, after)]
    marked = before.unit == after.unit == TSC
    calm = {
        name for name in sides[0].keys() & sides[1].keys()
        if marked and not sides[0][name].threads and all(_is_mostly_calm(side[name]) for side in sides)
    }  # fmt: skip
    one, other = (
        {name: [count / cell.elements for count in _tries(cell, name in calm)] for name, cell in side.items()} for side in sides
    )
    return one, other


def _is_mostly_calm(cell: Cell) -> bool:
    tries, calm = len(cell.counts), len(cell.disturbed) - sum(cell.disturbed)
    return 2 * calm >= tries and (calm >= LEAST_CALM or tries < LEAST_CALM)


def _tries(cell: Cell, calm: bool) -> Sequence[int]:
    return [count for count, disturbed in zip(cell.counts, cell.disturbed) if not disturbed] if calm else cell.counts


def per_work(cell: Cell) -> stats.Summary:
    """Return the figures of a cell per element or packet."""
    return _summary(cell.counts.tobytes(), cell.elements)


def median_interval(cell: Cell) -> inference.Interval:
    """Return the 95 % interval of a cell's median per element or packet."""
    return _interval(cell.counts.tobytes(), cell.elements)


# A result file, its pictures and its tables need the same figures of the same tries: compute them once.
@functools.lru_cache(maxsize=CACHED_FIGURES)
def _summary(tries: bytes, elements: int) -> stats.Summary:
    return stats.summarise(np.frombuffer(tries, dtype=np.int64) / elements)


@functools.lru_cache(maxsize=CACHED_FIGURES)
def _interval(tries: bytes, elements: int) -> inference.Interval:
    return inference.median_interval(np.frombuffer(tries, dtype=np.int64) / elements)


@functools.lru_cache(maxsize=CACHED_FIGURES)
def _outliers(tries: bytes) -> inference.Outliers:
    return inference.outliers(np.frombuffer(tries, dtype=np.int64))


def throughput(results: Results, cell: Cell) -> stats.Values:
    """Return the elements that all readers of a shared cell read in a second, for each try."""
    elapsed, reads = (np.asarray(counts, dtype=np.float64) for counts in (cell.elapsed, cell.reads))
    rates: stats.Values = reads / elapsed * results.context["clock_khz"] * 1000
    return rates


def write_rate(results: Results, cell: Cell) -> float:
    """Return the writes per second beside the readers of a shared cell, over all tries."""
    return sum(cell.writes) / sum(cell.elapsed) * float(results.context["clock_khz"]) * 1000


def x_floors(results: Results) -> dict[str, float]:
    """Return the cost of each cell divided by its floor's, by name, for cells above the clock's resolution with such a floor."""
    costs = {cell.name: per_work(cell).median for cell in results.cells if results.is_resolved(cell)}
    against = {cell.name: floors.floor_of(cell, results.order) for cell in results.cells}
    return {
        name: costs[name] / costs[floor]
        for name, floor in against.items()
        if floor in costs and name in costs
    }


def new_path(target: str, accel: str | None, folder: Path | None = None) -> Path:
    """Return a new file name with the present time, which no other dsbench takes while this one runs."""
    stem = f"{label(target, accel)}-{datetime.datetime.now():%Y%m%dT%H%M%S}"
    folder = paths.make_folder(folder or paths.RESULTS, "results")
    path, copies = folder / f"{stem}.json", 1
    while not _reserved(path):
        copies += 1
        path = folder / f"{stem}-{copies}.json"
    return path


def _reserved(path: Path) -> bool:
    """Reserve a name by a hidden file beside it; False if it is taken. The file itself appears with its content only."""
    mark = path.with_name(f".{path.name}.reserved")
    try:
        mark.touch(exist_ok=False)
    except FileExistsError:
        return False
    except OSError as error:
        raise HarnessError(f"the results folder {path.parent} cannot be written: {error.strerror}") from error
    atexit.register(mark.unlink, missing_ok=True)
    return not path.exists()


def check_room(path: Path | None, samples: int) -> None:
    """Check before the long work that `path` is writable and its disk has room for this number of samples.

    None stands for a file whose name is not chosen yet.
    """
    if path and path.is_dir():
        raise HarnessError(f"the result file {path} is a folder: name a file")
    folder = paths.make_folder(path.parent if path else paths.RESULTS, "results")
    need = samples * ROW_BYTES + (1 << 20)
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(bytes(4096))
            probe.flush()
            os.fsync(probe.fileno())
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise HarnessError(f"the results folder {folder} cannot be written: {error.strerror}") from error
    if free < need:
        raise HarnessError(
            f"the disk of the results folder {folder} has {free >> 20} MiB free, the sweep needs {-(-need >> 20)}: "
            "make room or lower --tries"
        )


def write(results: Results, path: Path) -> None:
    """Write the JSON file and the CSV beside it, each atomically, the JSON file last: if it exists, both are complete."""
    replace(path.with_suffix(".csv"), lambda file: _write_csv(results, file))
    replace(path, lambda file: _write_json(results, file))


def write_document(content: dict[str, Any], path: Path) -> None:
    """Write a small JSON file atomically."""
    replace(path, lambda file: print(json.dumps(content, indent=2, allow_nan=False), file=file))


def point_latest(path: Path, name: str = LATEST) -> None:
    """Make `name`, beside `path`, a link to it."""
    link = path.parent / name
    fresh = link.with_name(f".{name}.{os.getpid()}")
    try:
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(path.name)
        fresh.replace(link)
    except OSError as error:
        raise HarnessError(f"{link} cannot be made a link to {path.name}: {error.strerror}") from error


def read(path: Path) -> Results:
    """Read and check a result file. HarnessError names the file and what is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        _damaged(path, "it is not a text file")
    except OSError as error:
        hint = ": run `make sweep` first" if error.errno == errno.ENOENT and path.name == LATEST else ""
        raise HarnessError(f"the result file {path} cannot be read: {error.strerror}{hint}") from error
    if not text.strip():
        _damaged(path, "it is empty")
    try:
        content = json.loads(text, parse_constant=lambda name: _damaged(path, f"it contains {name}"))
        if "\\" in text or not text.replace("\n", "").isprintable():
            content = texts.all_printable(content)
    except json.JSONDecodeError as error:
        _damaged(path, f"line {error.lineno} is not JSON ({error.msg}), so it may be truncated")
    except RecursionError:
        _damaged(path, "it is nested too deeply")
    except ValueError:
        _damaged(path, "it has a number that is too long to be one")
    context = datapath.with_packet_settings(_checked_context(path, content))
    results = Results(context, _cells(path, content["benchmarks"]))
    found = {cell.name for cell in results.cells}
    missing = [name for name in context["cells"] if name not in found]
    if missing:
        _damaged(path, f"{len(missing)} of its {len(context['cells'])} cells are missing, {missing[0]} first")
    return results


def _damaged(path: Path, what: str) -> NoReturn:
    raise HarnessError(f"the result file {path} can't be used: {what}")


def _checked_context(path: Path, content: Any) -> dict[str, Any]:
    if isinstance(content, dict) and "comparisons" in content:
        what = "a comparison" if content.get("kind") == "comparison" else "an evaluation of tunnels"
        _damaged(path, f"it is {what}, not a sweep")
    context = content.get("context") if isinstance(content, dict) else None
    if not isinstance(context, dict) or not isinstance(content.get("benchmarks"), list):
        _damaged(path, "it lacks `context` and `benchmarks`, so it is none of Google Benchmark's schema")
    version = context.get("schema_version")
    if version not in READ_VERSIONS:
        _damaged(path, f"its schema_version is {version!r}, this harness reads {' and '.join(map(str, READ_VERSIONS))}")
    if version == 1:
        context = _modern(context)
    for key in CONTEXT_KEYS:
        if key not in context:
            _damaged(path, f"its context lacks {key!r}")
    if context["unit"] not in UNITS:
        _damaged(path, f"its unit is {context['unit']!r} instead of {' or '.join(UNITS)}")
    if not _is_number(context["clock_khz"]) or context["clock_khz"] <= 0:
        _damaged(path, f"its clock_khz is {context['clock_khz']!r} instead of a positive number")
    for key, kind in CONTEXT_KINDS.items():
        if key in context and not isinstance(context[key], kind):
            _damaged(path, f"its {key} is {context[key]!r}")
    for key in ("load_avg", CORE_RATE):
        if not all(map(_is_number, context.get(key, []))):
            _damaged(path, f"its {key} is {context[key]!r}")
    for key in ("cells", "warnings"):
        if not isinstance(context[key], list) or not all(isinstance(value, str) for value in context[key]):
            _damaged(path, f"its {key} are no list of texts")
    if not context["cells"]:
        _damaged(path, "it has no cells")
    return context


def _modern(context: dict[str, Any]) -> dict[str, Any]:
    """Return a context of version 1 in the words of today."""
    renamed = {key: value for key, value in context.items() if key != CORE_RATE}
    return {**renamed, "schema_version": SCHEMA_VERSION, "unit": TSC if context.get("unit") == CYCLES else context.get("unit")}


def _cells(path: Path, rows: list[Any]) -> list[Cell]:
    cells: dict[str, Cell] = {}
    tries: dict[str, int] = {}
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            _damaged(path, f"benchmark row {index} is no object")
        if row.get("run_type") != "iteration":
            continue
        cell = cells.setdefault(str(row.get("name")), _cell(path, index, row))
        index_said = row.get("repetition_index")
        if index_said != len(cell.counts) or row.get("iterations") != cell.elements:
            _damaged(path, f"{cell.name} has repetition {index_said!r} where {len(cell.counts)} belongs")
        sharing = [_integer(path, index, row, key) for key in SHARING] if cell.threads else []
        try:
            cell.add(_integer(path, index, row, "count" if "count" in row else CYCLES), 1 if row.get("disturbed") else 0, *sharing)
        except ValueError as error:
            _damaged(path, f"benchmark row {index} is of {error}")
        tries[cell.name] = _integer(path, index, row, "repetitions")
    for cell in cells.values():
        if len(cell.counts) != tries[cell.name]:
            _damaged(path, f"{cell.name} has {len(cell.counts)} of its {tries[cell.name]} tries")
    return list(cells.values())


def _cell(path: Path, index: int, row: dict[str, Any]) -> Cell:
    n, elements = _integer(path, index, row, "n"), _integer(path, index, row, "iterations")
    threads = _integer(path, index, row, "threads") if any(key in row for key in SHARING) else 0
    burst, peers = (_integer(path, index, row, key) if key in row else 0 for key in ("burst", "peers"))
    cell = Cell(str(row.get("container")), str(row.get("op")), n, elements, threads=threads, burst=burst, peers=peers)
    if row.get("name") != cell.name or n < 1 or elements < 1 or burst < 0 or peers < 0:
        told = f"{cell.name} over {elements} elements"
        _damaged(path, f"benchmark row {index} is named {row.get('name')!r} but is {told}")
    return cell


def _integer(path: Path, index: int, row: dict[str, Any], key: str) -> int:
    value = row.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 1 << 63:
        _damaged(path, f"{key} is {value!r} instead of a whole number in benchmark row {index} ({row.get('name')})")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < MOST


def _write_json(results: Results, file: IO[str]) -> None:
    context = json.dumps(results.context, indent=2, ensure_ascii=False, allow_nan=False)
    file.write('{\n"context": ' + context + ',\n"benchmarks": [\n')
    file.write(",\n".join(_lines(results)))
    file.write("\n]\n}\n")


def _lines(results: Results) -> Iterator[str]:
    """Yield the text of each row."""
    distances = x_floors(results)
    for cell in results.cells:
        yield from _iterations(results, cell)
        yield from map(_ROW.encode, _aggregates(results, cell, distances.get(cell.name)))
    if results.context.get(CURVE):
        yield from map(_ROW.encode, fits.rows(results.context, results.cells))


def _iterations(results: Results, cell: Cell) -> Iterator[str]:
    """Yield the row of each try. A sweep has more than 20,000: the fields that all tries share are encoded once."""
    head = _members({"name": cell.name, "run_name": cell.name, "run_type": "iteration", "repetitions": len(cell.counts)})
    work = _members({"threads": cell.threads or 1, "iterations": cell.elements})
    kind = _members({"time_unit": "ns", "container": cell.container, "op": cell.op, "n": cell.n, **_of_packets(cell)})
    metric, ns_per_count = results.metric(cell), results.ns_per_count
    for index, (count, disturbed) in enumerate(zip(cell.counts, cell.disturbed)):
        each = count / cell.elements
        time = round(each * ns_per_count, 4)
        mark = ',"disturbed":true' if disturbed else ""
        sharing = f",{_members(_sharing(results, cell, index))}" if cell.threads else ""
        yield (
            f'{{{head},"repetition_index":{index},{work},"real_time":{time!r},"cpu_time":{time!r},{kind},'
            f'"count":{count},"{metric}":{round(each, 4)!r}{mark}{sharing}}}'
        )


def _members(fields: Mapping[str, Any]) -> str:
    """Return the members of a JSON object, without its braces."""
    return _ROW.encode(fields)[1:-1]


def _of_packets(cell: Cell) -> dict[str, int]:
    """Return the fields of each row of a cell whose packets came in bursts, or over many tunnels."""
    return {name: value for name, value in (("burst", cell.burst), ("peers", cell.peers)) if value}


def _sharing(results: Results, cell: Cell, index: int) -> dict[str, Any]:
    """Return the additional fields of a try with readers."""
    figures = {key: getattr(cell, key)[index] for key in SHARING}
    return {**figures, "items_per_second": round(float(throughput(results, cell)[index]), 1)}


def _aggregates(results: Results, cell: Cell, x_floor: float | None) -> Iterator[dict[str, Any]]:
    summary = per_work(cell)
    for name in ("mean", "median", "stddev", "cv", "min", "p10", "p90"):
        value = getattr(summary, name)
        if not math.isfinite(value):
            continue
        ratio = name == "cv"
        time = round(value if ratio else value * results.ns_per_count, 6)
        yield {
            "name": f"{cell.name}_{name}",
            "run_name": cell.name,
            "run_type": "aggregate",
            "repetitions": summary.count,
            "threads": cell.threads or 1,
            "aggregate_name": name,
            "aggregate_unit": "percentage" if ratio else "time",
            "iterations": summary.count,
            "real_time": time,
            "cpu_time": time,
            "time_unit": "ns",
            "container": cell.container,
            "op": cell.op,
            "n": cell.n,
            **_of_packets(cell),
            results.metric(cell): round(value, 6),
            **({**_certainty(cell), **_distance(x_floor), **_core_cycles(results, value)} if name == "median" else {}),
            **(_median_throughput(results, cell) if name == "median" else {}),
            **(results.costs[cell.name].as_json() if name == "median" and cell.name in results.costs else {}),
        }


def _median_throughput(results: Results, cell: Cell) -> dict[str, Any]:
    if not cell.threads:
        return {}
    return {"items_per_second": round(float(np.median(throughput(results, cell))), 1)}


def _certainty(cell: Cell) -> dict[str, Any]:
    """Return the 95 % interval of the median, per element or packet, and the number of outliers."""
    interval, outliers = median_interval(cell), _outliers(cell.counts.tobytes())
    return {
        "median_low": round(interval.low, 6),
        "median_high": round(interval.high, 6),
        "outliers_mild": outliers.mild,
        "outliers_severe": outliers.severe,
    }


def _distance(x_floor: float | None) -> dict[str, float]:
    """Return the median divided by its floor's, if there is one."""
    return {} if x_floor is None else {"x_floor": round(x_floor, 6)}


def _core_cycles(results: Results, value: float) -> dict[str, float]:
    """Return a cost in cycles of the core, if their rate is known."""
    return {} if math.isnan(results.core_rate) else {"core_cycles": round(value * results.core_rate, 6)}


def _write_csv(results: Results, file: IO[str]) -> None:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(CSV_COLUMNS)
    context, distances = results.context, x_floors(results)
    for cell in results.cells:
        tries = cell.counts.tobytes()
        whole, interval, outliers = _summary(tries, 1), _interval(tries, 1), _outliers(tries)
        figures: Sequence[float] = (
            whole.min, whole.p10, whole.median, whole.mean, whole.p90, whole.p99, whole.max, whole.mad,
            whole.stddev, whole.cv, interval.low, interval.high, outliers.mild, outliers.severe,
            *_by_work(results, cell, whole.median / cell.elements),
            cell.threads, float(np.median(throughput(results, cell))) if cell.threads else math.nan,
            cell.burst, cell.peers,
            distances.get(cell.name, math.nan),
            whole.median / cell.elements * results.core_rate,
        )  # fmt: skip
        table.writerow(
            (
                context["target"], context.get("accel") or "", context["kernel"], results.unit,
                cell.container, cell.op, cell.n, cell.elements, len(cell.counts), sum(cell.disturbed),
                *(f"{value:.10g}" if math.isfinite(value) else "" for value in figures),
                *_costs(results.costs.get(cell.name)),
            )
        )  # fmt: skip


def _costs(costs: Costs | None) -> tuple[str, str, str, str]:
    """Return the CSV columns of a profile. The functions are in one column: "xas_load=56.00; xa_load=29.00"."""
    if not costs:
        return "", "", "", ""
    functions = "; ".join(f"{name}={count:.2f}" for name, count in costs.instructions_by_function.items())
    return f"{costs.loads:.10g}", f"{costs.stores:.10g}", f"{costs.lines:.10g}", functions


def _by_work(results: Results, cell: Cell, count: float) -> Iterator[float]:
    """Return the CSV columns of each kind of work, in counts and in ns; the columns of the other kinds stay empty."""
    for work in WORKS:
        known = work == cell.work
        yield from (count, count * results.ns_per_count) if known else (math.nan, math.nan)


def replace(path: Path, fill: Callable[[IO[str]], None]) -> None:
    """Write a file beside `path`, and rename it once it is complete and on disk."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise HarnessError(f"the result file {path} cannot be written: {error.strerror}") from error
    finally:
        fresh.unlink(missing_ok=True)
