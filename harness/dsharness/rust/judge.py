# SPDX-License-Identifier: GPL-2.0
"""The rows of the comparison: a cell in Rust, the same cell in C, and the verdict. All rows are one family for Holm's correction."""

from __future__ import annotations

from dataclasses import dataclass

from ..compare import verdict
from ..compare.verdict import Comparison, Rule
from ..results import results
from ..results.results import Results
from ..results.samples import CONTAINER_OPS, name_of
from . import twins


@dataclass(frozen=True)
class Row:
    """A cell in Rust against one in C. `clang` is the count of the same source by clang; None without one."""

    rust: str
    against: str
    op: str
    n: int
    clang: float | None
    found: Comparison
    """Before is C by gcc, after is Rust."""

    @property
    def of_language(self) -> bool:
        """Whether both sides have the same API."""
        return self.against.endswith(twins.OWNED)


def rows(swept: Results) -> list[Row]:
    """Return a row for each cell in Rust and each of its opponents that has the cell, too."""
    samples = results.comparable_samples(swept, swept)[0]
    containers = swept.containers
    pairs = {
        f"{name_of(rust, op, n)} {against}": (rust, against, op, n)
        for rust in containers if twins.is_rust(rust)
        for against in twins.opponents(rust, containers)
        for op in CONTAINER_OPS for n in swept.sizes
        if name_of(rust, op, n) in samples and name_of(against, op, n) in samples
    }  # fmt: skip
    before = {name: [samples[name_of(against, op, n)]] for name, (_, against, op, n) in pairs.items()}
    after = {name: [samples[name_of(rust, op, n)]] for name, (rust, _, op, n) in pairs.items()}
    medians = {cell.name: results.per_work(cell).median for cell in swept.cells}
    return [
        Row(rust, against, op, n, medians.get(name_of(f"{against}{twins.CLANG}", op, n)), found)
        for (rust, against, op, n), found in zip(pairs.values(), verdict.compare(before, after, rule(swept)))
    ]


def rule(swept: Results) -> Rule:
    """Return the rule of the verdicts."""
    return Rule.of(swept.unit)
