# SPDX-License-Identifier: GPL-2.0
"""Calls of the kernel's helpers for Rust: functions in C around what the kernel has as macros and inline functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..explain import guest
from ..explain.cells import Wanted
from ..explain.place import Place
from ..explain.plan import ExplainPlan
from ..explain.profile import Profile
from ..kernel import trees
from ..results.datapath import USUAL_PAYLOAD
from ..results.samples import DATAPATH_OPS

N = 1000
TRIES = 1
LEAST = 0.005
"""Calls per element below which a helper is not shown."""
PREFIX = "rust_helper_"
OF_TUNNEL = "dsbench_net_"
"""Prefix of the helpers of the tunnel's driver, which keep it."""

Calls = Mapping[str, Mapping[str, float]]
"""Container/op or device/op -> name of a helper without PREFIX -> calls per element or packet."""


def count(containers: Sequence[str], ops: Sequence[str], devices: Sequence[str], settings: Sequence[str], kernel: str, timeout: float) -> Calls:
    """Return the helpers that the operations call, those of packets included, counted in a guest of their own. HarnessError if it fails."""
    elements = [Wanted(container, op, N, named=False) for container in containers for op in ops]
    packets = [Wanted(device, op, USUAL_PAYLOAD, named=False) for device in devices for op in DATAPATH_OPS]
    cells = (*elements, *packets)
    plan = ExplainPlan(cells, TRIES, tuple(settings), timeout)
    outcome = guest.run(plan, Place(kernel, None), trees.working())
    return {f"{one.cell.container}/{one.cell.op}": called(one) for one in outcome.profiles}


def called(profile: Profile) -> dict[str, float]:
    """Return the calls of helpers per element in a profile."""
    helpers = {name: share for name, share in profile.functions.items() if name.startswith((PREFIX, OF_TUNNEL))}
    found = ((name.partition(" ")[0].removeprefix(PREFIX), profile.each(share.calls)) for name, share in helpers.items())
    return {name: round(calls, 3) for name, calls in found if calls >= LEAST}


def of_ops(calls: Calls, ops: Sequence[str]) -> Calls:
    """Return the calls of these operations alone: those of containers, or of packets."""
    return {cell: found for cell, found in calls.items() if cell.rpartition("/")[2] in ops}


def footnotes(calls: Calls) -> list[str]:
    """Return a line for each operation that calls helpers, and one for all others."""
    lines = [f"{cell} calls {_sentence(found)}" for cell, found in calls.items() if found]
    none = [cell for cell, found in calls.items() if not found]
    return [*lines, *([f"no helper is called by {', '.join(_by_container(none))}"] if none else [])]


def _sentence(found: Mapping[str, float]) -> str:
    return ", ".join(f"{'' if name.startswith(OF_TUNNEL) else PREFIX}{name} {calls:.2f} times" for name, calls in found.items())


def _by_container(cells: Iterable[str]) -> list[str]:
    """Return cells grouped for people: "rust_list/find+for_each"."""
    ops: dict[str, list[str]] = {}
    for cell in cells:
        container, _, op = cell.partition("/")
        ops.setdefault(container, []).append(op)
    return [f"{container}/{'+'.join(some)}" for container, some in ops.items()]
