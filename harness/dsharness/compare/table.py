# SPDX-License-Identifier: GPL-2.0
"""Prints a comparison: a row for each cell, then the summary and the rule."""

from __future__ import annotations

import math

from rich.table import Table
from rich.text import Text

from ..console import console
from ..results.table import figure
from ..statistics.wording import probability
from .comparison import Comparisons
from .verdict import Comparison, Rule, Word

LOG_COLUMNS = 130
LISTED = 6
"""Maximum number of missing cells to list; the JSON file has all of them."""
STYLES = {Word.SLOWER: "red", Word.FASTER: "green", Word.NO_CHANGE: "", Word.INCONCLUSIVE: "yellow"}


def show(found: Comparisons) -> None:
    """Print the table, the missing cells, the summary, the reasons of inconclusive cells, and the rule."""
    before, after = found.before.results, found.after.results
    units = before.unit_words if before.unit == after.unit else f"{before.unit_words} and {after.unit_words}"
    print(f"{units} per element or packet: A {found.before.path}, B {found.after.path}")
    if found.differences:
        print(f"compared although they differ in {', '.join(map(str, found.differences))}")
    console(LOG_COLUMNS).print(_table(found))
    for line in summary(found):
        print(line)


def summary(found: Comparisons) -> list[str]:
    """What stands below the table."""
    counts = ", ".join(f"{count} {word.value}" for word, count in found.counts.items() if count)
    lines = [f"{len(found.cells)} cells: {counts}"]
    lines += incomplete(found)
    if found.resolved:
        lines[0] += f"; geometric mean of B / A {found.geometric_mean:.4f}, medians differ typically by {found.typical_change:.2%}"
    lines += [f"inconclusive, {count} {'cell' if count == 1 else 'cells'}: {why}" for why, count in found.reasons.items()]
    for side, names in (("A", found.only_before), ("B", found.only_after)):
        if names:
            more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
            lines.append(f"only {side} has {', '.join(names[:LISTED])}{more}")
    return [*lines, rule(found.rule, found.in_turns)]


def incomplete(found: Comparisons) -> list[str]:
    """Return a sentence on each side whose sweep ended early."""
    return [
        f"{side} is incomplete: its sweep ended before all of it was done"
        for side, sweep in (("A", found.before), ("B", found.after))
        if not sweep.results.context["complete"]
    ]


def rule(by: Rule, in_turns: bool) -> str:
    """The rule in words."""
    test = "Wilcoxon's signed ranks of neighbouring loads" if in_turns else "Mann-Whitney"
    noise = ", or one that reaches no further beyond it than loads of either side are apart" if in_turns and by.exact else ""
    return (
        f"threshold {by.tolerance}, alpha {by.alpha:g}: faster and slower take a 95 % interval of the ratio beyond the threshold "
        f"and p < alpha ({test}, corrected by Holm for all cells), no change takes an interval within it{noise}"
    )


def change(cell: Comparison, by: Rule) -> str:
    """Return the ratio for people: "1.07 ± 0.01 × slower"."""
    if not math.isfinite(cell.ratio):
        return "below res."
    slower = cell.ratio >= 1
    ratio, low, high = (cell.ratio, cell.low, cell.high) if slower else (1 / cell.ratio, 1 / cell.high, _inverse(cell.low))
    digits = decimals(by)
    spread = (high - low) / 2
    margin = f"{spread:.{digits}f}" if math.isfinite(spread) else "?"
    word = "slower" if slower else "faster"
    return f"{ratio:.{digits}f} ± {margin} ×" + ("" if round(ratio, digits) == 1 else f" {word}")


def decimals(by: Rule) -> int:
    """Return the number of digits that shows a change as large as the threshold with two digits."""
    return min(5, max(2, 1 - math.floor(math.log10(by.threshold)))) if by.threshold else 4


def _inverse(value: float) -> float:
    return 1 / value if value > 0 else math.inf


def _table(found: Comparisons) -> Table:
    table = Table("cell")
    for name in ("A", "B", "change", "p"):
        table.add_column(name, justify="right")
    table.add_column("verdict")
    last = ""
    for cell in found.cells:
        group = cell.name.split("/")[0]
        if last and group != last:
            table.add_section()
        last = group
        style = STYLES[cell.word]
        table.add_row(
            cell.name, figure(cell.before), figure(cell.after), change(cell, found.rule), probability(cell.p_adjusted),
            Text(cell.word.value, style),
        )  # fmt: skip
    return table
