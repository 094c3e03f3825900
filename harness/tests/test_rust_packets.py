# SPDX-License-Identifier: GPL-2.0
"""The tunnel's part of the comparison with Rust, without a guest: overheads, ratios, verdicts, table and picture."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_results import make

from dsharness.compare import picture as comparepicture
from dsharness.plot.picture import render_all
from dsharness.results.results import Results
from dsharness.results.samples import CONTAINER_OPS, DATAPATH_OPS, Cell
from dsharness.rust import helpers, judge, packetpicture, packets, packettable

LINK, C, RUST = 1000, 1500, {1: 1500, 8: 1540, 64: 1600, 0: 1450}
"""Instructions of a packet over the link, over udptun, and over udptun_rust by burst."""


def swept() -> Results:
    """Counts of packets that repeat exactly, as under icount; of one that scatters: path of 64 octets in bursts of 8."""
    context = {**make(sizes=[10], tries=2).context, "unit": "instructions", "target": "qemu", "accel": "icount"}
    context |= {"devices": ["veth", "udptun", "udptun_rust"], "device_options": {"udptun": "nocsum"}, "payloads": [64, 64400], "bursts": [1, 8, 64]}
    cells = []
    for op in DATAPATH_OPS:
        for octets, bursts in ((64, (0, 1, 8, 64)), (64400, (0,))):
            for burst in bursts:
                for device, count in (("veth", LINK), ("udptun", C), ("udptun_rust", RUST[burst])):
                    cell = Cell(device, op, octets, 32, burst=burst)
                    for number in range(10):
                        stray = number if (op, burst) == ("path", 8) else 0
                        cell.add((count + stray) * 32, 0)
                    cells.append(cell)
    return Results({**context, "cells": [cell.name for cell in cells]}, cells)


def rows() -> list[packets.Row]:
    what = swept()
    return packets.rows(what, judge.rule(what))


def test_a_ratio_is_of_what_the_drivers_add_to_the_link() -> None:
    found = {(row.op, row.octets, row.burst): row for row in rows()}
    assert set(found) == {(op, octets, burst) for op in DATAPATH_OPS for octets, burst in ((64, 1), (64, 8), (64, 64), (64400, 0))}
    tx = found["tx", 64, 64]
    assert (tx.link, tx.found.before, tx.found.after, tx.found.ratio, tx.found.word.value) == (1000, 500, 600, 1.2, "slower")
    assert found["tx", 64, 1].found.word.value == "no change"
    assert found["tx", 64400, 0].found.word.value == "faster"
    scattered = found["path", 64, 8].found
    assert scattered.low < scattered.ratio < scattered.high


def test_the_goal_is_a_ratio() -> None:
    assert {row.burst: row.meets_goal for row in rows() if row.op == "tx"} == {1: True, 8: True, 64: False, 0: True}
    assert packets.means(rows())["tx"] == pytest.approx((1.0 * 1.08 * 1.2 * 0.9) ** 0.25)


def test_without_the_driver_in_rust_there_are_no_rows() -> None:
    what = swept()
    less = Results(what.context, [cell for cell in what.cells if cell.container != "udptun_rust"])
    assert packets.rows(less, judge.rule(less)) == []


def test_table_has_counts_overheads_and_the_goal(capsys: pytest.CaptureFixture[str]) -> None:
    what = swept()
    packettable.show(rows(), what, judge.rule(what), {"udptun_rust/tx": {"skb_put": 1.0, "dsbench_net_send4": 1.0}, "rust_list/fill": {"kfree": 1.0}})
    said = capsys.readouterr().out
    (line,) = [line for line in said.splitlines() if line.startswith("│ tx") and "│    64 │" in line]
    assert [word.strip() for word in line.split("│")[1:-1]] == [
        "tx", "64 B", "64", "1,000", "1,500", "1,600", "500.00", "600.00", "1.200 [1.200, 1.200]", "<0.0001", "slower",
    ]  # fmt: skip
    assert "met in 9 of 12 rows; the largest ratio is 1.200, tx of 64 B, burst 64" in said
    assert "udptun_rust/tx calls rust_helper_skb_put 1.00 times, dsbench_net_send4 1.00 times" in said
    assert "rust_list" not in said


def test_helpers_of_packets_are_apart() -> None:
    calls = {"rust_list/fill": {"kfree": 1.0}, "udptun_rust/path": {}}
    assert [list(helpers.of_ops(calls, ops)) for ops in (CONTAINER_OPS, DATAPATH_OPS)] == [["rust_list/fill"], ["udptun_rust/path"]]


def test_picture_has_the_ratio_one_and_each_burst(tmp_path: Path) -> None:
    what = swept()
    drawn = packetpicture.picture(rows(), what, judge.rule(what))
    assert [panel.title for panel in drawn.panels] == list(DATAPATH_OPS)
    for panel in drawn.panels:
        assert panel.low < 0.9 and panel.high > 1.2
        assert [name for name, _ in panel.axis.ticks] == ["64 × 1", "64 × 8", "64 × 64", "64400 GSO"]
    pictures = render_all([drawn], tmp_path, comparepicture.FORMATS)
    assert {path.name for path in pictures} == {"rust-tunnel.svg", "rust-tunnel.png"}
    assert all(path.stat().st_size > 5_000 for path in pictures)
