# SPDX-License-Identifier: GPL-2.0
"""Prints the cost of a packet over the number of tunnels."""

from __future__ import annotations

from rich.table import Table

from ..console import console
from ..results import datapath, results
from ..results import table as sweeptable
from ..results.results import Results


def show(found: Results) -> None:
    """Print a row for each operation and device: the median per packet for each number of tunnels, and the last one divided by the first."""
    costs = {(cell.op, cell.container, cell.peers): results.per_work(cell).median for cell in found.cells}
    numbers = found.peers
    table = Table("op", "device")
    for number in numbers:
        table.add_column(f"{number:,} tunnel{'s' if number > 1 else ''}", justify="right")
    if len(numbers) > 1:
        table.add_column(f"{numbers[-1]:,} ÷ {numbers[0]:,}", justify="right")
    for op in found.ops:
        for device in found.containers:
            row = [costs.get((op, device, number)) for number in numbers]
            figures = ["-" if cost is None else sweeptable.figure(cost) for cost in row]
            if len(numbers) > 1:
                figures.append(f"{row[-1] / row[0]:.2f}" if row[0] and row[-1] and row[0] > 0 else "-")
            table.add_row(op, device, *figures)
        table.add_section()
    octets = datapath.payload(found.sizes[0])
    title = f"{found.unit_words} per packet, median, {found.label}, kernel {found.context['kernel']}, {octets}, alone, in a random tunnel"
    console(max(80, 40 + 16 * len(numbers))).print(title, table, sep="\n")
    print(sweeptable.packets(found))
    for kind, reason in found.context.get("absent_devices", {}).items():
        print(f"{kind} is absent: {reason}")
