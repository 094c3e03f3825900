# SPDX-License-Identifier: GPL-2.0
"""Runs dsbench rust."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import paths, targets, ui
from ..compare import picture as comparepicture
from ..compare.verdict import Rule
from ..errors import HarnessError
from ..plot.picture import render_all
from ..results import results
from ..results.datapath import RUST
from ..results.results import Results
from ..sweep import drive as sweeper
from ..sweep.plan import Plan
from . import helpers, judge, packetpicture, packets, packettable, picture, table, twins
from .plan import KERNEL, TARGET, RustPlan

HELPERS = "rust_helpers"
"""The context's entry with the calls of helpers."""
ABSENT = "not_built"
"""The context's entry with the containers, and the tunnel, that do not build for the kernel, each with the compiler's first error."""
NAME = "rust"
"""Of result files, in front of the target if that is not TARGET."""


def run(plan: RustPlan) -> int:
    """Run the containers, or read a result file, and show the comparison. Return the exit status."""
    path = plan.file
    if path:
        swept = results.read(path)
    else:
        name = NAME if plan.sweep.target == TARGET else f"{NAME}-{plan.sweep.target}"
        path = plan.sweep.output or results.new_path(name, None)
        swept = _run(dataclasses.replace(plan.sweep, output=path))
        results.point_latest(path, f"{name}-{results.LATEST}")
    rows = judge.rows(swept)
    if not rows:
        raise HarnessError(f"{path} has no container in Rust beside its twin in C: dsbench rust makes such files")
    by = judge.rule(swept)
    calls = swept.context.get(HELPERS, {})
    table.show(rows, swept, by, calls)
    of_tunnel = packets.rows(swept, by)
    if of_tunnel:
        print()
        packettable.show(of_tunnel, swept, by, calls)
    for container, error in swept.context.get(ABSENT, {}).items():
        ui.warn(f"{container} is absent, since its module does not build for this kernel: {error}")
    if RUST not in swept.context.get(ABSENT, {}) and (reason := swept.context.get("absent_devices", {}).get(RUST)):
        ui.warn(f"the tunnel is not compared: {reason}")
    if not plan.file:
        ui.say(f"results: {paths.short(path)} and {path.with_suffix('.csv').name}")
    with ui.step("drawing it"):
        drawn = _draw(rows, of_tunnel, swept, by, plan.pictures)
    for one in drawn:
        ui.say(f"picture: {paths.short(one)}")
    return 0


def _draw(rows: Sequence[judge.Row], of_tunnel: Sequence[packets.Row], swept: Results, by: Rule, folder: Path) -> list[Path]:
    """Draw the rows that have a ratio, as SVG and PNG into `folder`. Return the paths; none if no row has one."""
    made = []
    if resolved := [row for row in rows if math.isfinite(row.found.ratio)]:
        made.append(picture.picture(resolved, swept, by))
    if resolved_packets := [row for row in of_tunnel if math.isfinite(row.found.ratio)]:
        made.append(packetpicture.picture(resolved_packets, swept, by))
    if not made:
        return []
    paths.make_folder(folder, "plots")
    return render_all(made, folder, comparepicture.FORMATS)


def _run(plan: Plan) -> Results:
    """Run the sweep and count the helpers. Return the results, as the file has them."""
    target = targets.get(plan.target, KERNEL, plan.accel)
    absent = {name: error for name, error in target.build.absent.items() if name in (*plan.containers, *(plan.datapath.devices if plan.datapath else ()))}
    path, swept = sweeper.sweep(_only(plan, [name for name in plan.containers if name not in absent]))
    told: dict[str, Any] = {ABSENT: absent} if absent else {}
    if plan.target == TARGET:
        # explain counts calls, under icount.
        told[HELPERS] = _calls(plan, swept)
    finished = Results({**swept.context, **told}, swept.cells)
    results.write(finished, path)
    return finished


def _calls(plan: Plan, swept: Results) -> helpers.Calls:
    """Return the calls of helpers; none, with a warning, if they cannot be counted."""
    rust = [name for name in swept.containers if twins.is_rust(name)]
    ops = [op for op in plan.ops if op in swept.ops]
    settings = [one for one in plan.settings if not one.startswith(("containers=", "ops="))]
    try:
        return helpers.count(rust, ops, [RUST] if RUST in swept.context.get("devices", ()) else [], settings, KERNEL, plan.timeout)
    except HarnessError as error:
        ui.warn(f"the calls of helpers are not counted: {error}")
        return {}


def _only(plan: Plan, containers: list[str]) -> Plan:
    """Return the plan with these containers. HarnessError if none of them is in Rust."""
    if not any(map(twins.is_rust, containers)):
        raise HarnessError(f"no container in Rust builds for this kernel: harness/dsbench build --target {plan.target} --kernel {KERNEL} shows why")
    settings = [one for one in plan.settings if not one.startswith("containers=")]
    return dataclasses.replace(plan, containers=tuple(containers), settings=(f"containers={','.join(containers)}", *settings))
