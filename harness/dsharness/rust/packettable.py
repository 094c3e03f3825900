# SPDX-License-Identifier: GPL-2.0
"""The table of the tunnel's comparison with Rust."""

from __future__ import annotations

import collections
from collections.abc import Sequence

from rich.table import Column, Table
from rich.text import Text

from ..compare import table as comparetable
from ..compare.verdict import Rule, Word
from ..console import console
from ..results import datapath
from ..results import table as resulttable
from ..results.datapath import BARE, RUST, UDPTUN
from ..results.results import Results
from ..results.samples import DATAPATH_OPS
from ..results.table import figure
from ..statistics.wording import probability
from . import helpers, packets
from .helpers import Calls
from .packets import GOAL, Row
from .table import interval

WIDTH = 140


def show(rows: Sequence[Row], swept: Results, by: Rule, calls: Calls) -> None:
    """Print the rows, the summary and the footnotes."""
    print(f"{swept.unit_words} per packet, kernel {swept.context['kernel']} in {swept.context['target']}: {UDPTUN} in C beside {RUST} in Rust, and what each adds to the bare link")
    console(WIDTH).print(_table(rows, by))
    for line in footnotes(rows, swept, by, calls):
        print(line)


def _table(rows: Sequence[Row], by: Rule) -> Table:
    names = ("payload", "burst", BARE, UDPTUN, RUST, "C adds", "Rust adds", "Rust / C, added", "p")
    table = Table("op", *(Column(name, justify="right") for name in names), "verdict")
    last = ""
    for row in rows:
        if last not in ("", row.op):
            table.add_section()
        last = row.op
        found = row.found
        table.add_row(
            row.op, datapath.payload(row.octets), str(row.burst or "-"), figure(row.link), figure(row.link + found.before), figure(row.link + found.after),
            figure(found.before), figure(found.after), interval(found, by), probability(found.p_adjusted),
            Text(found.word.value, comparetable.STYLES[found.word]),
        )  # fmt: skip
    return table


def footnotes(rows: Sequence[Row], swept: Results, by: Rule, calls: Calls) -> list[str]:
    """Return what stands below the table."""
    counts = collections.Counter(row.found.word for row in rows)
    lines = [f"{len(rows)} rows, Rust is: {', '.join(f'{counts[word]} {word.value}' for word in Word if counts[word])}"]
    reasons = collections.Counter(row.found.reason for row in rows if row.found.word is Word.INCONCLUSIVE)
    lines += [f"inconclusive, {count}: {reason}" for reason, count in reasons.items()]
    lines += [f"geometric means of Rust / C, added: {', '.join(f'{op} {mean:.3f}' for op, mean in packets.means(rows).items())}"]
    worst = max(rows, key=lambda row: row.found.ratio)
    lines += [
        f"at most {GOAL:.2f} × what C adds is the goal: met in {sum(row.meets_goal for row in rows)} of {len(rows)} rows;"
        f" the largest ratio is {worst.found.ratio:.3f}, {worst.op} of {datapath.payload(worst.octets)}{f', burst {worst.burst}' if worst.burst else ''}"
    ]
    lines += [f"{datapath.USUAL_PAYLOAD} B, per packet: {line}" for line in helpers.footnotes(helpers.of_ops(calls, DATAPATH_OPS))]
    return [*lines, resulttable.packets(swept), comparetable.rule(by, in_turns=False)]
