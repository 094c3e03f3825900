# SPDX-License-Identifier: GPL-2.0
"""The rich console for tables on standard output."""

from __future__ import annotations

from rich.console import Console

LOG_COLUMNS = 120
"""Width of a table in a log or a pipe, which have no width of their own."""


def console(log_columns: int = LOG_COLUMNS) -> Console:
    """Return a console as wide as the terminal, or `log_columns` wide if standard output is not a terminal."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=log_columns)
