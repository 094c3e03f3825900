# SPDX-License-Identifier: GPL-2.0
"""The paper's evaluation for real: in a UML guest, interrupted, and over ssh in a guest that plays two machines."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import signal
import subprocess
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest
from dsharness import paths, targets
from dsharness.kernel import tools
from dsharness.throughput import drive as throughput
from dsharness.throughput import plan as throughputplan
from dsharness.tunnel import drive
from dsharness.tunnel import plan as tunnelplan
from dsharness.tunnel.devices import LINK

HARNESS = paths.HARNESS / "dsbench"
PEERS = Path(__file__).parent / "peers.sh"
SSHD = Path("/usr/sbin/sshd")


def plan(*argv: str) -> tunnelplan.TunnelPlan:
    top = argparse.ArgumentParser()
    tunnelplan.add_options(top)
    return tunnelplan.checked_plan(top.parse_args(argv))


def check_whole(content: dict[str, Any], target: str, devices: list[str]) -> None:
    """One complete round of `devices` and the bare link, by the tools that Debian has."""
    context = content["context"]
    assert (context["target"], context["complete"], context["rounds"]) == (target, True, 1)
    assert context["devices"] == devices, context["absent"]
    assert set(context["tools"]) >= {"iperf3", "sockperf"}
    assert context["cpus"] == 1
    samples = [row for row in content["benchmarks"] if row["run_type"] == "iteration"]
    found = {(row["device"], row["tool"]) for row in samples}
    assert found >= {(device, tool) for device in (LINK, *devices) for tool in ("sockperf", "iperf3")}
    assert all(row["value"] > 0 for row in samples)


def test_a_round_in_uml(tmp_path: Path) -> None:
    output = tmp_path / "tunnel.json"
    path, evaluation = drive.evaluate(dataclasses.replace(plan("--rounds", "1", "--device", "udptun wireguard fou"), output=output))
    assert path == output
    check_whole(json.loads(output.read_text()), "uml", ["udptun", "fou", "wireguard"])
    assert evaluation.best_peer(evaluation.tools[0]) == "fou"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["tunnel.csv", "tunnel.json"]


def test_throughput_by_traffic_and_offloads_in_uml(tmp_path: Path) -> None:
    """Every setting is made and checked by features.py; the amount ends each measurement, but for what was on its way."""
    top = argparse.ArgumentParser()
    throughputplan.add_options(top)
    argv = ["--target", "uml", "--device", "udptun", "bareudp", "--traffic", "tcp-1", "tcp-both", "udp-gso"]
    chosen = dataclasses.replace(throughputplan.checked_plan(top.parse_args(argv)), output=tmp_path / "throughput.json")
    path, _ = throughput.measure(chosen)
    content = json.loads(path.read_text())
    assert content["context"]["complete"] and content["context"]["absent"] == {}
    found = {(row["device"], row["traffic"], row["checksum"], row["tso"], row["gro"]): row for row in content["benchmarks"]}
    assert len(found) == len(content["benchmarks"]) == (3 + 5) + 2 * (3 + 9)
    assert all(row["bytes"] > 8 << 20 and row["mbit_per_second"] > 0 for row in found.values())
    assert ("bareudp", "tcp-1", "software", False, True) in found and (LINK, "tcp-1", "on", True, True) not in found


def test_interrupting_keeps_the_finished_rounds(tmp_path: Path) -> None:
    output = tmp_path / "tunnel.json"
    argv = [str(HARNESS), "tunnel", "--rounds", "50", "--device", "geneve", "--output", str(output)]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, start_new_session=True) as process:
        deadline = time.monotonic() + 180
        while not output.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(0.2)  # the JSON comes last: now the round counts
        os.kill(process.pid, signal.SIGINT)
        complaint = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 130, complaint
    kept = re.search(r"the evaluation is incomplete: ([1-9]\d*) of 50 rounds are kept", complaint)
    assert kept, complaint
    context = json.loads(output.read_text())["context"]
    assert (context["complete"], context["rounds"]) == (False, int(kept[1]))


@pytest.mark.skipif(not SSHD.exists(), reason="there is no sshd here: openssh-server is not installed")
def test_two_machines_over_ssh(tmp_path: Path) -> None:
    archive = tmp_path / "project.tar"
    with tarfile.open(archive, "w") as project:
        for part in ("harness", "include", "results/reference", tools.udptunctl().relative_to(paths.ROOT)):
            project.add(paths.ROOT / part, str(part))
    ended = targets.get("uml").run(["sh", PEERS.name], files=[archive, PEERS], timeout=300)
    complaint = ended.stderr.decode()
    assert ended.status == 0, complaint
    text, _, rest = ended.stdout.decode().partition("@ interrupted\n")
    cut, _, left = rest.partition("@ left\n")
    check_whole(json.loads(text), "peer", ["udptun", "geneve", "fou", "wireguard"])
    assert "192.0.2.1 (veth0, MTU 1500) to 192.0.2.2 of far" in json.loads(text)["context"]["link"]
    assert cut == "status 130\n"
    assert re.search(r"the evaluation is incomplete: [1-9]\d* of 50 rounds are kept", complaint), complaint
    assert "veth0" in left
    assert "dsb-" not in left and "iperf3" not in left and "sockperf" not in left, left
