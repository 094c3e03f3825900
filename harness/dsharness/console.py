# SPDX-License-Identifier: GPL-2.0
"""The rich console for tables on standard output. No table has a name or a figure that is cut."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from . import streams

LOG_COLUMNS = 120
"""Width of a table in a log or a pipe, which have no width of their own."""
PROSE_COLUMNS = 15
"""A column with a longer text may be wrapped between words, into lines of at least this width."""
UNLIMITED = 100_000
PLAIN: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False}
"""A text is shown as it is: names come from result files and may look like rich's markup."""


class TableConsole(Console):
    """A console that fits each table into its width."""

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as Console does. A table that is too wide loses its box; a row becomes a list if that is not enough.

        In a log or a pipe, a table may be wider than the console: there nothing wraps its lines.
        """
        if not self.is_terminal:
            least = (sum(_least(self, table)) + _frame(self, table) for table in objects if isinstance(table, Table))
            self.width = max(self.width, *least, 0)
        super().print(*(_fitted(self, each) if isinstance(each, Table) else each for each in objects), **options)


    def render_str(self, text: str, **options: Any) -> Text:
        """Render as Console does, with the replacements for characters that the console lacks: they have other widths."""
        return super().render_str(streams.shown(text, self.encoding), **options)


def console(log_columns: int = LOG_COLUMNS) -> Console:
    """Return a console as wide as the terminal, or `log_columns` wide if standard output is not a terminal."""
    found = TableConsole(**PLAIN)
    return found if found.is_terminal else TableConsole(**PLAIN, width=log_columns)


def _fitted(out: Console, table: Table) -> RenderableType:
    """Return the table as it is if it fits; otherwise with wrapped prose, without its box, or as a list."""
    if sum(_most(out, table)) + _frame(out, table) <= out.width:
        return table
    bare = copy.copy(table)
    bare.box, bare.pad_edge, bare.collapse_padding = None, False, True
    for layout in (copy.copy(table), bare):
        room = out.width - _frame(out, layout)
        if sum(_least(out, layout)) <= room:
            return _with_widths(layout, _shared_out(_least(out, table), _most(out, table), room))
    return _as_list(out, table)


def _frame(out: Console, table: Table) -> int:
    """Return the columns of a terminal that the table's box and padding take beside columns of fixed widths.

    rich pads these at the table's edges, too, where others have no padding.
    """
    widths = _most(out, table)
    fixed = _with_widths(copy.copy(table), widths)
    return Measurement.get(out, out.options.update(width=UNLIMITED), fixed).maximum - sum(widths)


def _with_widths(table: Table, widths: Sequence[int]) -> Table:
    """Return the table with columns of its own that have these widths."""
    table.columns = [copy.copy(column) for column in table.columns]
    for column, width in zip(table.columns, widths):
        column.width = width
    return table


def _most(out: Console, table: Table) -> list[int]:
    """Return the width of each column's longest text."""
    return [max(text.cell_len for text in _texts(out, column)) for column in table.columns]


def _least(out: Console, table: Table) -> list[int]:
    """Return the width that each column needs: a word is never cut, and a short text is not wrapped."""
    return [
        max(min(longest, PROSE_COLUMNS), *(_longest_word(text) for text in _texts(out, column)))
        for column, longest in zip(table.columns, _most(out, table))
    ]


def _longest_word(text: Text) -> int:
    return max((Text(word).cell_len for word in text.plain.split()), default=0)


def _texts(out: Console, column: Column) -> list[Text]:
    """Return the heading of a column and its cells."""
    return [_text(out, column.header), *(_text(out, cell) for cell in column.cells)]


def _text(out: Console, cell: RenderableType) -> Text:
    return cell if isinstance(cell, Text) else out.render_str(str(cell))


def _shared_out(least: Sequence[int], most: Sequence[int], room: int) -> list[int]:
    """Return the width of each column: at least `least`, at most `most`, `room` in all."""
    widths = list(least)
    for place, wish in enumerate(most):
        widths[place] += min(wish - widths[place], room - sum(widths))
    return widths


def _as_list(out: Console, table: Table) -> Text:
    """Return the table as text: a line for each cell, behind its column's heading, and an empty line between two rows."""
    headings = [_text(out, column.header).plain for column in table.columns]
    width = max(map(len, headings))
    lines = [_text(out, table.title)] if table.title else []
    for row in zip(*(column.cells for column in table.columns)):
        for heading, cell in zip(headings, row):
            lines.append(Text(f"{heading:<{width}}  ") + _text(out, cell))
        lines.append(Text())
    return Text("\n").join(lines[:-1])
