# SPDX-License-Identifier: GPL-2.0
"""How a sweep's tries are spread over guests, and put together again."""

from __future__ import annotations

from array import array
from types import SimpleNamespace

import pytest

from dsharness import bystanders, sweeper
from dsharness.errors import HarnessError
from dsharness.samples import Cell, merged


@pytest.mark.parametrize(
    ("name", "tries", "shares"),
    [("uml", 100, [25] * 4), ("uml", 41, [11, 10, 10, 10]), ("uml", 20, [10, 10]), ("uml", 19, [19]), ("uml", 1, [1]),
     ("qemu", 100, [100]), ("host", 100, [100])],
)  # fmt: skip
def test_guests_of_uml_share_the_tries(name: str, tries: int, shares: list[int]) -> None:
    assert sweeper._shares(tries, SimpleNamespace(name=name)) == shares  # type: ignore[arg-type]


def cell(container: str, elements: int, *cycles: int) -> Cell:
    return Cell(container, "find", 100, elements, array("q", cycles), array("b", [0] * len(cycles)))


def test_tries_of_several_guests_become_one_cell_in_their_order() -> None:
    first = [cell("list", 100, 1, 2), cell("rbtree", 100, 3)]
    found = merged(first, [cell("rbtree", 100, 4, 5), cell("xarray", 100, 6)])
    assert [(one.container, list(one.cycles), len(one.disturbed)) for one in found] == [
        ("list", [1, 2], 2), ("rbtree", [3, 4, 5], 3), ("xarray", [6], 1),
    ]  # fmt: skip
    assert list(first[1].cycles) == [3]


def test_tries_of_readers_keep_all_that_is_known_of_them() -> None:
    of_readers = [Cell("list", "find", 100, 100, threads=1) for _ in range(2)]
    for number, one in enumerate(of_readers):
        one.add(5, 0, elapsed=10 + number, reads=100, writes=number)
    (found,) = merged(of_readers[:1], of_readers[1:])
    assert [list(series) for series in (found.cycles, found.elapsed, found.reads, found.writes)] == [[5, 5], [10, 11], [100, 100], [0, 1]]


def test_tries_of_other_lengths_are_not_put_together() -> None:
    with pytest.raises(HarnessError, match="list/find/100 had tries over 100 elements, and then over 50"):
        merged([cell("list", 100, 1)], [cell("list", 50, 1)])


def test_the_idlest_cpu_is_one_that_we_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter([{0: 100, 1: 100}, {0: 103, 1: 130}])
    monkeypatch.setattr(bystanders, "LOOK_SECONDS", 0)
    monkeypatch.setattr(bystanders, "_idle", lambda: next(looks))
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1, 2})
    assert bystanders.idlest_cpu() == 1
    monkeypatch.undo()
    assert set(bystanders._idle()) >= {0}
