# SPDX-License-Identifier: GPL-2.0
"""Tables for the terminal, on standard output."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

from rich.table import Table

from ..console import console
from ..statistics import inference
from . import datapath, floors, results
from .agreement import Agreement
from .results import Results
from .samples import ELEMENT, PACKET, Cell, name_of

LABEL_COLUMNS = 24
FIGURE_COLUMNS = 13
KEPT_UP = 0.8
"""Share of the rate from which a writer counts as having kept up: a try is too short for an exact rate."""
MOST_NAMED = 6


def figure(value: float) -> str:
    """Return a figure per element or packet, short. NaN, or a figure not above zero, is below the clock's resolution."""
    if not value > 0:
        return "below res."
    if value < 1000:
        return f"{value:.2f}"
    return f"{value:,.0f}" if value < 1e6 else f"{value / 1e6:,.1f}M"


def show_medians(sweep: Results) -> None:
    """Print the median per element: a row for each op and container, a column for each n. Then the same for packets.

    The last column is the cost divided by the floor's. The floors have rows of their own, bursts of packets a table.
    """
    figures = {cell.name: figure(_cost(sweep, cell)) for cell in sweep.cells}
    distances = {name: figure(ratio) for name, ratio in results.x_floors(sweep).items()}
    title = f"{sweep.unit_words} per {{work}}, median, {sweep.label}, kernel {sweep.context['kernel']}"
    _show(sweep, title, figures, distances)
    if distances:
        print(f"floors: {floors.words(sweep.ops, sweep.order)}; {datapath.BARE} for packets")
    show_shared(sweep.shared)
    print(certainty(sweep))
    if core := core_cycles(sweep):
        print(core)
    if sweep.context.get("device_options"):
        print(packets(sweep))
    for kind, reason in sweep.context.get("absent_devices", {}).items():
        print(f"{kind} is absent: {reason}")


def packets(sweep: Results) -> str:
    """Return how the packets of a sweep were made and received, and the options of its tunnels."""
    settings = [f"{name}={sweep.context[name]}" for name in datapath.PACKET_SETTINGS if name in sweep.context]
    return f"packets: {' '.join(settings)}; " + "; ".join(f"{kind} {words}" for kind, words in sweep.context["device_options"].items())


def _cost(sweep: Results, cell: Cell) -> float:
    """Return the median per element or packet; NaN below the clock's resolution."""
    return results.per_work(cell).median if sweep.is_resolved(cell) else math.nan


def core_cycles(sweep: Results) -> str:
    """Return one sentence on how TSC cycles become cycles of the core; "" if their rate is unknown."""
    rates = sweep.context.get(results.CORE_RATE, [])
    if not rates:
        return ""
    return (
        f"a TSC cycle is {sweep.core_rate:.3f} core cycles ({min(rates) / 1000:.3f} to {max(rates) / 1000:.3f} during the sweep); "
        "the CSV has each median in core cycles, too"
    )


def certainty(sweep: Results) -> str:
    """Return one sentence on the intervals of the medians: the typical one and the worst."""
    widths: list[tuple[float, str]] = []
    for cell in sweep.cells:
        median, interval = results.per_work(cell).median, results.median_interval(cell)
        if sweep.is_resolved(cell):
            widths.append(((interval.high - interval.low) / 2 / median, cell.name))
    found = [inference.outliers(cell.counts) for cell in sweep.cells]
    sure = "unknown"
    if widths:
        typical, (worst, name) = statistics.median(width for width, _ in widths), max(widths)
        sure = f"±{typical:.2%} typically, ±{worst:.2%} at worst ({name})"
    return (
        f"95 % intervals of the medians: {sure}; of {sum(len(cell.counts) for cell in sweep.cells):,} tries "
        f"{sum(one.mild for one in found):,} are mild outliers, {sum(one.severe for one in found):,} severe ones"
    )


def show_shared(sweep: Results) -> None:
    """Print the cost of an element for readers beside a writer, and their reads per second: a column for each number of readers."""
    for n in sweep.sizes:
        _show_readers(sweep, n)
    missed = slow_writers(sweep)
    if missed:
        print(missed)


def _show_readers(sweep: Results, n: int) -> None:
    table = Table()
    for name in ("op", "container", "readers under", "writer under"):
        table.add_column(name)
    for threads in sweep.threads:
        table.add_column(f"{threads} reader{'s' if threads > 1 else ''}", justify="right")
    absent = [container for container, locks in sweep.context.get("sharing", {}).items() if not locks]
    for op in sweep.ops:
        for container in sweep.containers:
            found = {cell.threads: cell for cell in sweep.cells if (cell.container, cell.op, cell.n) == (container, op, n)}
            locks = sweep.context.get("sharing", {}).get(container, {})
            figures = [_of_readers(sweep, found[threads]) if threads in found else "-" for threads in sweep.threads]
            table.add_row(op, container, locks.get("readers", "-"), locks.get("writer", "-"), *figures)
        for container in absent:
            table.add_row(op, container, "absent", "absent", *("absent" for _ in sweep.threads))
        table.add_section()
    writes = sweep.context.get("writes", 0)
    beside = f"beside {writes:,} writes a second" if writes else "without a writer"
    title = f"{sweep.unit_words} per element of one reader, elements a second of all, medians, n={n}, {beside}"
    _print(title, table, 56 + 24 * len(sweep.threads))


def _of_readers(sweep: Results, cell: Cell) -> str:
    rate = statistics.median(results.throughput(sweep, cell))
    return f"{figure(_cost(sweep, cell))}  {rate / 1e6:,.1f}M/s"


def slow_writers(sweep: Results) -> str:
    """Return one sentence on the writers that did not keep up with the requested rate; "" if all did."""
    asked = sweep.context.get("writes", 0)
    done = {cell.name: results.write_rate(sweep, cell) for cell in sweep.cells}
    slow = [f"{name} {rate:,.0f}" for name, rate in done.items() if rate < KEPT_UP * asked]
    if not slow:
        return ""
    return f"writers that did not reach {asked:,} writes a second: {', '.join(slow[:MOST_NAMED])}" + (
        f" and {len(slow) - MOST_NAMED} more" if len(slow) > MOST_NAMED else ""
    )


def show_ratios(sweep: Results, found: Agreement) -> None:
    """Print the ratio of medians of each cell of `sweep` that was compared, in the layout of the medians."""
    figures = {name: f"{ratio:.3f}" for name, ratio in found.ratios.items()}
    compared = Results(sweep.context, [cell for cell in sweep.cells if cell.name in figures or cell.name in found.unresolved])
    _show(compared, f"median of the second sweep / median of the first, per {{work}}, {sweep.label}", figures)


@dataclass(frozen=True)
class Column:
    """One column of a table: the text for each cell of one size and burst, by the cell's name."""

    heading: str
    n: int
    texts: dict[str, str]
    burst: int = 0

    def name(self, container: str, op: str) -> str:
        """Return the name of the cell of an operation in this column."""
        return name_of(container, op, self.n, burst=self.burst)


def _show(sweep: Results, title: str, figures: dict[str, str], distances: dict[str, str] | None = None) -> None:
    """Print a table for each kind of work of the sweep. `title` names the work by {work}."""
    for work, subject in ((ELEMENT, "container"), (PACKET, "device")):
        part = sweep.part(work)
        if not part.cells:
            continue
        columns = [Column(_size(work, n), n, figures) for n in part.sizes]
        if distances:
            n = datapath.usual(part.sizes) if work == PACKET else part.sizes[-1]
            columns.append(Column(f"× floor, {_size(work, n)}", n, distances))
        _show_part([part, sweep.floors] if work == ELEMENT else [part], title.format(work=work), subject, columns)
    _show_bursts(sweep.in_bursts, title.format(work=PACKET), figures, distances or {})


def _show_bursts(sweep: Results, title: str, figures: dict[str, str], distances: dict[str, str]) -> None:
    """Print the packets of one payload that came in bursts, with a column for each burst, and their distances from the bare link."""
    if not sweep.cells:
        return
    octets = datapath.usual(sweep.sizes)
    ends = sorted({sweep.bursts[0], sweep.bursts[-1]}) if distances else []
    columns = [Column(f"burst {burst}", octets, figures, burst) for burst in sweep.bursts]
    columns += [Column(f"× floor, {burst}", octets, distances, burst) for burst in ends]
    at = Results(sweep.context, [cell for cell in sweep.cells if cell.n == octets])
    _show_part([at], f"{title}, {datapath.payload(octets)} in bursts", "device", columns)


def _size(work: str, n: int) -> str:
    return datapath.payload(n) if work == PACKET else f"n={n}"


def _show_part(groups: list[Results], title: str, subject: str, columns: list[Column]) -> None:
    """Print the groups one below the other, a row for each op and container."""
    table = Table()
    table.add_column("op")
    table.add_column(subject)
    for column in columns:
        table.add_column(column.heading, justify="right")
    for group in groups:
        for op in group.ops:
            for container in group.containers:
                nothing = "absent" if op in group.absent_ops.get(container, []) else "-"
                names = (column.name(container, op) for column in columns)
                table.add_row(op, container, *(column.texts.get(name, nothing) for name, column in zip(names, columns)))
            if op == group.ops[-1] or len(group.containers) > 1:
                table.add_section()
    _print(title, table, LABEL_COLUMNS + FIGURE_COLUMNS * len(columns))


def _print(title: str, table: Table, width: int) -> None:
    console(max(80, width)).print(title, table, sep="\n")
