# SPDX-License-Identifier: GPL-2.0
"""Sweeps twice in a row and compares the medians: the noise that a comparison on this machine must exceed."""

from __future__ import annotations

from .. import paths, ui
from ..compare import comparison
from ..compare import table as comparetable
from ..results import agreement, results, table
from ..sweep import drive as sweeper
from ..sweep.plan import Plan

MEANING = """\
Same build, same machine: all of this is noise, and one pair of sweeps shows no smaller change. If the minima agree and the medians do
not, the machine was busy: repeat the command when it is idle, or count instructions, which repeat: --target qemu --accel icount"""


def run(plan: Plan) -> int:
    """Run two sweeps, print a table of their ratios and its meaning. Timings never fail the command. Return the exit status."""
    first_path, first = sweeper.sweep(plan)
    second_path, second = sweeper.sweep(plan)
    found = agreement.of(first, second, wanted=plan.wanted)
    table.show_ratios(first, found)
    print(f"typical change of a median: {found.typical:.2%} (geometric mean over {len(found.ratios)} cells)")
    print(f"worst cell: {found.worst[0]}, second sweep / first = {found.worst[1]:.4f}")
    if found.unresolved:
        print(f"below the clock's resolution, left out: {', '.join(found.unresolved)}")
    print(f"typical change of a minimum: {agreement.of(first, second, 'min', plan.wanted).typical:.2%}")
    verdicts = comparison.compare(comparison.Sweep(first_path, first), comparison.Sweep(second_path, second), wanted=plan.wanted)
    for line in comparetable.summary(verdicts):
        print(line)
    print(MEANING)
    path = results.new_path("repeat", first.label)
    files = {"first": first_path.name, "second": second_path.name}
    counts = {"verdicts": {word.value: count for word, count in verdicts.counts.items()}}
    results.write_document({**files, "target": first.label, "unit": first.unit, **found.as_json(), **counts}, path)
    ui.say(f"results: {paths.short(path)}, of {first_path.name} and {second_path.name}")
    return 0
