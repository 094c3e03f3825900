# SPDX-License-Identifier: GPL-2.0
"""Runs an A/B comparison: builds both sides, runs their loads alternately, keeps the loads that finished."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import paths, signals, targets, ui
from ..compare import comparison, likeness, verdict
from ..compare import drive as comparedrive
from ..compare import picture as comparepicture
from ..compare import table as comparetable
from ..compare.comparison import Comparisons, Sweep
from ..compare.verdict import Comparison, Rule, Word
from ..errors import HarnessError, UsageError
from ..explain import slower
from ..explain.place import Place
from ..kernel import trees
from ..kernel.own import OwnKernel
from ..kernel.trees import Tree
from ..results import results
from ..results.results import Results
from ..results.samples import TSC, Report
from ..sweep import otherprocesses
from ..sweep.plan import Plan
from ..sweep.drive import WARMUP_ICOUNT_MS, initial_results, report_context
from ..targets import atonce
from ..targets.base import GUEST_MEMORY_MIB
from . import interleave
from .interleave import Load, Side, SideSamples, Turn
from .plan import AbPlan

NAMES = ("a", "b")

TRIES = 20
TRIES_ICOUNT = 3
WARMUP_MS = 50
MEMORY_STEP_MIB, MEMORIES = 32, 16
"""Guests that count have memory of different sizes, in turn. The allocator's state depends on it, and two like guests count the same."""
FIRST_WARMUP_MS = 1000
"""Warm-up of a guest's first load, in ms: the first second of a guest is up to 60 % slow."""


@dataclasses.dataclass(frozen=True)
class Contender:
    """A side and the target that it runs in."""

    label: str
    """What the user calls it."""
    tree: Tree
    target: targets.Target
    side: Side

    @property
    def described(self) -> str:
        """Both for people."""
        where = f"{self.tree.name} ({self.tree.revision})"
        if self.target.kernel.facts:
            return f"{self.label} ({self.target.kernel.called})"
        return where if self.label == self.tree.name else f"{where} on {self.label}"


def contenders(plan: AbPlan) -> tuple[Contender, Contender]:
    """Return both sides, built. UsageError if they have no container in common."""
    first, second = (_of_kernels if plan.kernels else _of_revisions)(plan)
    for one, other in ((first, second), (second, first)):
        if missing := sorted(set(one.side.containers) - set(other.side.containers)):
            ui.warn(f"only {one.label} has {', '.join(missing)}: not compared")
    if not set(first.side.containers) & set(second.side.containers):
        raise UsageError(f"{first.label} and {second.label} have no container in common that --container allows")
    if lacking := [f"{one.label} has no {' and no '.join(one.side.lacking)}" for one in (first, second) if one.side.lacking]:
        ui.warn(f"{', '.join(lacking)}: the datapath is not compared")
        return _without_datapath(first), _without_datapath(second)
    return first, second


def _without_datapath(contender: Contender) -> Contender:
    return dataclasses.replace(contender, side=dataclasses.replace(contender.side, devices=()))


def _of_revisions(plan: AbPlan) -> tuple[Contender, Contender]:
    assert plan.revisions
    where = plan.sweep
    made = []
    for name, revision in zip(NAMES, plan.revisions):
        tree = trees.find(revision)
        target = targets.get(where.target, where.kernel, where.accel, network=where.datapath is not None, peers=where.peers, tree=tree)
        made.append(Contender(revision, tree, target, _side(name, tree, target, where)))
    return made[0], made[1]


def _of_kernels(plan: AbPlan) -> tuple[Contender, Contender]:
    assert plan.kernels
    where, tree = plan.sweep, trees.working()
    made = []
    for name, kernel in zip(NAMES, plan.kernels):
        target = targets.get(where.target, kernel, where.accel, network=where.datapath is not None, peers=where.peers, tree=tree)
        label = kernel.label if isinstance(kernel, OwnKernel) else target.kernel.release
        made.append(Contender(label, tree, target, _side(name, tree, target, where)))
    return made[0], made[1]


def _side(name: str, tree: Tree, target: targets.Target, plan: Plan) -> Side:
    """Return a side with the containers that were asked for and built, and its devices. A kernel may lack a container."""
    built = [container for container in tree.containers if (target.build.ko_dir / f"dsbench_{container}.ko").exists()]
    containers = tuple(container for container in built if container in plan.containers)
    return Side(name, target.build, containers, plan.datapath.devices if plan.datapath else ())


def measure(plan: AbPlan, pair: Sequence[Contender], taken: dict[str, SideSamples]) -> None:
    """Take all samples; `taken` grows with each load. Disturbed turns are retried in guests of their own."""
    sides, seed = [contender.side for contender in pair], _seed(plan.sweep)
    place = results.label(pair[0].target.name, pair[0].target.accel)
    what = f"{pair[0].label} and {pair[1].label} in turns in {place}"
    _take(plan, pair, interleave.order(sides, plan.sweep.sizes, plan.rounds, seed), what, taken)
    if retried := interleave.retry_loads(sides, spoilt(plan, taken), plan.rounds, seed):
        try:
            _take(plan, pair, retried, f"retrying disturbed loads in {place}", taken)
        except HarnessError as error:
            ui.warn(f"disturbed loads could not be retried: {error}")


def spoilt(plan: AbPlan, taken: dict[str, SideSamples]) -> set[Turn]:
    """Return the disturbed turns; none where instructions are counted."""
    return set() if _rule(plan, taken).exact else interleave.spoilt(taken, plan.rounds)


def _take(plan: AbPlan, pair: Sequence[Contender], loads: Sequence[Load], what: str, taken: dict[str, SideSamples]) -> None:
    """Run the loads. Two revisions share a guest; two kernels boot alternately, or side by side where instructions are counted."""
    datapath = plan.sweep.datapath if any(load.n is None for load in loads) else None
    guests = _guests(plan, pair, loads)
    together = min(len(pair), atonce.most()) if plan.kernels and all(target.accel == "icount" for target, _ in guests) else 1
    with ui.Progress(what, len(loads), "runs") as progress:

        def boot(target: targets.Target, share: Sequence[Load]) -> None:
            if target.accel == "icount" and plan.kernels:
                target.memory_mib = GUEST_MEMORY_MIB + MEMORY_STEP_MIB * (share[0].round % MEMORIES)
            settings = functools.partial(_settings, plan, target.accel == "icount", share[0])
            interleave.run(target, share, settings, progress, plan.sweep.timeout, taken, datapath)

        for place in range(0, len(guests), together):
            # Both sides of a round: no target runs two guests at once.
            atonce.run([functools.partial(boot, *guest) for guest in guests[place : place + together]])


def _settings(plan: AbPlan, icount: bool, first: Load, load: Load) -> list[str]:
    """Return the core's parameters for a load. `first` is that of its guest."""
    warmup = _warmup(icount, load is first, load.n is None)
    common = [
        f"tries={plan.sweep.tries or (TRIES_ICOUNT if icount else TRIES)}",
        f"warmup={warmup if plan.sweep.warmup is None else plan.sweep.warmup}",
    ]
    if load.n is None:
        return [*common, *(plan.sweep.datapath.settings if plan.sweep.datapath else ())]
    return [
        f"n={load.n}",
        *common,
        *(setting for setting in plan.sweep.settings if not setting.startswith("containers=")),
        f"containers={','.join(load.side.containers)}",
    ]


def _warmup(icount: bool, first: bool, packets: bool) -> int:
    """Return the default warm-up of a load, in ms. Counts repeat without one, except those of packets, whose path has caches of its own."""
    if icount:
        return WARMUP_ICOUNT_MS if packets else 0
    return FIRST_WARMUP_MS if first else WARMUP_MS


def _guests(
    plan: AbPlan, pair: Sequence[Contender], loads: Sequence[Load]
) -> list[tuple[targets.Target, Sequence[Load]]]:
    """Return the guests to boot, in order, each with its loads."""
    if not plan.kernels:
        return [(pair[0].target, loads)]
    target_of = {contender.side: contender.target for contender in pair}
    boots = dict.fromkeys((load.round, load.side) for load in loads)
    return [
        (target_of[side], [load for load in loads if (load.round, load.side) == (number, side)])
        for number, side in boots
    ]


def _seed(plan: Plan) -> int:
    return next((int(setting[5:]) for setting in plan.settings if setting.startswith("seed=")), 1)


def compare(plan: AbPlan) -> int:
    """Measure both sides, show the changes, keep the results. Return the exit status: no verdict fails unless --fail-on names it."""
    pair = contenders(plan)
    place = results.label(pair[0].target.name, pair[0].target.accel)
    path = plan.output or results.new_path(f"ab-{place}", None)
    results.check_room(path, 2 * plan.rounds * plan.sweep.cells * (plan.sweep.tries or TRIES))
    watch = otherprocesses.Watch()
    taken: dict[str, SideSamples] = {}
    complete = False
    try:
        measure(plan, pair, taken)
        complete = True
    finally:
        with signals.delayed():
            sides = _keep(plan, pair, taken, path, complete)
    _say_absent(pair, taken)
    found = judged(plan, sides, taken)
    print("; ".join(f"{letter} is {contender.described}" for letter, contender in zip("AB", pair)))
    comparetable.show(found)
    causes = comparedrive.tell(found, plan.explain or plan.has_revisions, _places(plan))
    left_out = spoilt(plan, taken)
    if left_out:
        turns = {turn for side in taken.values() for turn in side.disturbed}
        more = sum(turn.round >= plan.rounds for turn in turns)
        print(f"left out: {len(left_out)} of {len(turns)} pairs of loads, which shared their core with others; {more} were retried")
    account = watch.account()
    if found.counts[Word.INCONCLUSIVE] and found.before.results.unit == TSC and account.busy:
        print(f"meanwhile {account}: repeat it on an idle machine, with more --rounds, or count instructions")
    content = {**comparison.document([found]), "rounds": plan.rounds, "turns_left_out": len(left_out), "bystanders": dataclasses.asdict(account)}
    slower.add_to(content, [causes])
    results.write_document(content, path)
    ui.say(f"comparison: {paths.short(path)}, of {' and '.join(side.path.name for side in sides)}")
    for drawn in comparepicture.draw(found, paths.PLOTS, "ab"):
        ui.say(f"picture: {paths.short(drawn)}")
    return comparedrive.status([found], plan.fail_on)


def _places(plan: AbPlan) -> tuple[Place, Place] | None:
    """Return the kernels that were compared, since the results alone do not tell one of the user's."""
    return (Place(plan.kernels[0]), Place(plan.kernels[1])) if plan.kernels else None


def _say_absent(pair: Sequence[Contender], taken: dict[str, SideSamples]) -> None:
    """Name the devices that a side could not set up."""
    lacking: dict[tuple[str, str], list[str]] = {}
    for contender in pair:
        for kind, reason in taken[contender.side.name].devices.get("absent_devices", {}).items():
            lacking.setdefault((kind, reason), []).append(contender.label)
    for (kind, reason), labels in lacking.items():
        ui.warn(f"{kind} is absent in {' and '.join(dict.fromkeys(labels))}, not compared: {reason}")


def judged(plan: AbPlan, sides: Sequence[Sweep], taken: dict[str, SideSamples]) -> Comparisons:
    """Return the verdicts. A busy machine raises no doubt, since both sides alternate."""
    before, after = sides
    one, other = ([cell for cell in taken[name].names if not plan.sweep.wanted or plan.sweep.wanted.search(cell)] for name in NAMES)
    return Comparisons(
        before=before,
        after=after,
        rule=_rule(plan, taken),
        cells=verdicts(plan, taken),
        differences=likeness.differences(before.results, after.results),
        only_before=[name for name in one if name not in other],
        only_after=[name for name in other if name not in one],
        in_turns=True,
    )


def verdicts(plan: AbPlan, taken: dict[str, SideSamples]) -> list[Comparison]:
    """Return a comparison of each cell that both sides have."""
    rule = _rule(plan, taken)
    blocks = interleave.blocks(taken, without=spoilt(plan, taken))
    one, other = (
        {cell: blocks[name][cell] for cell in taken[name].names if not plan.sweep.wanted or plan.sweep.wanted.search(cell)} for name in NAMES
    )
    if rule.exact:
        one, other = _cheapest(one), _cheapest(other)
    return verdict.compare(one, other, rule, in_turns=not (rule.exact and plan.kernels))


def _cheapest(blocks: dict[str, list[list[float]]]) -> dict[str, list[list[float]]]:
    """Return the cheapest try of each load, as the gate does, where instructions are counted: in other tries the allocator fetches pages."""
    return {name: [[min(block)] for block in loads] for name, loads in blocks.items()}


def _rule(plan: AbPlan, taken: dict[str, SideSamples]) -> Rule:
    report = taken[NAMES[0]].report
    assert report
    wanted = {name: value for name, value in (("threshold", plan.threshold), ("alpha", plan.alpha)) if value is not None}
    return dataclasses.replace(Rule.of(report.unit), **wanted)


def _keep(
    plan: AbPlan, pair: Sequence[Contender], taken: dict[str, SideSamples], path: Path, complete: bool
) -> list[Sweep]:
    """Write the samples that each side has so far as the results of a sweep, the tries of its loads in order."""
    kept = []
    for contender in pair:
        side = taken.get(contender.side.name)
        if not side or not side.report:
            continue
        made = _results(plan, contender, side, side.report, complete)
        file = path.with_name(f"{path.stem}-{contender.side.name}.json")
        results.write(made, file)
        kept.append(Sweep(file, made))
    if kept and not complete:
        ui.warn(f"the comparison is incomplete: what was measured is kept in {' and '.join(str(one.path) for one in kept)}")
    return kept


def _results(plan: AbPlan, contender: Contender, side: SideSamples, report: Report, complete: bool) -> Results:
    context: dict[str, Any] = {
        **report_context(report),
        **initial_results(contender.target).context,
        "git_revision": contender.tree.revision.removesuffix("-dirty"),
        "git_dirty": contender.tree.dirty,
        "side": contender.label,
        "n": list(plan.sweep.sizes),
        "rounds": plan.rounds,
        **side.devices,
        "cells": side.names,
        "complete": complete,
    }
    return Results(context, [side.cells[name] for name in side.names])
