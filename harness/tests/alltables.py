# SPDX-License-Identifier: GPL-2.0
"""Prints every table of the harness but that of compare and ab, from made figures: `alltables.py` on a terminal of some width."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from made_results import make  # noqa: E402

from dsharness.crosscheck import checks  # noqa: E402
from dsharness.crosscheck import drive as crosscheck  # noqa: E402
from dsharness.curve import table as curvetable  # noqa: E402
from dsharness.gate import baseline  # noqa: E402
from dsharness.gate import drive as gate  # noqa: E402
from dsharness.gate.baseline import Count  # noqa: E402
from dsharness.quality import drive as quality  # noqa: E402
from dsharness.quality.drive import Goal, Outcome  # noqa: E402
from dsharness.results import agreement, table  # noqa: E402
from dsharness.seedtables import view  # noqa: E402

KIND = {"containers": ["list", "sorted_array"], "devices": ["veth", "udptun"], "floors": True}


def main() -> None:
    """Print the tables, one below the other."""
    before = {"sorted_array/for_each/4000": Count(4000, 1_000_000, 1_000_000), "udptun/path/64400": Count(32, 900_000, 900_100), "list/fill/100": Count(100, 1, 1)}
    now = {"sorted_array/for_each/4000": Count(4000, 1_100_000, 1_100_000), "udptun/path/64400": Count(32, 950_000, 950_100)}
    gate.show(baseline.judge(before, now, 0.005))
    quality.show([
        Goal("two sweeps in instructions, 148 cells: worst", "0.1%", "0.000% (sorted_array/for_each/4000)", Outcome.MET),
        Goal("a planted slowdown: what the gate names", "xarray (find)", "xarray (find), +2.3% at most", Outcome.INCONCLUSIVE),
    ])  # fmt: skip
    table.show_ratios(make(**KIND), agreement.of(make(**KIND), make(**KIND, seed=2)))
    table.show_medians(make(**KIND, threads=(1, 2), sharing={"list": {"readers": "rcu_read_lock", "writer": "spin_lock"}}, writes=1000))
    curvetable.show(make(sizes=[1, 10, 100, 1000, 10_000, 100_000], tries=3, curve={"sizes": [1]}))
    view.show(make(ops=["fill", "find", "for_each"], tries=3, seed_tables={"list": "one key"}))
    crosscheck.show(crosscheck.Report(
        {"unit": "instructions", "n": 4000, "target": "qemu", "accel": "icount", "kernel": "6.12.117", "tests": "linux-source-6.12"},
        [checks.Check("clock, one half second and the next, kHz", 1_000_000.0, 1_000_001.0, checks.Measure.PPM, 1000.0, "a note")],
    ))  # fmt: skip


if __name__ == "__main__":
    main()
