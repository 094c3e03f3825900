# SPDX-License-Identifier: GPL-2.0
"""The plan of an explanation: cells and kernel, from the options of the command line, checked."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from .. import options
from ..errors import UsageError
from ..sweep import plan as sweep
from . import cells
from .cells import Wanted

DEFAULT_TRIES = 5
"""An odd number: the median of the tries is one of them, which is shown."""
TIMEOUT_SECONDS = "600"
TARGET, ACCEL = "qemu", "icount"
"""Where alone a profile is exact."""


@dataclass(frozen=True)
class ExplainPlan:
    """What to explain, checked."""

    cells: tuple[Wanted, ...]
    kernel: str | None
    tries: int
    settings: tuple[str, ...]
    """PARAMETER=VALUE of the core."""
    timeout: float
    """Of a guest, in seconds."""


def checked_plan(args: argparse.Namespace) -> ExplainPlan:
    """Return the options as a plan. UsageError names the option, its value and what is allowed."""
    _check_place(args)
    return ExplainPlan(
        cells=tuple(cells.find(args.cells, sweep.known_containers())),
        kernel=args.kernel,
        tries=options.whole("tries", args.tries, 1, sweep.MAX_TRIES),
        settings=_settings(args),
        timeout=options.whole("timeout", args.timeout, 1, 7 * 86_400),
    )


def _check_place(args: argparse.Namespace) -> None:
    """UsageError for a target whose clock does not count instructions."""
    why = "only there the clock counts instructions, and QEMU tells which"
    if args.target not in (None, TARGET):
        raise UsageError(f"--target is {args.target!r}: dsbench explain runs in {TARGET} with --accel {ACCEL}, {why}")
    if args.accel not in (None, ACCEL):
        raise UsageError(f"--accel is {args.accel!r}: dsbench explain runs with --accel {ACCEL}, {why}")


def _settings(args: argparse.Namespace) -> tuple[str, ...]:
    found = {
        "order": options.choice("order", args.order, sweep.ORDERS),
        "alloc": options.choice("alloc", args.alloc, sweep.ALLOCS),
        "erase_order": options.choice("erase-order", args.erase_order, sweep.ERASE_ORDERS),
        "lookups": options.whole("lookups", args.lookups, 0, sweep.MAX_N),
        "misses": options.whole("misses", args.misses, 0, 100),
        "seed": options.whole("seed", args.seed, 0, sweep.MAX_U64),
    }
    return tuple(f"{name}={value}" for name, value in found.items() if value is not None)
