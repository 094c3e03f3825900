# SPDX-License-Identifier: GPL-2.0
"""Our figures beside those of the kernel's own tests, in real guests. Those of QEMU count instructions: bounds hold on any machine."""

from __future__ import annotations

import pytest

from dsharness.crosscheck import drive as crosschecker
from dsharness.crosscheck.checks import Verdict


@pytest.mark.parametrize("kernel", ["6.12", pytest.param("6.1", marks=pytest.mark.matrix)])
def test_instruction_counts_agree(kernel: str) -> None:
    report = crosschecker.crosscheck("qemu", kernel, "icount", 1000)
    assert report.context["unit"] == "instructions"
    assert report.context["tests"].startswith(f"linux-source-{kernel} {kernel}.")
    for check in report.checks:
        assert check.verdict is (Verdict.SHOWN if check.bound is None else Verdict.HOLDS), check
    assert not report.failed


def test_a_kernel_without_get_cycles_is_reported() -> None:
    report = crosschecker.crosscheck("uml", None, None, 1000)
    rbtree, clock = (next(check for check in report.checks if check.name.startswith(name)) for name in ("rbtree", "clock"))
    assert (rbtree.verdict, rbtree.note) == (
        Verdict.ABSENT, "rbtree_test reads get_cycles(), which does not count on this kernel"
    )  # fmt: skip
    assert clock.theirs and clock.ours and clock.verdict is not Verdict.ABSENT
    assert not [check.name for check in report.checks if check.verdict is Verdict.ABSENT and check.bound is not None]
