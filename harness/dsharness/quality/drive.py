# SPDX-License-Identifier: GPL-2.0
"""Measures what dsbench quality shows."""

from __future__ import annotations

import argparse
import dataclasses
import enum
import re
from collections.abc import Callable, Sequence

from rich.table import Table

from .. import paths, ui
from ..ab import command as abcommand
from ..ab import drive as abrun
from ..ab import plan as ab
from ..ab.interleave import SideSamples
from ..compare.verdict import Word
from ..console import console
from ..gate import baseline
from ..gate import drive as gaterun
from ..gate import plan as gate
from ..gate.baseline import FAILURES
from ..gate.plan import GatePlan
from ..kernel import trees
from ..results import agreement, results
from ..results.results import Results
from ..sweep import otherprocesses
from ..sweep import drive as sweeper
from ..sweep import plan as sweep
from . import planted
from .plan import AB, CYCLES, INSTRUCTIONS, PLANTED, QualityPlan

INSTRUCTIONS_WORST = 0.001
CYCLES_TYPICAL, CYCLES_WORST = 0.02, 0.10
NO_CHANGE_SHARE = 0.99

TABLE_WIDTH = 110

Cells = re.Pattern[str] | None
"""Matches the names of the cells that a goal is about; None: all."""


class Outcome(enum.Enum):
    """What became of a target."""

    MET = "met"
    MISSED = "missed"
    INCONCLUSIVE = "inconclusive"


@dataclasses.dataclass(frozen=True)
class Goal:
    """One figure beside its target."""

    what: str
    target: str
    found: str
    outcome: Outcome
    reason: str = ""


def run(plan: QualityPlan) -> int:
    """Measure the goals of the plan. Show and keep the results, even if a later goal cannot be measured. Return the exit status."""
    measures: dict[str, Callable[[Cells], list[Goal]]] = {
        INSTRUCTIONS: instructions, CYCLES: cycles, AB: ab_null_test, PLANTED: slowdown,
    }  # fmt: skip
    goals: list[Goal] = []
    try:
        for goal in plan.goals:
            goals += measures[goal](plan.cells)
    finally:
        if goals:
            show(goals)
            path = results.new_path("quality", None)
            rows = [{**dataclasses.asdict(goal), "outcome": goal.outcome.value} for goal in goals]
            results.write_document({"goals": rows}, path)
            ui.say(f"results: {paths.short(path)}")
    return 0


def instructions(cells: Cells = None) -> list[Goal]:
    """Run two sweeps that count instructions, and return the goal of their worst cell."""
    found = agreement.of(*_sweeps("--target", "qemu", "--accel", "icount", "--sizes", "500", "4000", "--tries", "5"), wanted=cells)
    name, ratio = found.worst
    outcome = Outcome.MET if _away(ratio) <= INSTRUCTIONS_WORST else Outcome.MISSED
    what = f"two sweeps in instructions, {len(found.ratios)} cells: worst"
    return [Goal(what, f"{INSTRUCTIONS_WORST:.1%}", f"{_away(ratio):.3%} ({name})", outcome)]


def cycles(cells: Cells = None) -> list[Goal]:
    """Run two sweeps of the containers that count cycles, and return the goals of the typical and the worst change of a median."""
    watch = otherprocesses.Watch()
    sweeps = _sweeps("--target", "uml", "--no-datapath")
    found = agreement.of(*sweeps, wanted=cells)
    spoilt = _spoilt(watch.account(), max(one.disturbed_share for one in sweeps))
    name, ratio = found.worst
    what = f"two sweeps in cycles, {len(found.ratios)} cells"
    return [
        _in_cycles(f"{what}: typical", f"{CYCLES_TYPICAL:.0%}", f"{found.typical:.2%}", found.typical <= CYCLES_TYPICAL, spoilt),
        _in_cycles(
            f"{what}: worst", f"{CYCLES_WORST:.0%}", f"{_away(ratio):.1%} ({name})", _away(ratio) <= CYCLES_WORST, spoilt
        ),
    ]


def ab_null_test(cells: Cells = None) -> list[Goal]:
    """Compare the working tree with itself, and return the goal of the share of cells without a change."""
    parser = argparse.ArgumentParser()
    abcommand.add_parser(parser.add_subparsers())
    plan = ab.checked_plan(parser.parse_args(["ab", trees.WORKTREE, trees.WORKTREE, *(["--filter", cells.pattern] if cells else [])]))
    watch = otherprocesses.Watch()
    pair = abrun.contenders(plan)
    taken: dict[str, SideSamples] = {}
    abrun.measure(plan, pair, taken)
    left_out = abrun.spoilt(plan, taken)
    disturbed = [share for side in taken.values() for turn, share in side.disturbed.items() if turn not in left_out]
    spoilt = _spoilt(watch.account(), sum(disturbed) / max(1, len(disturbed)))
    words = [cell.word for cell in abrun.verdicts(plan, taken)]
    same, wrong = (sum(word in wanted for word in words) for wanted in ((Word.NO_CHANGE,), (Word.FASTER, Word.SLOWER)))
    found = f"{same} of {len(words)}" + (f", {wrong} wrong" if wrong else "")
    met = same >= NO_CHANGE_SHARE * len(words)
    return [_in_cycles("A/B with itself in cycles: no change", f"{NO_CHANGE_SHARE:.0%} of cells", found, met, spoilt)]


def slowdown(cells: Cells = None) -> list[Goal]:
    """Plant a slowdown, and return the goal that the gate names it and nothing else."""
    plan = gaterun.plan_of(GatePlan(None, None, 0.0, update=False, timeout=gate.TIMEOUT_SECONDS))
    before = gaterun.count_with_noise(plan, gaterun.target_of(plan, trees.working()))
    after = baseline.counted([gaterun.count(plan, gaterun.target_of(plan, planted.tree()))])
    changes = baseline.selected(baseline.judge(before, after, gate.THRESHOLD_PERCENT / 100), cells)
    failed = [change for change in changes if change.move in FAILURES]
    named = gaterun.by_container(failed) if failed else "nothing"
    wanted = f"{planted.CONTAINER} ({planted.OP})"
    most = max((change.ratio - 1 for change in failed), default=0.0)
    outcome = Outcome.MET if named == wanted else Outcome.MISSED
    return [Goal("a planted slowdown: what the gate names", wanted, f"{named}, {most:+.1%} at most", outcome)]


def show(goals: Sequence[Goal]) -> None:
    """Print the table, and the reasons of inconclusive goals."""
    table = Table("what", "target", "found", "")
    for goal in goals:
        table.add_row(goal.what, goal.target, goal.found, goal.outcome.value)
    console(TABLE_WIDTH).print(table)
    for goal in goals:
        if goal.reason:
            print(f"{goal.what}: {goal.outcome.value}, {goal.reason}")


def _in_cycles(what: str, target: str, found: str, met: bool, spoilt: str) -> Goal:
    """Return a goal that other load can spoil: a miss is inconclusive on a busy machine."""
    if met:
        return Goal(what, target, found, Outcome.MET)
    return Goal(what, target, found, Outcome.INCONCLUSIVE if spoilt else Outcome.MISSED, spoilt)


def _spoilt(account: otherprocesses.Account, disturbed_share: float) -> str:
    """Return the other load that affects cycles; "" if none is known."""
    reasons = [f"meanwhile {account}"] if account.busy else []
    if disturbed_share > results.NOTABLE_SHARE:
        reasons.append(f"{disturbed_share:.1%} of the tries shared their core with others, or were interrupted")
    return "; ".join(reasons)


def _sweeps(*options: str) -> tuple[Results, Results]:
    plan = sweep.plan_of(*options)
    first, second = (sweeper.sweep(plan)[1] for _ in range(2))
    return first, second


def _away(ratio: float) -> float:
    """Return the distance of a ratio from 1 in either direction."""
    return max(ratio, 1 / ratio) - 1
