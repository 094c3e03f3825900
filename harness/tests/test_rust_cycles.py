# SPDX-License-Identifier: GPL-2.0
"""dsbench rust --target uml: the comparison in cycles, on UML's kernel with Rust, where the cache has it."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import rustguests
from dsharness.compare.verdict import Word
from dsharness.kernel import kernels
from dsharness.results import results
from dsharness.rust import command, drive, judge, packets, plan

pytestmark = pytest.mark.rust

WORDS = (
    "--target", "uml", "--container", "list", "hashtable", "--sizes", "200", "--tries", "20",
    "--datapath", "--payloads", "1400", "--burst", "8",
)  # fmt: skip


def test_cells_in_c_and_in_rust_are_timed_in_cycles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rustguests.need_uml(kernels.RUST)
    top = argparse.ArgumentParser()
    command.add_parser(top.add_subparsers())
    file = tmp_path / "cycles.json"
    chosen = top.parse_args(["rust", *WORDS, "--output", str(file), "--pictures", str(tmp_path)])

    assert drive.run(plan.checked_plan(chosen)) == 0

    swept = results.read(file)
    assert (swept.context["target"], swept.unit, swept.context["complete"]) == ("uml", results.TSC, True)
    assert drive.ABSENT not in swept.context and drive.HELPERS not in swept.context
    rows = judge.rows(swept)
    sides = {(row.rust, row.against) for row in rows}
    assert sides >= {(f"rust_{name}", other) for name in ("list", "hashtable") for other in (name, f"{name}_owned")}
    assert all(row.found.reason for row in rows if row.found.word is Word.INCONCLUSIVE)
    assert {row.op for row in packets.rows(swept, judge.rule(swept))} == {"tx", "rx", "path"}
    assert f"TSC cycles per element or lookup, kernel {swept.context['kernel']} in uml" in capsys.readouterr().out
    assert (tmp_path / "rust-uml.png").exists() and (tmp_path / "rust-tunnel-uml.png").exists()
