# SPDX-License-Identifier: GPL-2.0
"""Runs dsbench explain."""

from __future__ import annotations

from .. import ui
from . import guest, table
from .plan import ExplainPlan


def run(plan: ExplainPlan) -> int:
    """Explain the cells, and show a table for each. Return the exit status."""
    outcome = guest.run(plan, plan.kernel)
    for profile in outcome.profiles:
        table.show(profile, outcome.release)
        print()
    print(table.INLINED)
    for reason in outcome.absent:
        ui.say(f"left out: {reason}")
    return 0
