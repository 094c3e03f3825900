# SPDX-License-Identifier: GPL-2.0
"""Values of command line options, checked. Each UsageError names the option, its value and what is allowed."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import overload

from .errors import HarnessError, UsageError

_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")
_SHARE = re.compile(r"([0-9]*\.?[0-9]+(?:[eE]-?[0-9]+)?)\s*(%?)")


@overload
def whole(option: str, text: str, lowest: int, highest: int) -> int: ...
@overload
def whole(option: str, text: None, lowest: int, highest: int) -> None: ...
@overload
def whole(option: str, text: str | None, lowest: int, highest: int) -> int | None: ...
def whole(option: str, text: str | None, lowest: int, highest: int) -> int | None:
    """Return `text` as a whole number; None if the option is not given."""
    if text is None:
        return None
    if not _WHOLE.fullmatch(text) or not lowest <= int(text) <= highest:
        raise UsageError(f"--{option} is {text!r}: allowed are whole numbers from {lowest} to {highest}")
    return int(text)


def share(option: str, text: str | None, *, positive: bool = False) -> float | None:
    """Return a share such as "5%" or "0.05" as a number from 0 (or above 0, where `positive`) to 1; None if not given."""
    if text is None:
        return None
    match = _SHARE.fullmatch(text.strip())
    value = float(match[1]) / (100 if match[2] else 1) if match else math.nan
    if not 0 <= value <= 1 or (positive and not value):
        lowest = "above 0 and up" if positive else "from 0"
        raise UsageError(f"--{option} is {text!r}: allowed are shares {lowest} to 1, such as 0.05 or 5%")
    return value


def percentage(option: str, text: str, highest: float = 100.0) -> float:
    """Return a percentage, from 0 to `highest`, as a share of 1."""
    try:
        percent = float(text.strip().removesuffix("%"))
    except ValueError:
        percent = math.nan
    if not 0 <= percent <= highest:
        raise UsageError(f"--{option} is {text!r}: allowed are percentages from 0 to {highest:g}")
    return percent / 100


def seconds(option: str, text: str) -> float:
    """Return a duration in seconds, above 0 and finite."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise UsageError(f"--{option} is {text!r}: allowed are seconds above 0")
    return value


@overload
def choice(option: str, value: str, allowed: Sequence[str]) -> str: ...
@overload
def choice(option: str, value: str | None, allowed: Sequence[str]) -> str | None: ...
def choice(option: str, value: str | None, allowed: Sequence[str]) -> str | None:
    """Return `value` if it is one of `allowed`, or None if the option is not given."""
    if value is not None and value not in allowed:
        raise UsageError(f"--{option} is {value!r}: allowed are {', '.join(allowed)}{suggestion(value, allowed)}")
    return value


def suggestion(value: str, allowed: Iterable[str]) -> str:
    """Return the end of a sentence that refuses `value`: the nearest of the allowed ones; "" if none is near."""
    near = nearest(value.lower(), allowed)
    return f"; did you mean {near}?" if near else ""


def nearest(value: str, allowed: Iterable[str], likeness: float = 0.6) -> str:
    """Return the one of the allowed values that is most like `value`; "" if none has this likeness, from 0 to 1."""
    return next(iter(difflib.get_close_matches(value, list(allowed), 1, likeness)), "")


def words(values: Sequence[str]) -> list[str]:
    """Return the single words of values such as "500 1000" or "list,rbtree"."""
    return [word for value in values for word in re.split(r"[\s,]+", value) if word]


def names(option: str, values: Sequence[str] | None, allowed: Sequence[str]) -> tuple[str, ...]:
    """Return the names given, each one once and in the order given; all that are allowed if the option is not given."""
    if values is None:
        return tuple(allowed)
    found = tuple(dict.fromkeys(words(values)))
    for name in found:
        choice(option, name, allowed)
    if not found:
        raise UsageError(f"--{option} is empty: allowed are {', '.join(allowed)}")
    return found


def pattern(option: str, text: str | None) -> re.Pattern[str] | None:
    """Return a regular expression; None if the option is not given."""
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise UsageError(f"--{option} is {text!r}: allowed are Python's regular expressions, and this is none: {error}") from None


def result_file(path: Path) -> Path:
    """Return the path of a result file that the user names. HarnessError unless it is a file that can be opened."""
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise HarnessError(f"the result file {path} cannot be read: {error.strerror}") from None


def json_file(option: str, path: Path | None) -> Path | None:
    """Return the path of a result file to write; None if the option is not given."""
    if path and path.suffix != ".json":
        raise UsageError(f"--{option} is {str(path)!r}: allowed are names that end in .json")
    return path
