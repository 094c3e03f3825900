# SPDX-License-Identifier: GPL-2.0
"""Prints a curve: medians at some sizes, and the growth of the cost of one element."""

from __future__ import annotations

import textwrap

from rich.table import Table

from ..console import console
from ..results import fits as curvefits
from ..results import results
from ..results.results import Results
from ..results.table import figure

MOST_SIZES = 5
LOG_WIDTH = 140


def show(curve: Results) -> None:
    """Print a row for each operation and container: the median per element at a few n, the fitted class, its RMS."""
    found = curvefits.fits(curve.context, curve.cells)
    medians = {cell.name: figure(results.per_work(cell).median) for cell in curve.cells}
    sizes = shown_sizes(curve.sizes)
    table = Table()
    for column in ("op", "container"):
        table.add_column(column)
    for n in sizes:
        table.add_column(f"n={n}", justify="right")
    table.add_column("one element is")
    table.add_column("n of them are")
    table.add_column("RMS", justify="right")
    for op in curve.ops:
        for container in curve.containers:
            if fitted := found.get((container, op)):
                rms = f"{fitted.fits[0].rest:.1%}" if fitted.fits else "-"
                figures = (medians.get(f"{container}/{op}/{n}", "-") for n in sizes)
                table.add_row(op, container, *figures, fitted.word, fitted.whole, rms)
        table.add_section()
    console(LOG_WIDTH).print(f"{curve.unit_words} per element, median, {curve.label}, kernel {curve.context['kernel']}", table, sep="\n")
    for reason in dict.fromkeys(fitted.reason for fitted in found.values() if fitted.reason):
        names = ", ".join("/".join(series) for series, fitted in found.items() if fitted.reason == reason)
        print("\n".join(textwrap.wrap(f"Not fitted: {names}: {reason}.", LOG_WIDTH)))
    print("\n".join(textwrap.wrap(curvefits.explained(curve.context, curve.cells), LOG_WIDTH)))


def shown_sizes(sizes: list[int]) -> list[int]:
    """Return a few of many sizes, evenly spread, with the ends."""
    if len(sizes) <= MOST_SIZES:
        return sizes
    return [sizes[round(place * (len(sizes) - 1) / (MOST_SIZES - 1))] for place in range(MOST_SIZES)]
