# SPDX-License-Identifier: GPL-2.0
"""Texts of guests and of result files, which may contain anything: made safe for terminals, whole."""

from __future__ import annotations

from typing import Any

MOST_QUOTED = 200


def printable(text: str) -> str:
    """Return the text with an escape such as \\x1b in place of each character that is not printable.

    These are control characters, line ends, characters that change the direction of the text, and halves of surrogate pairs, which
    no encoding can write.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)


def all_printable(value: Any) -> Any:
    """Return a value of a JSON document whose texts are printable, those of its keys, too."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [all_printable(each) for each in value]
    if isinstance(value, dict):
        return {printable(key): all_printable(each) for key, each in value.items()}
    return value


def quoted(text: str) -> str:
    """Return a text in quotes for an error message, shortened if it is very long."""
    return repr(text if len(text) <= MOST_QUOTED else f"{text[:MOST_QUOTED]}...")
