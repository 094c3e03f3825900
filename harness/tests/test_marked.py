# SPDX-License-Identifier: GPL-2.0
"""Marked output, whatever pieces it arrives in."""

from __future__ import annotations

import pytest

from dsharness.errors import HarnessError
from dsharness.sweep.marked import MarkedSections


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_each_mark_has_the_lines_before_it(size: int) -> None:
    found: list[tuple[list[str], list[str]]] = []
    cutter = MarkedSections("@x", lambda words, since: found.append((words, since)))
    output = b"noise\r\n@x begin 1\none\n@xylophone\n@x end 1 0\nno end"
    for start in range(0, len(output), size):
        cutter.feed(output[start : start + size])
    assert found == [(["begin", "1"], ["noise"]), (["end", "1", "0"], ["one", "@xylophone"])]


def test_the_first_failure_is_kept_and_ends_it() -> None:
    seen: list[str] = []

    def refuse(words: list[str], since: list[str]) -> None:
        seen.append(words[0])
        raise HarnessError(words[0])

    cutter = MarkedSections("@x", refuse)
    cutter.feed(b"@x one\n@x two\n")
    cutter.feed(b"@x three\n")
    assert (str(cutter.failure), seen) == ("one", ["one"])
