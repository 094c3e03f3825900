# SPDX-License-Identifier: GPL-2.0
"""The table of a profile."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from rich.table import Column, Table
from rich.text import Text

from ..console import console
from . import difference
from .annotate import Line
from .difference import Change
from .profile import Profile, Share, total
from .single import Single

LEAST_SHARE = 0.01
"""Functions with a smaller share of the instructions are summed in one row."""
LEAST_CHANGE = 0.002
"""Functions that changed by less, as a share of the larger profile, are summed in one row."""
WIDTH = 120
BESIDE = 160
"""Width of two disassemblies next to each other."""
_ADDRESS = re.compile(r"\b0x([0-9a-f]{8,16})$")
INLINED = "Inlined code counts for the function that contains it."


def show(profile: Profile, kernel: str) -> None:
    """Print the functions of a profile, dearest first, and the sums of the cell."""
    work = profile.cell.work
    print(f"{profile.cell.name}: per {work}, kernel {kernel}, {profile.elements} {work}s in a try")
    table = Table(
        Column("function"), *(Column(name, justify="right") for name in ("instructions", "share", "calls", "loads", "stores"))
    )
    shown, rest = _divided(profile)
    for name, share in shown.items():
        _add(table, name, share, profile)
    if rest:
        _add(table, f"{len(rest)} more, below {LEAST_SHARE:.0%} each", total(rest.values()), profile)
    console(WIDTH).print(table)
    print(_sums(profile))


def _divided(profile: Profile) -> tuple[dict[str, Share], dict[str, Share]]:
    """Return the functions to show, and those to sum."""
    least = LEAST_SHARE * profile.instructions
    shown = {name: share for name, share in profile.functions.items() if share.instructions >= least}
    return shown, {name: share for name, share in profile.functions.items() if name not in shown}


def _add(table: Table, name: str, share: Share, profile: Profile) -> None:
    part = share.instructions / profile.instructions
    figures = (profile.each(value) for value in (share.calls, share.loads, share.stores))
    table.add_row(name, figure(profile.each(share.instructions)), f"{part:.1%}", *map(figure, figures))


def figure(value: float) -> str:
    """Return a figure per element."""
    return f"{value:,.2f}"


def _sums(profile: Profile) -> str:
    """Return the line for the whole cell."""
    each = {
        "instructions": profile.instructions, "loads": profile.loads, "stores": profile.stores, "taken branches": profile.taken,
        "cache lines": profile.lines,
    }  # fmt: skip
    sums = ", ".join(f"{figure(profile.each(count))} {name}" for name, count in each.items())
    anew = f", counted anew in each of {profile.slices} slices" if profile.slices > 1 else ""
    clock = f"{profile.overhead} in each of {profile.slices} slices" if profile.slices > 1 else f"{profile.overhead} of them"
    return (
        f"all: {sums}{anew}; reported are {figure(profile.each(profile.reported))},"
        f" the difference is the clock's own cost ({clock})"
    )


def show_difference(before: Profile, after: Profile, labels: tuple[str, str]) -> None:
    """Print the functions that gained or lost instructions, the largest change first, and the sum."""
    found = difference.changes(before, after)
    names = " and ".join(dict.fromkeys((before.cell.name, after.cell.name)))
    print(f"{names}: instructions per {after.cell.work}, before: {labels[0]}, after: {labels[1]}")
    table = Table(Column("function"), *(Column(name, justify="right") for name in ("before", "after", "difference")), Column(""))
    least = LEAST_CHANGE * max(before.each(before.instructions), after.each(after.instructions))
    shown = [change for change in found if abs(change.difference) >= least]
    for change in shown:
        _add_change(table, change)
    if rest := found[len(shown):]:
        _add_change(table, difference.total(rest))
    table.add_section()
    _add_change(table, Change("all", before.each(before.instructions), after.each(after.instructions)))
    console(WIDTH).print(table)
    sides = [one.each(one.reported) for one in (before, after)]
    clock = [one.each(one.clock) for one in (before, after)]
    own = "" if clock[0] == clock[1] else f"; the clock's own cost is {figure(clock[0])} and {figure(clock[1])}"
    print(f"reported are {figure(sides[0])} and {figure(sides[1])}, {sides[1] - sides[0]:+,.2f}{own}")


def _add_change(table: Table, change: Change) -> None:
    figures = ("-" if value is None else figure(value) for value in (change.before, change.after))
    table.add_row(change.function, *figures, f"{change.difference:+,.2f}" if change.difference else "0", change.mark)


def show_misses(profile: Profile, levels: Sequence[str], warm: bool) -> None:
    """Print the misses of the model of caches."""
    print(f"misses: {_misses([profile.each(count) for count in profile.misses], levels)}; {_state(warm)}")


def _misses(each: Sequence[float], levels: Sequence[str]) -> str:
    return ", ".join(f"{figure(count)} in {level}" for count, level in zip(each, levels, strict=True))


def _state(warm: bool) -> str:
    return "the model is warm from the tries before" if warm else "each window begins with an empty model"


def show_singles(found: Sequence[Single], kernel: str, levels: Sequence[str], warm: bool) -> None:
    """Print the distinct lines and the instructions of single operations."""
    print(f"one insertion, lookup or erasure, kernel {kernel}: distinct cache lines of 64 bytes, and instructions")
    names = ["min", "p50", "p99", "max"]
    titles = [*(f"lines {name}" for name in names), *(f"instr. {name}" for name in names), *(f"misses {level}" for level in levels)]
    table = Table("cell", *(Column(title, justify="right") for title in titles))
    for one in found:
        figures = [f"{value:,}" for spread in (one.lines, one.instructions) for value in (spread.least, spread.median, spread.p99, spread.most)]
        table.add_row(one.cell.name, *figures, *map(figure, one.misses))
    console(WIDTH).print(table)
    print(f"The clock is read for each operation; its instructions and lines are included.{f' {_state(warm).capitalize()}.' if levels else ''}")


def show_beside(sides: Sequence[Sequence[tuple[str, Sequence[Line]]]], profiles: Sequence[Profile]) -> None:
    """Print the instructions that ran of some functions of each side, in columns: how often per element, and where in the function."""
    print(f"how often each instruction ran per {profiles[0].cell.work}, without those that never ran")
    table = Table()
    for side, profile in zip(sides, profiles):
        table.add_column("runs", justify="right", vertical="top")
        table.add_column(f"{profile.cell.name}: {', '.join(name for name, _ in side) or 'none of these functions runs'}", ratio=1, overflow="fold")
    columns = [[row for _, lines in side for row in _rows(lines, profile)] for side, profile in zip(sides, profiles)]
    for rows in itertools.zip_longest(*columns, fillvalue=("", "")):
        table.add_row(*(Text(word) for row in rows for word in row))
    console(BESIDE).print(table)


def _rows(lines: Sequence[Line], profile: Profile) -> list[tuple[str, str]]:
    """Return how often each instruction ran, and its text with offsets in the function in place of addresses."""
    first, last = lines[0].address, lines[-1].address

    def offset(match: re.Match[str]) -> str:
        target = int(match[1], 16)
        return f"+{target - first:#x}" if first <= target <= last else match[0]

    ran = [line for line in lines if line.runs]
    return [(figure(profile.each(line.runs)), f"+{line.address - first:#05x} {_ADDRESS.sub(offset, line.text)}") for line in ran]


def show_annotated(name: str, lines: Sequence[Line], profile: Profile) -> None:
    """Print a disassembly with how often each instruction ran per element."""
    print(f"{name} in {profile.cell.name}: how often each instruction ran per {profile.cell.work}")
    source = ""
    for line in lines:
        if line.source and line.source != source:
            print(f"{'':>12}  ; {line.source}")
            source = line.source
        print(f"{figure(profile.each(line.runs)) if line.runs else '-':>12}  {line.address:x}  {line.text}")
    print()
