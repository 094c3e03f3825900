# SPDX-License-Identifier: GPL-2.0
"""The pure parts of dsbench throughput: its options, settings, steps, tools, results and tables."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from dsharness import cli, paths
from dsharness.errors import HarnessError
from dsharness.results.datapath import OWN, TUNNELS, kinds_of
from dsharness.throughput import plan as throughputplan
from dsharness.throughput import record, table
from dsharness.throughput.offloads import DEFAULT, ON, SOFTWARE, ZERO, Setting, settings
from dsharness.throughput.record import Sample, Throughput
from dsharness.throughput.steps import Cell, steps
from dsharness.throughput.traffic import TRAFFIC, UdpGso, rate
from dsharness.tunnel.devices import DEVICES, LINK, End, options_of
from dsharness.tunnel.steps import Experiment, Step, veth_link
from rich.console import Console

OUTPUT = Path(__file__).parent / "tunnel_output"
TCP = {kind.name: kind for kind in TRAFFIC}


def plan(*argv: str) -> throughputplan.ThroughputPlan:
    top = argparse.ArgumentParser()
    throughputplan.add_options(top)
    return throughputplan.checked_plan(top.parse_args(argv))


def experiment(*names: str) -> Experiment:
    devices = tuple(device for device in DEVICES if device.name in (names or TUNNELS))
    return Experiment(veth_link(), devices, 1, 1, 1, ("./udptunctl", "udptunctl"))


# options


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--target", "moon"], "--target is 'moon': allowed are uml, qemu, host"),
        (["--accel", "warp"], "--accel is 'warp'"),
        (["--device", "gre"], "--device is 'gre': allowed are udptun, vxlan"),
        (["--traffic", "tcp-2"], "--traffic is 'tcp-2': allowed are tcp-1, tcp-8"),
        (["--traffic", ","], "--traffic is empty"),
        (["--kernel", "6.12", "1.0"], "kernel '1.0'"),
        (["--output", "x.txt"], "--output is 'x.txt'"),
        (["--rounds", "0"], "--rounds is '0'"),
        (["--target", "uml", "--accel", "icount"], "--accel icount is for target qemu"),
    ],
)
def test_bad_options_get_one_sentence(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["throughput", *argv]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1


def test_the_default_counts_instructions_of_all() -> None:
    chosen = plan()
    assert (chosen.target, chosen.accel, chosen.kernels, chosen.devices) == ("qemu", "icount", (None,), kinds_of(TUNNELS, None))
    assert chosen.traffic == tuple(kind.name for kind in TRAFFIC) and chosen.offloads
    assert plan("--target", "uml").accel is None
    assert plan("--kernel", "6.1", "6.12").kernels == ("6.1", "6.12")


# settings


def test_each_setting_comes_once_and_the_default_first() -> None:
    every = list(settings())
    assert every[0] == DEFAULT and len(set(every)) == len(every) == 10
    assert [one.has_outer_checksum for one in every] == sorted(one.has_outer_checksum for one in every), "tunnels are made twice only"
    assert not [one for one in every if one.checksum == SOFTWARE and one.tso]
    assert [one.checksum for one in every if one.concerns(LINK)].count(ON) == 0


def test_a_checksum_in_software_turns_segmentation_off_first() -> None:
    assert Setting(SOFTWARE, False, True).features() == ["tx-*-segmentation=off,tx-checksum-*=off,rx-gro=on"]
    assert Setting(ZERO, True, False).features() == ["tx-checksum-*=on,tx-*-segmentation=on,rx-gro=off"]


@pytest.mark.parametrize(
    ("name", "with_one", "without"),
    [
        ("udptun", "csum", "nocsum"), ("vxlan", "udpcsum", "noudpcsum"), ("geneve", "udpcsum", "noudpcsum"),
        ("fou", "encap-csum", "noencap-csum"), ("bareudp", "csum", None),
    ],
)  # fmt: skip
def test_each_tunnel_has_words_for_its_outer_checksum(name: str, with_one: str, without: str | None) -> None:
    (device,) = (device for device in DEVICES if device.name == name)
    words = {}
    for checksum in (True, False):
        end = End(name, "192.0.2.1", "192.0.2.2", "198.18.1.1", "198.18.1.2", "udptunctl", checksum=checksum)
        words[checksum] = {word for command in device.commands(end, 1500) for word in command.argv}
    assert words[True] - words[False] == {with_one}
    assert words[False] - words[True] == ({without} if without else set())


# steps


def test_the_default_setting_has_all_traffic_and_the_others_one_kind() -> None:
    made, cells = steps(experiment("udptun", "wireguard"), list(settings()), TRAFFIC)
    assert [cell.order for cell in cells] == list(range(len(cells)))
    taken = [step for step in made if step.take]
    assert [step.take.order for step in taken if step.take] == [cell.order for cell in cells]
    assert {cell.traffic.name for cell in cells if cell.setting == DEFAULT and cell.device == "udptun"} == set(TCP)
    assert {cell.traffic.name for cell in cells if cell.setting != DEFAULT} == {"tcp-1"}
    count = {name: sum(cell.device == name for cell in cells) for name in (LINK, "udptun", "wireguard")}
    assert count == {LINK: 6 + 5, "udptun": 6 + 9, "wireguard": 6 + 5}


def test_each_round_measures_all_in_an_order_of_its_own() -> None:
    what = dataclasses.replace(experiment(*OWN), rounds=4)
    made, cells = steps(what, [DEFAULT], TRAFFIC[:2])
    rounds = [[(cell.device, cell.traffic.name) for cell in cells if cell.round == number] for number in range(4)]
    assert all(sorted(one) == sorted(rounds[0]) and len(one) == 3 * 2 for one in rounds)
    assert len({tuple(one) for one in rounds}) > 1
    assert [step.take.round for step in made if step.take] == sorted([0, 1, 2, 3] * 6)


def test_rust_is_compared_with_c_in_several_rounds(tmp_path: Path) -> None:
    what = dataclasses.replace(experiment(*OWN), rounds=6)
    _, cells = steps(what, [DEFAULT], TRAFFIC[:2])
    slower = {("udptun_rust", "tcp-1"): 1.001, ("udptun_rust", "tcp-8"): 1.02}
    samples = [Sample("7.3", cell, rate(1e9, slower.get((cell.device, cell.traffic.name), 1.0) + cell.round / 1e5)) for cell in cells]
    run = Throughput({"accel": "icount", "absent": {}, "warnings": [], "rounds": 6, "device_options": {}}, samples)
    text = shown(run)
    assert re.search(r"TCP, 1 flow +│ +-0\.100% │ \[-0\.10\d%, -0\.09\d%\] .* │ met ", text)
    assert re.search(r"8 flows +│ +-1\.961% .* │ missed ", text)
    record.write(run, tmp_path / "x.json")
    content = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert [(one["traffic"], one["reference"]) for one in content["comparisons"]] == [("tcp-1", "udptun"), ("tcp-8", "udptun")]
    assert {row["repetition_index"] for row in content["benchmarks"]} == set(range(6))


def test_the_underlay_is_set_at_both_ends_before_each_setting_s_measurements() -> None:
    made, cells = steps(experiment("udptun"), list(settings()), TRAFFIC)
    turned: dict[str, str] = {}
    for step in made:
        if "features.py" in step.argv:
            place = step.argv.index("features.py")
            turned[f"{step.argv[3]} {step.argv[place + 2]}"] = step.argv[place + 1]
        if step.take:
            setting = cells[step.take.order].setting
            underlay = [words for key, words in turned.items() if key.endswith("veth0")]
            assert underlay == setting.features() * 2
            assert {words for key, words in turned.items() if key.endswith("dsb-udptun")} == {f"rx-gro={'on' if setting.gro else 'off'}"}


def test_tunnels_are_made_with_the_checksum_of_their_setting() -> None:
    made, cells = steps(experiment("udptun"), list(settings()), TRAFFIC)
    state, found = "", []
    for step in made:
        if "add" in step.argv and "dsb-udptun" in step.argv and "7000" in step.argv:
            state = step.argv[-1]
        if step.take and cells[step.take.order].device == "udptun":
            found.append((cells[step.take.order].setting.has_outer_checksum, state))
    assert set(found) == {(False, "nocsum"), (True, "csum")}


def test_a_tunnel_can_be_absent_with_an_outer_checksum_alone() -> None:
    made, cells = steps(experiment("bareudp"), list(settings()), TRAFFIC)
    parts = {cells[step.take.order].setting.has_outer_checksum: step.part for step in made if step.take and cells[step.take.order].device == "bareudp"}
    assert parts == {False: "bareudp", True: "bareudp-csum"}
    removed = [step for step in made if step.how == "try" and "delete" in step.argv]
    assert removed and {step.part for step in removed} == {"bareudp"}


# tools


def test_clients_differ_in_flows_writes_and_direction() -> None:
    commands = {name: " ".join(kind.client("192.0.2.2", 1)) for name, kind in TCP.items()}
    for name, words in (
        ("tcp-1", "--parallel 1 --length 128K --bytes 16M"), ("tcp-8", "--parallel 8 "), ("tcp-64", "--parallel 64 "),
        ("tcp-small", "--length 128 --bytes 1M --no-delay"), ("tcp-both", "--bidir"), ("udp-gso", "udpflow.py send 192.0.2.2 5202 16 1372"),
    ):  # fmt: skip
        assert words in commands[name]
    assert [name for name, words in commands.items() if "--bidir" in words] == ["tcp-both"]


def test_both_directions_are_added() -> None:
    report = json.loads((OUTPUT / "iperf3.json").read_text(encoding="utf-8"))
    received = report["end"]["sum_received"]
    alone = TCP["tcp-1"].parse(json.dumps(report))
    assert alone.value == pytest.approx(8 * received["bytes"] / received["seconds"] / 1e6)
    report["end"]["sum_received_bidir_reverse"] = {**received, "seconds": 2 * received["seconds"]}
    both = TCP["tcp-both"].parse(json.dumps(report))
    assert both.value == pytest.approx(alone.value), "twice the bytes in twice the time"
    assert both.details["bytes"] == 2 * received["bytes"]


@pytest.mark.parametrize("name", TCP)
@pytest.mark.parametrize("text", ["", "{}", '{"error": "no route"}', '{"end": {"sum_received": {"seconds": 0, "bytes": 1}}}', '{"bytes": 1}', "[]"])
def test_output_without_a_figure_is_an_error(name: str, text: str) -> None:
    with pytest.raises(HarnessError, match="printed no figure"):
        TCP[name].parse(text)


def test_a_udp_flow_over_the_loopback_loses_nothing(tmp_path: Path) -> None:
    script = paths.HARNESS / "guest" / "udpflow.py"
    port = "15202"
    with subprocess.Popen([sys.executable, script, "serve", port]) as server:
        try:
            for _ in range(100):
                done = subprocess.run([sys.executable, script, "send", "127.0.0.1", port, "3", "1372"], check=False, capture_output=True, text=True)
                if not done.returncode:
                    break
            said = json.loads(done.stdout)
        finally:
            server.terminate()
    assert 3 << 20 <= said["bytes"] <= 1372 * said["datagrams"]
    assert UdpGso().parse(done.stdout).details == {"bytes": said["bytes"], "seconds": said["seconds"]}


# results and tables


def run_of(*devices: str, accel: str | None = "icount") -> Throughput:
    """A run whose figures are known: each cell takes its order + 1 seconds for 10^9 bytes."""
    _, cells = steps(experiment(*devices), list(settings()), TRAFFIC)
    samples = [Sample("6.12", cell, rate(1e9, cell.order + 1)) for cell in cells]
    return Throughput({"accel": accel, "absent": {"bareudp": "no module"}, "warnings": [], "device_options": options_of(("udptun", "bareudp"))}, samples)


def test_files_have_each_measurement(tmp_path: Path) -> None:
    run = run_of("udptun")
    record.write(run, tmp_path / "x.json")
    content = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    rows = list(csv.DictReader((tmp_path / "x.csv").read_text(encoding="utf-8").splitlines()))
    assert len(content["benchmarks"]) == len(rows) == len(run.samples)
    first = content["benchmarks"][0]
    assert first["name"] == "link/tcp-1/csum:zero/tso:on/gro:on/6.12"
    assert (first["mbit_per_second"], first["instructions_per_byte"], first["real_time"]) == (8000, 1, 125)
    assert len({row["name"] for row in content["benchmarks"]}) == len(run.samples)
    assert rows[0]["instructions_per_byte"] == "1.0" and rows[0]["tso"] == "True"


def test_time_is_no_number_of_instructions() -> None:
    assert "instructions_per_byte" not in record.rows(run_of("udptun", accel=None))[0]
    assert "(1.00)" not in shown(run_of("udptun", accel=None))


def shown(run: Throughput) -> str:
    out = io.StringIO()
    table.show(run, Console(file=out, width=200))
    return out.getvalue()


def test_tables_have_a_row_a_device_and_a_row_a_setting() -> None:
    text = shown(run_of("udptun", "vxlan"))
    assert "throughput by traffic, Mbit/s (instructions a byte), kernel 6.12" in text
    assert "8,000.00 (1.00)" in text
    rows = [line for line in text.splitlines() if line.startswith("│")]
    assert [line.split("│")[1].strip() for line in rows[:3]] == ["bare link", "udptun", "vxlan"]
    assert [line.split("│")[1].strip() for line in rows[3:]] == [one.checksum for one in settings()]
    assert [line.split("│")[4].strip() for line in rows[3:] if line.split("│")[1].strip() == ON] == ["-"] * 4
    assert "bareudp is absent: no module" in text
    assert "Options, without an outer checksum: udptun: port 7000 nocsum." in " ".join(text.split()), "not of a device that is absent"


def test_a_costly_setting_is_named() -> None:
    run = run_of("udptun")
    costs = {sample.cell.setting: sample.per_byte for sample in run.samples if (sample.cell.device, sample.cell.traffic.name) == ("udptun", "tcp-1")}
    worst = max(costs, key=lambda setting: costs[setting])
    factor = max(costs.values()) / min(costs.values())
    assert f"6.12: udptun costs {factor:.1f} times as much a byte with {worst.label()} as with {DEFAULT.label()}" in table.notes(run)
    assert not [line for line in table.notes(run_of("udptun", accel=None)) if "costs" in line], "time on a busy machine tells nothing"


def test_the_plan_names_every_kind_of_traffic() -> None:
    assert throughputplan.TRAFFIC_NAMES == tuple(kind.name for kind in TRAFFIC)


def test_a_step_is_no_shell_text() -> None:
    made, _ = steps(experiment(), list(settings()), TRAFFIC)
    assert all(isinstance(step, Step) and not any("\n" in word for word in step.argv) for step in made)


def test_cells_are_what_they_say() -> None:
    assert Cell("udptun", DEFAULT, TRAFFIC[0], 0).setting.label() == "csum:zero/tso:on/gro:on"
