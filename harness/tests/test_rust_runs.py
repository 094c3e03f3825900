# SPDX-License-Identifier: GPL-2.0
"""Runs of dsbench rust: in instructions, on the stock kernel, and in cycles, on UML's kernel with Rust where the cache has it."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import rustguests
from dsharness.compare.verdict import Word
from dsharness.kernel import kernels
from dsharness.results import results
from dsharness.results.results import Results
from dsharness.rust import command, drive, judge, packets, plan

pytestmark = pytest.mark.rust

IN_CYCLES = (
    "--target", "uml", "--container", "list", "hashtable", "--sizes", "200", "--tries", "20",
    "--datapath", "--payloads", "1400", "--burst", "8",
)  # fmt: skip
OF_PACKETS = ("--container", "list", "--op", "fill", "--sizes", "200", "--tries", "3", "--datapath")
EACH_PACKET = 3 * (3 * 3 + 1)
"""Number of rows: operations, each with three payloads in three bursts, and a GSO packet."""


def compared(folder: Path, *words: str) -> Results:
    """Run dsbench rust. Return its result file, with the pictures beside it."""
    top = argparse.ArgumentParser()
    command.add_parser(top.add_subparsers())
    file = folder / "rust.json"
    assert drive.run(plan.checked_plan(top.parse_args(["rust", *words, "--output", str(file), "--pictures", str(folder)]))) == 0
    return results.read(file)


def test_a_packet_in_rust_adds_at_most_what_the_goal_allows(tmp_path: Path) -> None:
    """To the bare link, by counts, for each payload and burst: what the head of the README says of the tunnel in Rust."""
    rustguests.need_root()
    swept = compared(tmp_path, *OF_PACKETS)
    rows = packets.rows(swept, judge.rule(swept))
    assert len(rows) == EACH_PACKET
    assert {(row.op, row.octets, row.burst): row.found.ratio for row in rows if not row.meets_goal} == {}


def test_cells_in_c_and_in_rust_are_timed_in_cycles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rustguests.need_uml(kernels.RUST)
    swept = compared(tmp_path, *IN_CYCLES)
    assert (swept.context["target"], swept.unit, swept.context["complete"]) == ("uml", results.TSC, True)
    assert drive.ABSENT not in swept.context and drive.HELPERS not in swept.context
    rows = judge.rows(swept)
    sides = {(row.rust, row.against) for row in rows}
    assert sides >= {(f"rust_{name}", other) for name in ("list", "hashtable") for other in (name, f"{name}_owned")}
    assert all(row.found.reason for row in rows if row.found.word is Word.INCONCLUSIVE)
    assert {row.op for row in packets.rows(swept, judge.rule(swept))} == {"tx", "rx", "path"}
    assert f"TSC cycles per element or lookup, kernel {swept.context['kernel']} in uml" in capsys.readouterr().out
    assert (tmp_path / "rust-uml.png").exists() and (tmp_path / "rust-tunnel-uml.png").exists()
