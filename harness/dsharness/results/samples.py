# SPDX-License-Identifier: GPL-2.0
"""Output of the core module: /proc/dsbench (header lines and a table) and the samples of debugfs (CSV).

A cell is one (container, op, n), and a number of readers if the container is shared, or a burst if the packets of a device come in some. Its samples are whole tries in clock counts,
without the clock's own cost, so a value may be zero or negative: below the clock's resolution. In rows of the datapath, `container`
is a kind of device, `n` a payload in octets, and the elements are packets.
"""

from __future__ import annotations

import copy
import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .. import texts
from ..errors import HarnessError

SAMPLE_COLUMNS = ("run", "container", "op", "n", "elements", "try", "count", "disturbed")
SHARING_COLUMNS = ("threads", "elapsed", "reads", "writes")
"""Columns for shared containers; 0 in other rows."""
TSC, INSTRUCTIONS, NANOSECONDS = "tsc", "instructions", "ns"
"""Units of the clock. TSC: cycles of the time-stamp counter, whose rate is constant, whatever the frequency of the core."""
UNITS = (TSC, INSTRUCTIONS, NANOSECONDS)
BURST_COLUMN = "burst"
"""Column of both tables for the packets between two softirqs; 0, or absent, in rows of no burst."""
CYCLES = "cycles"
"""What modules of earlier revisions call TSC cycles, and the count of a try. ab, explain and gate run such revisions."""
_UNIT_WORDS = {TSC: "TSC cycles"}
ELEMENT, PACKET = "element", "packet"
WORKS = (ELEMENT, PACKET)
"""What a try does many times; its cost is divided by the number."""
CONTAINER_OPS = ("fill", "find", "for_each", "erase")
DATAPATH_OPS = ("tx", "rx", "path")
"""Operations on packets; all others are on elements."""

NUMBER = re.compile(r"[0-9]{1,18}")
"""A number of a report that is no damage."""

_HEADER_LINE = re.compile(r"#\s*([A-Za-z_][\w -]*?):\s*(.*)")

_NOT_LOADED = re.compile(r"(?P<container>\S+), run \d+: (?P<reason>.*)")
_CORE_RATES = re.compile(r"(?:begin|end)=(\d+)")
_CELL_WARNING = re.compile(r"run \d+, ")


def unit_words(unit: str) -> str:
    """Return a unit of the clock as tables and pictures name it: "TSC cycles"."""
    return _UNIT_WORDS.get(unit, unit)


@dataclass(frozen=True)
class Header:
    """The `# key: value` lines in order. A key may repeat."""

    entries: tuple[tuple[str, str], ...]

    def all(self, key: str) -> list[str]:
        """Every value of `key`."""
        return [value for name, value in self.entries if name == key]

    def get(self, key: str, default: str = "") -> str:
        """The first value of `key`."""
        return next(iter(self.all(key)), default)

    def number(self, key: str, lowest: int = 0) -> int:
        """Return the value of `key` as an integer. HarnessError if it is missing, not an integer, or below `lowest`."""
        text = self.get(key)
        if not NUMBER.fullmatch(text) or int(text) < lowest:
            raise HarnessError(f"/proc/dsbench is damaged: its header has {key!r} as {texts.quoted(text)} instead of a number")
        return int(text)


@dataclass(frozen=True)
class Run:
    """One `# run:` line: its number and settings (n, tries, seed, state, ...)."""

    number: int
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """One row of the table: statistics of whole tries, and per_element of their median. None stands for no figure."""

    container: str
    op: str
    n: int
    threads: int
    burst: int
    tries: int
    disturbed: int
    values: Mapping[str, float | None]

    @property
    def name(self) -> str:
        """Name of its cell."""
        return name_of(self.container, self.op, self.n, self.threads, self.burst)


@dataclass(frozen=True)
class Report:
    """All of /proc/dsbench."""

    header: Header
    runs: tuple[Run, ...]
    rows: tuple[Row, ...]

    @property
    def warnings(self) -> list[str]:
        """The kernel's warnings, without those about the tries of a cell, which the samples show."""
        return [text for text in self.header.all("warning") if not _CELL_WARNING.match(text)]

    @property
    def absent(self) -> list[str]:
        """Operations that were asked for and that a container lacks, as list/find."""
        return ["/".join(text.split()) for text in self.header.all("absent")]

    @property
    def not_loaded(self) -> dict[str, str]:
        """The selected containers that could not be loaded, each with the reason."""
        found = (_NOT_LOADED.fullmatch(line) for line in self.header.all("not_loaded"))
        return {match["container"]: match["reason"] for match in found if match}

    @property
    def core_rates(self) -> list[int]:
        """Core cycles per 1000 TSC cycles at the start and at the end of each run; [] if the clock is not the TSC."""
        return [int(number) for line in self.header.all("core_rate") for number in _CORE_RATES.findall(line)]

    @property
    def unresolved(self) -> list[str]:
        """The cells whose median is within the clock's own spread."""
        return [row.name for row in self.rows if row.values.get("per_element", 1.0) is None]

    @property
    def unit(self) -> str:
        """Unit of the clock: one of UNITS."""
        told = self.header.get("unit").split(" ")[0]
        return TSC if told == CYCLES else told


SERIES = ("counts", "disturbed", "elapsed", "reads", "writes")
"""Series of a Cell with a value for each try; the last three only if readers share the container."""


@dataclass
class Cell:
    """All tries of one (container, op, n, threads, burst): counts of a whole try over `elements` elements or packets.

    With `threads` readers that share the container, a count is a reader's mean for `elements`. `elapsed` is how long they read, in
    counts, `reads` the elements that all of them read in that time, `writes` the writes of a writer beside them. `burst` is the number of
    packets between two softirqs; 0: as many as the operation sends by default. `peers` is the number of tunnels, of which each packet takes a random one; 0: one device.
    """

    container: str
    op: str
    n: int
    elements: int
    counts: array[int] = field(default_factory=lambda: array("q"))
    disturbed: array[int] = field(default_factory=lambda: array("b"))
    threads: int = 0
    elapsed: array[int] = field(default_factory=lambda: array("q"))
    reads: array[int] = field(default_factory=lambda: array("q"))
    writes: array[int] = field(default_factory=lambda: array("q"))
    burst: int = 0
    peers: int = 0

    def extend(self, more: Cell) -> None:
        """Return the cell with the tries of `more` added. HarnessError if their lengths differ."""
        if more.elements != self.elements:
            raise HarnessError(f"{self.name} had tries over {self.elements} {self.work}s, and then over {more.elements}")
        for name in SERIES:
            getattr(self, name).extend(getattr(more, name))

    def add(self, count: int, disturbed: int, elapsed: int = 0, reads: int = 0, writes: int = 0) -> None:
        """Add a try. ValueError for a mark that is neither 0 nor 1, and for readers who read nothing, or in no time."""
        if disturbed not in (0, 1):
            raise ValueError(f"{self.name}: disturbed is {disturbed}")
        if self.threads and (elapsed < 1 or reads < 1 or writes < 0):
            raise ValueError(f"{self.name}: {reads} reads in {elapsed} counts")
        self.counts.append(count)
        self.disturbed.append(disturbed)
        if self.threads:
            self.elapsed.append(elapsed)
            self.reads.append(reads)
            self.writes.append(writes)

    @property
    def work(self) -> str:
        """Kind of work that `elements` counts, one of WORKS."""
        return PACKET if self.op in DATAPATH_OPS else ELEMENT

    @property
    def name(self) -> str:
        """Name of the benchmark: list/fill/4000, rbtree/find/4000/threads:2, udptun/path/1400, udptun/path/1400/burst:64."""
        return name_of(self.container, self.op, self.n, self.threads, self.burst, self.peers)


def name_of(container: str, op: str, n: int, threads: int = 0, burst: int = 0, peers: int = 0) -> str:
    """Return the name of a benchmark in Google Benchmark's form; 0 threads: not shared; burst 0: the operation's own; 0 peers: one device."""
    further = {"threads": threads, "burst": burst, "peers": peers}
    return "/".join([container, op, str(n), *(f"{name}:{value}" for name, value in further.items() if value)])


def merged(cells: Sequence[Cell], more: Sequence[Cell]) -> list[Cell]:
    """Return all cells, with the tries of both where both have a cell. HarnessError if its tries differ in length."""
    found = {cell.name: cell for cell in cells}
    for cell in more:
        known = found.get(cell.name)
        found[cell.name] = copy.deepcopy(known) if known else cell
        if known:
            found[cell.name].extend(cell)
    return list(found.values())


def parse_report(text: str) -> Report:
    """Parse /proc/dsbench. HarnessError says what is damaged."""
    entries: list[tuple[str, str]] = []
    rows: list[Row] = []
    columns: list[str] | None = None
    for line in _whole_lines(text, "/proc/dsbench"):
        fields = line.split()
        if line.startswith("#"):
            if match := _HEADER_LINE.fullmatch(line.rstrip()):
                entries.append((match[1], match[2]))
        elif fields[:2] == ["container", "op"]:
            columns = fields
        elif fields and columns:
            rows.append(_row(dict(zip(columns, fields)), len(fields) == len(columns), line))
        elif fields:
            raise HarnessError(f"/proc/dsbench is damaged: {texts.quoted(line)} stands before the column names")
    report = Report(Header(tuple(entries)), tuple(_runs(entries)), tuple(rows))
    if columns is None:
        raise HarnessError("/proc/dsbench is damaged: the line with the column names is missing")
    if report.unit not in UNITS:
        raise HarnessError(f"/proc/dsbench is damaged: its unit is {texts.quoted(report.unit)} instead of {' or '.join(UNITS)}")
    return report


def parse_samples(text: str) -> list[Cell]:
    """Parse the samples CSV into cells, in the order of their first samples. HarnessError says what is damaged.

    Columns are found by name, so that columns may be added.
    """
    lines = _whole_lines(text, "the samples file")
    columns = ["count" if name == CYCLES else name for name in next(lines, "").split(",")]
    missing = [name for name in SAMPLE_COLUMNS if name not in columns]
    if missing:
        raise HarnessError(f"the samples file is damaged: its first line lacks the column {missing[0]!r}")
    at = {name: columns.index(name) for name in SAMPLE_COLUMNS}
    sharing = [columns.index(name) for name in SHARING_COLUMNS if name in columns]
    burst_at = columns.index(BURST_COLUMN) if BURST_COLUMN in columns else None
    cells: dict[tuple[str, ...], Cell] = {}
    for number, line in enumerate(lines, start=2):
        fields = line.split(",")
        if len(fields) != len(columns):
            raise HarnessError(
                f"the samples file is damaged: line {number} has {len(fields)} fields instead of {len(columns)}"
            )
        try:
            threads, *figures = [_figure(fields[place]) for place in sharing] or [0]
            burst = _figure(fields[burst_at]) if burst_at is not None else 0
            key = (fields[at["run"]], fields[at["container"]], fields[at["op"]], fields[at["n"]], str(threads), str(burst))
            if key not in cells:
                cells[key] = Cell(key[1], key[2], _figure(key[3]), _figure(fields[at["elements"]]), threads=threads, burst=burst)
            cells[key].add(_figure(fields[at["count"]]), _figure(fields[at["disturbed"]]), *figures)
        except (ValueError, OverflowError) as error:
            raise HarnessError(f"the samples file is damaged: line {number} is {texts.quoted(line)}") from error
    for cell in cells.values():
        if cell.elements < 1 or cell.n < 1 or cell.threads < 0 or cell.burst < 0:
            raise HarnessError(f"the samples file is damaged: {cell.name} has {cell.elements} {cell.work}s")
    return list(cells.values())


def check_agreement(report: Report, cells: list[Cell]) -> None:
    """HarnessError unless each row of the table has its number of samples, and the other way round."""
    told = sorted((row.name, row.tries) for row in report.rows)
    found = sorted((cell.name, len(cell.counts)) for cell in cells)
    for row in told:
        if row not in found:
            raise HarnessError(f"the samples file is damaged: it lacks the {row[1]} tries of {row[0]}")
    if told != found:
        raise HarnessError("/proc/dsbench is damaged: its table has fewer rows than the samples file has cells")


def _figure(text: str) -> int:
    """Return a number of the samples file. ValueError if it is none, or none that a row can have."""
    if not NUMBER.fullmatch(text.removeprefix("-")):
        raise ValueError(text)
    return int(text)


def _whole_lines(text: str, source: str) -> Iterator[str]:
    """Return the lines of `text`. HarnessError if there is none, or the last one is incomplete."""
    if not text.strip():
        raise HarnessError(f"{source} is empty")
    if not text.endswith("\n"):
        raise HarnessError(f"{source} is truncated: its last line has no end")
    return iter(text.splitlines())


def _row(values: Mapping[str, str], whole: bool, line: str) -> Row:
    try:
        if not whole:
            raise ValueError(line)
        return Row(
            container=values["container"],
            op=values["op"],
            n=int(values["n"]),
            threads=int(values.get("threads", "0")),
            burst=int(values.get(BURST_COLUMN, "0")),
            tries=int(values["tries"]),
            disturbed=int(values["disturbed"]),
            values={
                name: _measure(value)
                for name, value in values.items()
                if name not in ("container", "op", "n", "threads", BURST_COLUMN, "tries", "disturbed")
            },
        )
    except (KeyError, ValueError) as error:
        raise HarnessError(f"/proc/dsbench is damaged: the table's row {texts.quoted(line)} can't be read") from error


def _measure(text: str) -> float | None:
    """Return a figure of the table; None for "below_resolution" and "-"."""
    return None if text in ("below_resolution", "-") else float(text)


def _runs(entries: list[tuple[str, str]]) -> Iterator[Run]:
    for key, value in entries:
        if key == "run":
            number, *settings = value.split() or [""]
            if not NUMBER.fullmatch(number):
                raise HarnessError(f"/proc/dsbench is damaged: its run is {texts.quoted(value)}, which begins with no number")
            pairs = (setting.partition("=") for setting in settings)
            yield Run(int(number), {name: text for name, _, text in pairs})
