# SPDX-License-Identifier: GPL-2.0
"""dsbench headline: the table of overheads in README.md, from a result file."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest
from made_results import make

from dsharness import cli
from dsharness.errors import HarnessError
from dsharness.headline import drive, overhead
from dsharness.results import results
from dsharness.results.results import Results

COSTS = {"veth": 1000, "udptun": 1500, "vxlan": 3000, "geneve": 2000, "wireguard": 1200}


def exact(**costs: int) -> Results:
    """A sweep whose every packet has its device's cost."""
    sweep = make(
        sizes=[500], tries=20, devices=list(COSTS), payloads=[1400], bursts=[1, 8, 64], unit="instructions", target="qemu", accel="icount",
        device_options={"vxlan": "id 1 noudpcsum"}, hash=1, sink_gro=1, protocol="tcp",
    )  # fmt: skip
    sweep.context.update({"devices": list(COSTS), "payloads": [1400]})
    for cell in sweep.cells:
        each = {**COSTS, **costs}.get(cell.container)
        if each:
            cell.counts = array("q", [each * cell.elements] * len(cell.counts))
    return sweep


def printed(sweep: Results, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    path = folder / "sweep.json"
    results.write(sweep, path)
    assert drive.run(cli.parser().parse_args(["headline", str(path)])) == 0
    return capsys.readouterr().out


def test_overheads_and_their_ratios_to_the_best_peer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(exact(), tmp_path, capsys)
    head, line, link, *rows = text.split("\n\n")[0].splitlines()
    assert head == "|  | tx, burst 1 | tx, burst 64 | rx, burst 1 | rx, burst 64 | path, burst 1 | path, burst 64 |"
    assert set(line) == set("|-: ")
    assert link == f"| veth, the bare link: all of it |{' 1,000 |' * 6}"
    assert rows == [
        f"| **udptun** |{' +500 (0.50) |' * 6}",
        f"| vxlan |{' +2,000 (2.00) |' * 6}",
        f"| geneve |{' +1,000 (1.00) |' * 6}",
        f"| wireguard (encrypts) |{' +200 |' * 6}",
    ], "the tunnel that encrypts is no peer, however little it adds"
    assert "udptun adds least in all of them." in text
    assert "path, burst 64 0.500 (0.500 to 0.500, geneve)" in text
    assert "Packets: hash=1 sink_gro=1 protocol=tcp; vxlan id 1 noudpcsum." in text
    command = text.rsplit("`harness/dsbench sweep ", 1)[1].partition("`")[0]
    assert command == "--target qemu --accel icount --kernel 6.12.117 --device udptun vxlan geneve wireguard --payloads 1400 --burst 1 8 64 --protocol tcp"
    cli.parser().parse_args(["sweep", *command.split()])


def test_it_says_where_udptun_is_not_the_best(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = exact()
    for cell in sweep.cells:
        if cell.name == "udptun/rx/1400/burst:64":
            cell.counts = array("q", [2500 * cell.elements] * len(cell.counts))
    text = printed(sweep, tmp_path, capsys)
    assert "udptun is not the best in rx, burst 64 (geneve adds less)." in text
    assert "adds least in all" not in text


def test_intervals_of_both_medians_widen_that_of_the_ratio() -> None:
    sweep = exact()
    for cell in sweep.cells:
        if cell.container == "geneve":
            cell.counts = array("q", [(1900 if number < 10 else 2100) * cell.elements for number in range(20)])
    column = next(one for one in overhead.columns(sweep, 1400) if (one.op, one.burst) == ("path", 1))
    ratio = column.ratio("udptun")
    assert (ratio.median, ratio.low, ratio.high) == pytest.approx((500 / 1000, 500 / 1100, 500 / 900))


def test_without_bursts_there_is_no_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = exact()
    sweep.cells = [cell for cell in sweep.cells if not cell.burst]
    sweep.context["cells"] = [cell.name for cell in sweep.cells]
    with pytest.raises(HarnessError, match="sweep.json has no packets in bursts: measure them with harness/dsbench sweep"):
        printed(sweep, tmp_path, capsys)


def test_without_a_peer_there_is_no_ratio(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = exact()
    sweep.cells = [cell for cell in sweep.cells if cell.container in ("veth", "udptun", "list")]
    sweep.context["cells"] = [cell.name for cell in sweep.cells]
    text = printed(sweep, tmp_path, capsys)
    assert f"| **udptun** |{' +500 |' * 6}" in text
    assert "best" not in text.split("\n\n")[1].split("Measured")[0].replace("best peer's.", "")
