# SPDX-License-Identifier: GPL-2.0
"""The cases by name, in the order in which they are tried."""

from __future__ import annotations

import functools
from collections.abc import Callable

Case = Callable[[], None]
CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    """A case, named by its function."""
    CASES[function.__name__] = function
    return function


def combined(function: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """Four cases: IPv4 and IPv6 inside, over IPv4 and IPv6."""
    for inner in (4, 6):
        for outer in (4, 6):
            CASES[f"{function.__name__}_{inner}in{outer}"] = functools.partial(function, inner, outer)
    return function


def over_both(function: Callable[[int], None]) -> Callable[[int], None]:
    """Two cases: over IPv4 and over IPv6."""
    for outer in (4, 6):
        CASES[f"{function.__name__}_over{outer}"] = functools.partial(function, outer)
    return function
