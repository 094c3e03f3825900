# SPDX-License-Identifier: GPL-2.0
"""The evaluation's pure parts: its options, steps, sides, tools, results and tables."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import io
import json
import re
import shlex
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
import schemas
from dsharness import cli, paths
from dsharness.errors import HarnessError, UsageError
from dsharness.results.datapath import SCRIPT as DATAPATH
from dsharness.results.datapath import OWN, TUNNELS, kinds_of
from dsharness.tunnel import plan as tunnelplan
from dsharness.tunnel import record, table
from dsharness.tunnel.devices import DEVICES, LINK, Keys
from dsharness.tunnel.meters import TOOLS, Iperf3, Netperf, Reading, Sockperf
from dsharness.tunnel.record import Evaluation, Sample
from dsharness.tunnel.sides import Here, Netns, Ssh
from dsharness.tunnel.steps import Experiment, Link, Step, Take, steps, veth_link, write
from dsharness.tunnel.stream import Stream
from rich.console import Console

SCRIPT = paths.HARNESS / "guest" / "tunnel.sh"
OUTPUT = Path(__file__).parent / "tunnel_output"
KEYS = (Keys("near-private", "far-public"), Keys("far-private", "near-public"))


def plan(*argv: str) -> tunnelplan.TunnelPlan:
    top = argparse.ArgumentParser()
    tunnelplan.add_options(top)
    return tunnelplan.checked_plan(top.parse_args(argv))


def experiment(link: Link, rounds: int = 3, seed: int = 1) -> Experiment:
    return Experiment(link, DEVICES, rounds, 1, seed, ("./udptunctl", "udptunctl"), KEYS)


def two_machines(far: Ssh) -> Link:
    return Link(Here(), far, "192.0.2.1", "192.0.2.2", 9000, shared=True)


# options


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--rounds", "0"], "--rounds is '0': allowed are whole numbers from 1 to 1000"),
        (["--rounds", "x"], "--rounds is 'x'"),
        (["--seconds", "1.5"], "--seconds is '1.5'"),
        (["--seed", "-1"], "--seed is '-1'"),
        (["--target", "moon"], "--target is 'moon': allowed are uml, qemu, host"),
        (["--accel", "warp"], "--accel is 'warp'"),
        (["--device", "gre"], "--device is 'gre': allowed are udptun, vxlan"),
        (["--device", "udptun_rust"], "--device is 'udptun_rust': its module is in Rust, and allowed with --kernel rust or rust-debug only"),
        (["--device", ","], "--device is empty"),
        (["--peer-host", "-oProxyCommand=x"], "--peer-host is '-oProxyCommand=x'"),
        (["--peer-host", "a b"], "--peer-host is 'a b': allowed is USER@HOST"),
        (["--peer-host", "root@x", "--peer-address", "1.2.3.400"], "--peer-address is '1.2.3.400'"),
        (["--peer-host", "root@x", "--target", "uml"], "--target is 'uml': leave it out"),
        (["--peer-address", "192.0.2.1"], "--peer-address is '192.0.2.1': it is allowed with --peer-host only"),
        (["--peer-host", "root@x", "--ssh-config", "/none"], "--ssh-config is '/none': there is no such file"),
    ],
)
def test_bad_options_get_one_sentence(argv: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = [f"{argv[i]}={argv[i + 1]}" for i in range(0, len(argv), 2)]
    assert cli.main(["tunnel", *words]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1


def test_every_kind_of_tunnel_is_known_to_all_that_make_tunnels() -> None:
    assert tuple(device.name for device in DEVICES) == TUNNELS
    makers = re.findall(r"^make_(\w+)\(\)", DATAPATH.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(makers) == sorted(TUNNELS)


def test_no_tunnel_with_a_choice_has_an_outer_checksum() -> None:
    off = {"udptun": "nocsum", "udptun_rust": "nocsum", "vxlan": "noudpcsum", "geneve": "noudpcsum", "geneve_l3": "noudpcsum", "fou": "noencap-csum"}
    here = {device.name: device.options for device in DEVICES}
    there = dict(re.findall(r'^options_(\w+)="(.*)"$', DATAPATH.read_text(encoding="utf-8"), re.MULTILINE))
    assert set(there) == set(TUNNELS)
    for name, word in off.items():
        assert word in here[name] and word in there[name].split(), name
    made = [step.argv for step in steps(experiment(veth_link())) if step.how == "do"]
    for name, words in here.items():
        assert any(f"dsb-{name}" in argv and argv[-len(words):] == words for argv in made) or not words, name


def test_devices_come_in_their_own_order() -> None:
    assert plan("--device", "geneve,udptun", "geneve").devices == ("udptun", "geneve")
    assert plan().devices == kinds_of(TUNNELS, None)
    assert plan("--target", "qemu", "--kernel", "rust").devices == TUNNELS


def test_output_is_json() -> None:
    top = argparse.ArgumentParser()
    tunnelplan.add_options(top)
    args = top.parse_args([])
    args.output = Path("x.txt")
    with pytest.raises(UsageError, match="--output is 'x.txt'"):
        tunnelplan.checked_plan(args)


# sides


def test_every_side_takes_an_argument_list() -> None:
    words = ["echo", "a b", "$(reboot)", "it's"]
    assert Here().argv(words) == words
    assert Netns("far").argv(words) == ["ip", "netns", "exec", "far", *words]
    *ssh, text = Ssh("root@far").argv(words)
    assert ssh[0] == "ssh" and ssh[-2:] == ["--", "root@far"]
    assert shlex.split(text) == words
    there = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=True)
    assert there.stdout == "a b $(reboot) it's\n"


def test_a_server_over_ssh_has_a_terminal_to_hang_up() -> None:
    side = Ssh("root@far", Path("/etc/ssh/x"))
    assert "-tt" in side.lasting(["iperf3"]) and "-tt" not in side.argv(["iperf3"])
    assert side.argv(["iperf3"])[-5:] == ["-F", "/etc/ssh/x", "--", "root@far", "iperf3"]


# steps


def test_every_round_measures_everything_once_in_an_order_of_its_own() -> None:
    takes = [step.take for step in steps(experiment(veth_link(), rounds=4)) if step.take]
    orders = []
    for number in range(4):
        cells = [(take.device, take.tool.name) for take in takes if take.round == number]
        assert Counter(cells) == Counter((device, tool.name) for device in (LINK, *TUNNELS) for tool in TOOLS)
        orders.append(cells)
    assert len({tuple(order) for order in orders}) == 4
    assert [take.order for take in takes] == list(range(len(takes) // 4)) * 4


def test_the_seed_makes_the_order() -> None:
    link = veth_link()

    def order(seed: int) -> list[tuple[str, ...]]:
        return [step.argv for step in steps(experiment(link, seed=seed)) if step.take]

    assert order(1) == order(1) != order(2)


def test_every_link_has_namespaces_of_its_own() -> None:
    assert len({side.name for link in (veth_link(), veth_link()) for side in (link.near, link.far) if isinstance(side, Netns)}) == 4


def test_both_ends_of_every_tunnel_are_made() -> None:
    made = steps(experiment(veth_link()))
    for name in TUNNELS:
        mine = [" ".join(step.argv) for step in made if step.part == name and step.how in ("do", "try")]
        near = [text for text in mine if "exec dsb-near" in text]
        far = [text for text in mine if "exec dsb-far" in text]
        assert len(near) == len(far) >= 3, name
        probe = [step for step in made if step.part == name and step.how == "probe"]
        assert len(probe) == 1


def test_every_tunnel_fits_the_link() -> None:
    mtu = {
        step.part: int(step.argv[step.argv.index("mtu") + 1])
        for step in steps(experiment(two_machines(Ssh("root@far"))))
        if step.how == "do" and "mtu" in step.argv
    }
    assert mtu == {"udptun": 8972, "udptun_rust": 8972, "vxlan": 8950, "geneve": 8950, "geneve_l3": 8964, "bareudp": 8972, "fou": 8972, "wireguard": 8920}


def test_secrets_are_in_no_command_line() -> None:
    made = steps(experiment(veth_link()))
    assert not [step for step in made if any("private" in word for word in step.argv)]
    assert [step.stdin for step in made if step.stdin and "near-private" in step.stdin]


def test_a_shared_link_is_left_alone_and_cleared_of_what_is_ours() -> None:
    made = steps(experiment(two_machines(Ssh("root@far"))))
    assert not [step for step in made if "netns" in " ".join(step.argv)]
    undo = [step for step in made if step.how == "undo"]
    assert len(undo) == 2
    for step in undo:
        assert step.stdin and {f"link delete dsb-{name}" for name in TUNNELS} <= set(step.stdin.splitlines())


def test_the_files_of_the_steps(tmp_path: Path) -> None:
    made = [Step("do", ("a", "b c", "*"), stdin="secret\n"), Step("take", ("d",), part="vxlan", other="sockperf")]
    listing, source = write(made, tmp_path)
    assert listing.read_text() == f"do 0 - - {source.name} 3\na\nb c\n*\ntake 1 vxlan sockperf /dev/null 1\nd\n"
    assert source.read_text() == "secret\n"
    assert source.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ValueError, match="more than one line"):
        write([Step("do", ("a\nb",))], tmp_path)


# the script


def run_script(made: list[Step], folder: Path) -> tuple[int, str]:
    listing, *_ = write(made, folder)
    done = subprocess.run(["sh", str(SCRIPT), listing.name], cwd=folder, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.returncode, done.stdout


def test_the_script_runs_words_as_they_are(tmp_path: Path) -> None:
    status, said = run_script([Step("do", ("printf", "%s|", "a b", "$HOME", "*", "", "'\""))], tmp_path)
    assert (status, said) == (0, "@tunnel begin 0\na b|$HOME|*||'\"|\n@tunnel end 0 0\n")


def test_the_script_leaves_out_what_is_absent_and_undoes_at_the_end(tmp_path: Path) -> None:
    made = [
        Step("undo", ("sh", "-c", "cat >undone"), stdin="yes"),
        Step("try", ("false",), part="vxlan"),
        Step("do", ("sh", "-c", "echo no such kind >&2; exit 3"), part="vxlan"),
        Step("do", ("echo", "never"), part="vxlan"),
        Step("take", ("echo", "never"), part="geneve", other="vxlan"),
        Step("do", ("cat",), part="geneve", stdin="text"),
    ]
    status, said = run_script(made, tmp_path)
    assert status == 0
    assert "no such kind\n\n@tunnel end 2 3\n@tunnel skip 3\n@tunnel skip 4\n" in said
    assert said.endswith("@tunnel begin 5\ntext\n@tunnel end 5 0\n")
    assert "never" not in said
    assert (tmp_path / "undone").read_text() == "yes"


@pytest.mark.parametrize("step", [Step("do", ("false",)), Step("take", ("false",), part="vxlan")])
def test_the_script_ends_where_going_on_has_no_sense(step: Step, tmp_path: Path) -> None:
    status, said = run_script([step, Step("do", ("echo", "never"))], tmp_path)
    assert status == 1
    assert "never" not in said


def test_the_script_ends_what_it_started(tmp_path: Path) -> None:
    made = [Step("start", ("sh", "-c", "echo $$ >pid; exec sleep 1000")), Step("probe", ("test", "-s", "pid"))]
    assert run_script(made, tmp_path)[0] == 0
    pid = (tmp_path / "pid").read_text().strip()
    deadline = time.monotonic() + 10
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(pid)


def _runs(pid: str) -> bool:
    """Whether it is there, and no zombie."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


# the stream


def follow(made: list[Step], text: str) -> tuple[Stream, list[Reading], list[int]]:
    readings: list[Reading] = []
    rounds: list[int] = []
    stream = Stream(made, lambda step: None, lambda take, reading: readings.append(reading), rounds.append)
    for index in range(0, len(text), 7):
        stream.feed(text.encode()[index : index + 7])
    return stream, readings, rounds


TAKES = [
    Step("do", ("uname",), fact="near_kernel"),
    Step("do", ("ip",), part="vxlan"),
    Step("take", ("netperf",), take=Take(0, 0, LINK, Netperf())),
    Step("take", ("netperf",), part="vxlan", take=Take(0, 1, "vxlan", Netperf())),
]


def test_the_stream_collects_facts_readings_and_absences() -> None:
    text = (
        "@tunnel begin 0\n6.12\n\n@tunnel end 0 0\n@tunnel begin 1\nRTNETLINK answers\nError: Unknown device type.\n\n"
        "@tunnel end 1 2\n@tunnel begin 2\n122.20\n\n@tunnel end 2 0\n@tunnel skip 3\n"
    )
    stream, readings, rounds = follow(TAKES, text)
    assert stream.facts == {"near_kernel": "6.12"}
    assert stream.absent == {"vxlan": "Error: Unknown device type."}
    assert (readings, rounds, stream.failure) == ([Reading(122.20)], [0], None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("@tunnel begin 2\nrefused\n\n@tunnel end 2 1\n", "round 1, the bare link, netperf failed: refused"),
        ("@tunnel begin 2\n\n@tunnel end 2 124\n", "round 1, the bare link, netperf failed: no answer in time"),
        ("@tunnel begin 2\nwhat\n\n@tunnel end 2 0\n", "netperf printed no figure: what"),
        ("@tunnel begin 0\nno\n\n@tunnel end 0 1\n", "the link cannot be measured, uname failed: no"),
    ],
)
def test_the_stream_says_what_failed(text: str, said: str) -> None:
    stream, readings, rounds = follow(TAKES, text)
    assert stream.failure and said in str(stream.failure)
    assert not readings and not rounds


# the tools; their output is what they printed in a UML guest


def test_iperf3() -> None:
    output = (OUTPUT / "iperf3.json").read_text()
    reading = Iperf3().parse(output)
    assert reading.value == pytest.approx(json.loads(output)["end"]["sum_received"]["bits_per_second"] / 1e6)
    assert reading.details == {"retransmits": 3}
    refused = (OUTPUT / "iperf3-refused.json").read_text()
    assert Iperf3().complaint(refused) == "unable to connect to server: Connection refused"
    with pytest.raises(HarnessError, match="iperf3 printed no figure: unable to connect"):
        Iperf3().parse(refused)


def test_sockperf() -> None:
    output = (OUTPUT / "sockperf.txt").read_text()
    reading = Sockperf().parse(output)
    assert f"percentile 50.000 = {reading.value:8.3f}" in output
    assert f"avg-rtt={reading.details['mean']:.3f} (std-dev={reading.details['stddev']:.3f})" in output
    assert f"percentile 99.000 = {reading.details['p99']:8.3f}" in output
    refused = (OUTPUT / "sockperf-refused.txt").read_text()
    with pytest.raises(HarnessError, match=r"sockperf printed no figure: .*Connection refused"):
        Sockperf().parse(refused)


@pytest.mark.parametrize("output", ["", "nan", "-1", "0", "establish control: are you sure there is a netserver"])
def test_netperf_without_a_figure(output: str) -> None:
    with pytest.raises(HarnessError, match="netperf printed no figure"):
        Netperf().parse(output)


# results and tables


@pytest.fixture
def evaluation() -> Evaluation:
    """Two tools, three devices, four rounds; udptun's latency lies between the link's and vxlan's."""
    base = {LINK: (60.0, 5000.0), "udptun": (70.0, 4000.0), "vxlan": (80.0, 3000.0), "wireguard": (65.0, 4500.0)}
    samples = [
        Sample(Take(number, 0, device, tool), Reading(base[device][which] * (1 + number / 100), {"p99": 1.0}))
        for number in range(4)
        for device in base
        for which, tool in enumerate((Sockperf(), Iperf3()))
    ]
    context = {
        "schema_version": 1, "complete": True, "target": "uml", "accel": None, "kernel": "6.12", "cpus": 1, "rounds": 4,
        "devices": ["udptun", "vxlan", "wireguard"], "absent": {"geneve": "Unknown device type."}, "link": "veth",
    }  # fmt: skip
    return Evaluation(context, samples)


def test_rows_compare_with_the_link_and_the_best_peer(evaluation: Evaluation) -> None:
    for tool in evaluation.tools:
        assert evaluation.best_peer(tool) == "vxlan"  # wireguard is faster, but it encrypts
        link, udptun, vxlan, _ = evaluation.rows(tool)
        assert (link.device, link.against_link, link.against_best, vxlan.against_best) == (LINK, None, None, None)
        assert udptun.figures.mean == pytest.approx((70 if tool.lower_is_better else 4000) * 1.015)
        to_link, to_best = (10 / 60, -1 / 8) if tool.lower_is_better else (-1 / 5, 1 / 3)
        assert udptun.against_link and udptun.against_link.change == pytest.approx(to_link)
        assert udptun.against_best and udptun.against_best.change == pytest.approx(to_best)


def test_the_driver_in_rust_is_compared_with_the_one_in_c(evaluation: Evaluation, tmp_path: Path) -> None:
    """In C's table 1.01 times its latency, 0.99 times its throughput; it is no peer."""
    for sample in [one for one in evaluation.samples if one.take.device == "udptun"]:
        factor = 1.01 if sample.take.tool.lower_is_better else 0.99
        take = dataclasses.replace(sample.take, device="udptun_rust")
        evaluation.samples.append(Sample(take, Reading(sample.reading.value * factor, {})))
    evaluation.context["devices"].insert(1, "udptun_rust")
    for tool in evaluation.tools:
        assert evaluation.best_peer(tool) == "vxlan"
        rows = {row.device: row for row in evaluation.rows(tool)}
        change = 0.01 if tool.lower_is_better else -0.01
        against = rows["udptun_rust"].against_c
        assert against and against.change == pytest.approx(change)
        assert against.welch_p and against.mann_whitney_p and rows["udptun"].against_c is None
    said = shown(evaluation)
    assert "in C: udptun" in said
    assert re.search(r"udptun_rust \+1\.000% \[-1\.\d+%, \+3\.\d+%\] from udptun; in the paper Rust \+0\.2366% from C\.\n", said)
    assert re.search(r"udptun_rust -1\.000% \[-3\.\d+%, \+1\.\d+%\] from udptun; in the paper Rust -0\.0011% from C\. The goal of at most 0\.5% less than C is open", said)
    record.write(evaluation, tmp_path / "tunnel.json")
    content = json.loads((tmp_path / "tunnel.json").read_text())
    assert ("udptun_rust", "udptun") in {(one["device"], one["reference"]) for one in content["comparisons"]}


@pytest.mark.parametrize(
    ("factor", "sentence"),
    [(0.999, "less than C is met."), (1.2, "is met."), (0.99, "is missed."), (0.995, "is open: repeat with more rounds.")],
)
def test_the_throughput_of_rust_has_a_goal(evaluation: Evaluation, factor: float, sentence: str) -> None:
    tool = Iperf3()
    evaluation.context["devices"] = list(OWN)
    values = {LINK: 1.05, "udptun": 1.0, "udptun_rust": factor}
    evaluation.samples[:] = [
        Sample(Take(number, 0, device, tool), Reading(4000 * value * (1 + number % 2 / 10_000), {})) for number in range(6) for device, value in values.items()
    ]  # fmt: skip
    assert sentence in shown(evaluation)


def shown(evaluation: Evaluation) -> str:
    """Return the tables, in lines without breaks."""
    out = io.StringIO()
    table.show(evaluation, Console(file=out, width=200, highlight=False))
    return out.getvalue()


def test_the_result_file(evaluation: Evaluation, tmp_path: Path) -> None:
    path = tmp_path / "tunnel.json"
    record.write(evaluation, path)
    assert schemas.complaints(path, "evaluation") == []
    content = json.loads(path.read_text())
    rows = content["benchmarks"]
    iterations = [row for row in rows if row["run_type"] == "iteration"]
    assert len(iterations) == len(evaluation.samples)
    for row in rows:
        assert row["real_time"] >= 0 and row["time_unit"] == "us"
    throughput = next(row for row in iterations if row["name"] == "udptun/iperf3")
    assert (throughput["value"], throughput["real_time"], throughput["details"]) == (4000.0, 250.0, {"p99": 1.0})
    assert {(c["device"], c["reference"]) for c in content["comparisons"]} >= {("udptun", LINK), ("udptun", "vxlan")}
    with path.with_suffix(".csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [float(line["value"]) for line in lines] == [sample.reading.value for sample in evaluation.samples]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["tunnel.csv", "tunnel.json"]


def test_the_papers_figures() -> None:
    assert (paths.REFERENCE / "seed_tunnel.csv").is_file()
    baseline, in_c, rust = record.paper("latency_us")
    assert (baseline.interface, baseline.mean, baseline.sigma) == ("baseline", 122.2, 1.10)
    assert (in_c.max, rust.min) == (132, 121)
    assert [row.mean for row in record.paper("throughput_mbps")] == [934.30, 915.79, 915.78]


def test_the_tables(evaluation: Evaluation) -> None:
    sink = io.StringIO()
    table.show(evaluation, Console(file=sink, width=table.LOG_COLUMNS, highlight=False))
    text = sink.getvalue()
    for wanted in ("paper", "baseline", "934.30", "bare link", "70.00", "best peer: vxlan", "Mann-Whitney p"):
        assert wanted in text
    one_line = " ".join(text.split())
    for wanted in ("not comparable", "geneve is absent: Unknown device type.", "one CPU", "wireguard encrypts: shown"):
        assert wanted in one_line


def test_probabilities_are_short() -> None:
    assert [table.probability(p) for p in (None, 0.00001, 0.0286, 1.0)] == ["-", "<0.0001", "0.0286", "1.0000"]
