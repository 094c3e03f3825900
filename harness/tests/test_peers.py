# SPDX-License-Identifier: GPL-2.0
"""dsbench peers: its options, its rows in result files, its table and its picture."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from made_results import make

from dsharness import cli
from dsharness.errors import UsageError
from dsharness.explain.place import explainable
from dsharness.peers import drive, plan, table
from dsharness.plot import figures
from dsharness.results import results
from dsharness.results.datapath import Topology
from dsharness.results.results import Results
from dsharness.results.samples import Cell, parse_report
from dsharness.sweep.stream import StageResult
from schemas import complaints
from test_samples import BURST_REPORT

DEVICES = ("veth", "udptun", "geneve")


def checked(*words: str) -> plan.PeersPlan:
    return plan.checked_plan(cli.parser().parse_args(["peers", *words]))


def measured() -> Results:
    """A sweep over 1, 100 and 10,000 tunnels, whose geneve grows with their number."""
    sweep = make(sizes=[500], devices=DEVICES, payloads=[1400], bursts=[1], device_options={"geneve": "noudpcsum"}, hash=1, sink_gro=1, protocol="udp")
    cells = []
    for number in (1, 100, 10_000):
        for cell in sweep.in_bursts.cells:
            factor = number if cell.container == "geneve" else 1
            more = Cell(cell.container, cell.op, cell.n, cell.elements, burst=1, peers=number)
            for count in cell.counts:
                more.add(count * factor, 0)
            cells.append(more)
    return Results({**sweep.context, "peers": [1, 100, 10_000], "cells": [cell.name for cell in cells]}, cells)


def test_the_usual_plan() -> None:
    made = checked()
    assert made.numbers == (1, 100, 10_000)
    assert "wireguard" not in made.kinds and made.kinds[:2] == ("veth", "udptun")
    assert list(made.stages)[0] == "veth:1" and made.stages["udptun:10000"] == ("udptun", 10_000)
    assert made.sweep.guest.memory_mib and made.sweep.guest.memory_mib > 1500, "two devices a tunnel"
    assert checked("--memory", "2G").sweep.guest.memory_mib == 2048
    assert checked("--peers", "100,2", "2", "--device", "fou").stages == {
        f"{kind}:{number}": (kind, number) for number in (2, 100) for kind in ("veth", "fou")
    }


def test_each_tunnel_has_had_packets_before_the_first_try() -> None:
    assert [plan.warmup(number, icount=True) for number in (1, 100, 10_000)] == [5, 20, 2000]
    assert [plan.warmup(number, icount=False) for number in (1, 100, 10_000)] == [100, 100, 2000]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--peers", "0"), "--peers is '0': allowed are whole numbers from 1 to 65536"),
        (("--peers", ""), "--peers names 0 numbers: allowed are 1 to 16 of them"),
        (("--device", "wireguard"), "--device is 'wireguard': allowed are veth, udptun"),
        (("--target", "host"), "--target is 'host': allowed are uml and qemu"),
        (("--payload", "0"), "--payloads is '0'"),
        (("--tries", "0"), "--tries is '0'"),
    ],
)
def test_bad_options_are_one_sentence(words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UsageError, match=f"^{sentence}"):
        checked(*words)


def test_rows_name_the_number_of_tunnels(tmp_path: Path) -> None:
    path = tmp_path / "peers.json"
    before = measured()
    results.write(before, path)
    assert complaints(path) == []
    after = results.read(path)
    assert after.cells == before.cells
    assert after.over_peers.peers == [1, 100, 10_000]
    assert not after.part("packet").cells
    rows = [row for row in json.loads(path.read_text())["benchmarks"] if row["name"] == "udptun/rx/1400/burst:1/peers:100"]
    assert {(row["burst"], row["peers"]) for row in rows} == {(1, 100)}
    (median,) = (row for row in json.loads(path.read_text())["benchmarks"] if row["name"] == "geneve/tx/1400/burst:1/peers:100_median")
    assert median["x_floor"] > 50, "the floor is the link with as many peers"
    with path.with_suffix(".csv").open() as file:
        assert {row["peers"] for row in csv.DictReader(file)} == {"1", "100", "10000"}
    assert explainable([cell.name for cell in after.cells]) == []


def test_the_table_shows_how_costs_grow(capsys: pytest.CaptureFixture[str]) -> None:
    table.show(measured())
    words = [line.replace("│", " ").split() for line in capsys.readouterr().out.splitlines()]
    assert [line[-1] for line in words if line[:2] == ["path", "udptun"]] == ["1.00"]
    assert [line[-1] for line in words if line[:2] == ["path", "geneve"]] == ["10000.00"]


def test_the_picture_has_a_line_for_each_device(tmp_path: Path) -> None:
    assert {path.name for path in figures.draw(measured(), tmp_path)} == {"peers.svg", "peers.png"}
    picture = figures.over_peers(measured())
    assert [panel.title for panel in picture.panels] == ["tx", "rx", "path"]
    assert [point.x for point in picture.panels[2].series["udptun"]] == [1, 100, 10_000]


def test_stages_add_up() -> None:
    report = parse_report(BURST_REPORT)
    found = Results({"warnings": [], "peers": []}, [])
    for number, absent in ((1, {}), (100, {"fou": "this kernel has no fou"})):
        cells = [Cell("udptun", "tx", 1400, 32), Cell("udptun", "tx", 1400, 32, burst=1)]
        drive._add(found, number, StageResult(f"udptun:{number}", report, cells, Topology(("udptun",), absent, {"udptun": "nocsum"})))
    assert [cell.name for cell in found.cells] == ["udptun/tx/1400/burst:1/peers:1", "udptun/tx/1400/burst:1/peers:100"]
    context = found.context
    assert (context["peers"], context["devices"], context["absent_devices"]) == ([1, 100], ["udptun"], {"fou": "this kernel has no fou"})
    assert (context["cells"], context["unit"]) == ([cell.name for cell in found.cells], "tsc")
