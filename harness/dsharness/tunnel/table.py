# SPDX-License-Identifier: GPL-2.0
"""Prints the evaluation in the shape of the paper's Tables 1 and 2."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from ..console import console
from ..results.datapath import ENCRYPTING, RUST, UDPTUN
from ..statistics.wording import probability
from . import record
from .devices import LINK
from .record import Evaluation
from .significance import Comparison
from .meters import Tool

LOG_COLUMNS = 140
GOAL = 0.005
"""How much less than udptun's the throughput of udptun_rust may be, as a share."""
NOTHING = "-"
NOT_COMPARABLE = (
    "The paper's figures are of two machines on a 1 Gbit/s link, Linux 6.3. Figures of different machines and links "
    "are not comparable: compare rows from here with each other only."
)


def show(run: Evaluation, out: Console | None = None) -> None:
    """Print both tables of every tool, with the paper's figures, and the notes."""
    out = out or console(LOG_COLUMNS)
    for tool in run.tools:
        out.print(tool.title, _figures(run, tool), _tests(run, tool), sep="\n")
    for line in notes(run):
        out.print(line)


def notes(run: Evaluation) -> list[str]:
    """Return what a reader must know before using a figure."""
    said = [NOT_COMPARABLE]
    said += [f"{name} is absent: {reason}" for name, reason in run.context["absent"].items()]
    told = [f"{name}: {words}" for name, words in run.context.get("device_options", {}).items() if name in run.context["devices"]]
    said += [f"Options: {'; '.join(told)}."] if told else []
    rounds = run.context["rounds"]
    how_many = f"{rounds} rounds, each in a random order of its own" if rounds > 1 else "One round: too few for a test"
    said.append(f"The bare link: {run.context['link']}. {how_many}.")
    if run.context["target"] != "peer" and run.context["cpus"] == 1:
        said.append("The guest has one CPU: client and server share it, so a figure is the work of both ends together.")
    said += [sentence for tool in run.tools if (sentence := _of_rust(run, tool))]
    if ENCRYPTING in run.context["devices"]:
        said.append(f"{ENCRYPTING} encrypts: shown, but no candidate for the best peer.")
    said.append("p: the chance of a distance like this without a difference, two-sided, not corrected for many tests.")
    return said


def _figures(run: Evaluation, tool: Tool) -> Table:
    table = Table("source", "interface")
    for name in ("mean", "min", "max", "σ", "to bare link"):
        table.add_column(name, justify="right")
    theirs = record.paper(tool.metric)
    for line in theirs:
        figures = (line.mean, line.min, line.max, line.sigma)
        distance = NOTHING if line is theirs[0] else change(line.mean / theirs[0].mean - 1)
        table.add_row("paper", line.interface, *(number(value) for value in figures), distance)
    table.add_section()
    for row in run.rows(tool):
        own = row.figures
        distance = change(row.against_link.change) if row.against_link else NOTHING
        name = "bare link" if row.device == LINK else row.device
        table.add_row("here", name, *(number(value) for value in (own.mean, own.min, own.max, own.sigma)), distance)
    return table


def _tests(run: Evaluation, tool: Tool) -> Table:
    best = run.best_peer(tool) or "no peer"
    rows = [row for row in run.rows(tool) if row.device != LINK]
    with_c = any(row.against_c for row in rows)
    table = Table("against")
    for reference in ("bare link", f"best peer: {best}", *([f"in C: {UDPTUN}"] if with_c else [])):
        table.add_column(reference, justify="right")
        table.add_column("Welch p", justify="right")
        table.add_column("Mann-Whitney p", justify="right")
    for row in rows:
        table.add_row(row.device, *_cells(row.against_link), *_cells(row.against_best), *(_cells(row.against_c) if with_c else ()))
    return table


def _of_rust(run: Evaluation, tool: Tool) -> str:
    """Return how far Rust is from C here and in the paper; "" where only one of them was measured."""
    found = next((row.against_c for row in run.rows(tool) if row.against_c), None)
    theirs = {line.interface: line.mean for line in record.paper(tool.metric)}
    if not found or not theirs.keys() >= {"c", "rust"}:
        return ""
    said = f"{tool.title}: {RUST} {found.change:+.3%}{f' {reach}' if (reach := interval(found)) else ''} from {UDPTUN};"
    said += f" in the paper Rust {theirs['rust'] / theirs['c'] - 1:+.4%} from C."
    return said if tool.lower_is_better or found.low is None else f"{said} The goal of at most {GOAL:.1%} less than C is {judged(found)}."


def interval(found: Comparison) -> str:
    """Return the 95 % interval of a change; "" without one."""
    return "" if found.low is None or found.high is None else f"[{found.low:+.3%}, {found.high:+.3%}]"


def judged(found: Comparison) -> str:
    """Return whether the throughput of Rust meets the goal."""
    if found.low is None or found.high is None:
        return "unknown"
    return "met" if found.low >= -GOAL else "missed" if found.high < -GOAL else "open: repeat with more rounds"


def _cells(found: Comparison | None) -> tuple[str, str, str]:
    if not found:
        return (NOTHING,) * 3
    return change(found.change), probability(found.welch_p), probability(found.mann_whitney_p)


def number(value: float) -> str:
    """A figure of a table."""
    return f"{value:,.0f}" if value >= 10_000 else f"{value:,.2f}" if value >= 1 else f"{value:.3g}"


def change(ratio: float) -> str:
    """A relative distance, signed."""
    return f"{ratio:+.1%}"
