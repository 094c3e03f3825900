# SPDX-License-Identifier: GPL-2.0
"""The table of the comparison with Rust."""

from __future__ import annotations

import collections
from collections.abc import Sequence

from rich.table import Column, Table
from rich.text import Text

from ..compare import table as comparetable
from ..compare.verdict import Comparison, Rule, Word
from ..console import console
from ..results.results import Results
from ..results.samples import CONTAINER_OPS
from ..results.table import figure
from ..statistics.wording import probability
from . import helpers
from .helpers import Calls
from .judge import Row

WIDTH = 140
BIASES = (
    "erase by key searches, where C unlinks the element that it has: *_owned in C does as Rust must",
    "prealloc gives Rust its nodes before the clock starts, as C has its elements",
    "the kernel checks integer overflow in Rust (CONFIG_RUST_OVERFLOW_CHECKS), not in C",
    "xarray and maple in Rust take the lock for a lookup, where C reads under RCU; *_rcu in Rust does, too",
)
"""What makes the sides unlike, besides the language."""


def show(rows: Sequence[Row], swept: Results, by: Rule, calls: Calls) -> None:
    """Print the rows, the summary and the footnotes."""
    print(f"{swept.unit_words} per element or lookup, kernel {swept.context['kernel']} in {swept.context['target']}; Rust / C above 1: Rust is slower")
    console(WIDTH).print(_table(rows, by))
    for line in footnotes(rows, by, calls):
        print(line)


def _table(rows: Sequence[Row], by: Rule) -> Table:
    names = ("C gcc", "C clang", "Rust", "Rust / C", "p")
    table = Table("Rust", "C", *(Column(name, justify="right") for name in names), "verdict")
    last = ("", "")
    for row in rows:
        if last != ("", "") and last != (row.rust, row.against):
            table.add_section()
        last = (row.rust, row.against)
        found = row.found
        table.add_row(
            f"{row.rust}/{row.op}/{row.n}", row.against, figure(found.before), "-" if row.clang is None else figure(row.clang), figure(found.after),
            interval(found, by), probability(found.p_adjusted), Text(found.word.value, comparetable.STYLES[found.word]),
        )  # fmt: skip
    return table


def interval(found: Comparison, by: Rule) -> str:
    """Return the ratio and its interval: "1.204 [1.203, 1.206]", with fewer digits for cycles."""
    digits = max(2, comparetable.decimals(by) - 1)
    return f"{found.ratio:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def footnotes(rows: Sequence[Row], by: Rule, calls: Calls) -> list[str]:
    """Return what stands below the table."""
    counts = collections.Counter(row.found.word for row in rows)
    lines = [f"{len(rows)} rows, Rust is: {', '.join(f'{counts[word]} {word.value}' for word in Word if counts[word])}"]
    reasons = collections.Counter(row.found.reason for row in rows if row.found.word is Word.INCONCLUSIVE)
    lines += [f"inconclusive, {count}: {reason}" for reason, count in reasons.items()]
    lines += [f"not the same work: {bias}" for bias in BIASES]
    if calls:
        lines += [f"n={helpers.N}, per element: {line}" for line in helpers.footnotes(helpers.of_ops(calls, CONTAINER_OPS))]
    return [*lines, comparetable.rule(by, in_turns=False)]
