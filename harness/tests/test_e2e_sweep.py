# SPDX-License-Identifier: GPL-2.0
"""Sweeps in real guests: complete, rejected and interrupted; the kernel's statistics against those of the harness."""

from __future__ import annotations

import argparse
import contextlib
import csv
import dataclasses
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import schemas

from dsharness import cli, paths, targets
from dsharness.errors import HarnessError
from dsharness.peers import drive as peersdrive
from dsharness.peers import plan as peersplan
from dsharness.results import environment, floors, results
from dsharness.results.results import Results
from dsharness.results.samples import check_agreement, parse_report, parse_samples
from dsharness.statistics import stats
from dsharness.sweep import otherprocesses
from dsharness.sweep import plan as sweep
from dsharness.sweep import drive as sweeper
from guests import CELLS, FLOORS

HARNESS = paths.HARNESS / "dsbench"


@pytest.fixture(scope="module")
def uml() -> targets.Target:
    """The UML guest."""
    return targets.get("uml")


def plan(*argv: str) -> sweep.Plan:
    top = argparse.ArgumentParser()
    sweep.add_options(top)
    sweep.add_output(top)
    return sweep.checked_plan(top.parse_args(argv))


def test_statistics_of_the_kernel_and_numpy_agree(uml: targets.Target) -> None:
    script = (
        "insmod dsbench.ko n=300 tries=37 warmup=10 && cat /proc/dsbench && echo @"
        " && cat /sys/kernel/debug/dsbench/samples && echo @ && cat /sys/kernel/debug/dsbench/results"
    )
    ended = uml.run(["sh", "-c", script])
    assert ended.status == 0, ended.stderr
    report_text, samples_text, results_text = ended.stdout.decode().split("@\n")
    report, cells = parse_report(report_text), parse_samples(samples_text)
    check_agreement(report, cells)
    assert len(cells) == len(CELLS) + len(FLOORS)
    exact = {(row["container"], row["op"]): row for row in csv.DictReader(results_text.splitlines())}
    for row in report.rows:
        (cell,) = (cell for cell in cells if (cell.container, cell.op) == (row.container, row.op))
        ours = stats.summarise(cell.counts)
        assert row.disturbed == sum(cell.disturbed)
        for name, value in (("min", ours.min), ("p50", ours.median), ("mean", ours.mean), ("p90", ours.p90),
                            ("p99", ours.p99), ("max", ours.max), ("mad", ours.mad)):  # fmt: skip
            assert row.values[name] == pytest.approx(value, abs=0.501), (cell.name, name)
            assert float(exact[cell.container, cell.op][name]) == pytest.approx(value, abs=0.0011), (cell.name, name)
        if ours.median > 0:
            assert row.values["per_element"] == pytest.approx(ours.median / cell.elements, abs=0.0061)
        else:
            assert row.values["per_element"] is None


def test_a_complete_sweep(uml: targets.Target, tmp_path: Path) -> None:
    output = tmp_path / "result.json"
    what = ("--container", "list,xarray", "--op", "find fill", "--memory", "600M", "--append", "slab_nomerge")
    options = plan("--sizes", "64 128", "--tries", "11", "--warmup", "10", "--no-datapath", *what)
    path, swept = sweeper.sweep(dataclasses.replace(options, output=output))
    assert path == output
    found = results.read(output)
    assert found.cells == swept.cells
    subjects = [(c, o) for c in ("list", "xarray") for o in ("fill", "find")] + [(floors.FLOOR, o) for o in floors.OPS]
    names = {f"{c}/{o}/{n}" for c, o in subjects for n in (64, 128)}
    assert {cell.name for cell in found.cells} == names
    assert {len(cell.counts) for cell in found.cells} == {11}
    context = found.context
    assert (context["complete"], context["target"], context["unit"]) == (True, "uml", "tsc")
    assert (context["n"], context["tries"], context["warmup"]) == ([64, 128], 11, 10)
    assert (context["guest_memory_mib"], context["guest_parameters"]) == (600, ["slab_nomerge"])
    assert context["clock_khz"] > 100_000
    assert context["kernel"] == uml.kernel.release
    assert (context["boot_parameters"], context["mitigations"]) == (["slab_nomerge"], environment.mitigations())
    assert context["core_types"] == environment.core_types(otherprocesses.guest_cpus())
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["result.csv", "result.json"]
    assert schemas.complaints(output) == []


def test_a_sweep_with_the_datapath(uml: targets.Target, tmp_path: Path) -> None:
    output = tmp_path / "result.json"
    what = ("--container", "list", "--op", "find", "--device", "udptun bareudp", "--payloads", "64 1400")
    sweeper.sweep(plan("--sizes", "64", "--tries", "3", "--warmup", "10", *what, "--output", str(output)))
    found = results.read(output)
    packets = found.part("packet")
    ops = ("tx", "rx", "path")
    assert {cell.name for cell in packets.cells} == {
        f"{device}/{op}/{payload}" for device in ("veth", "udptun", "bareudp") for op in ops for payload in (64, 1400)
    }
    assert [cell.name for cell in found.part("element").cells] == ["list/find/64"]
    context = found.context
    assert (context["complete"], context["n"], context["payloads"]) == (True, [64], [64, 1400])
    assert (context["devices"], context["absent_devices"]) == (["veth", "udptun", "bareudp"], {})
    assert (context["bursts"], context["hash"], context["sink_gro"], context["protocol"]) == ([1, 8, 64], 1, 1, "udp")
    assert context["device_options"] == {"udptun": "port 7000 ttl 64 nocsum", "bareudp": "dstport 6635 ethertype ipv4"}
    assert {cell.burst for cell in found.in_bursts.cells if cell.container == "udptun"} == {1, 8, 64}
    path = {cell.container: stats.summarise(cell.counts).min for cell in packets.cells if cell.op == "path"}
    assert min(path.values()) > 0


def test_packets_over_several_tunnels() -> None:
    uml = targets.get("uml", network=True)
    made = peersplan.checked_plan(cli.parser().parse_args(["peers", "--peers", "1", "300"]))
    found = peersdrive.measure(made, uml, 2, Results({**sweeper.initial_results(uml).context, "peers": []}, []))
    wanted = {
        f"{device}/{op}/1400/burst:1/peers:{number}" for device in made.kinds for op in ("tx", "rx", "path") for number in (1, 300)
    }
    assert {cell.name for cell in found.cells} == wanted, found.context["absent_devices"]
    assert found.context["complete"] and found.context["hash"] == 1


def test_a_named_peer_that_the_stock_kernel_lacks_is_built(tmp_path: Path) -> None:
    output = tmp_path / "result.json"
    what = ("--container", "list", "--op", "find", "--sizes", "64", "--tries", "2", "--warmup", "0", "--payloads", "64")
    sweeper.sweep(plan("--target", "qemu", "--accel", "icount", *what, "--device", "bareudp", "--output", str(output)))
    context = results.read(output).context
    assert (context["devices"], context["absent_devices"]) == (["veth", "bareudp"], {})
    assert context["boot_parameters"] == []
    assert context["mitigations"]["spectre_v1"].startswith("Mitigation: "), "the stock kernel's own"
    assert any("bareudp is not the kernel's own, but built from linux-source-6." in said for said in context["warnings"])


def test_a_rejected_datapath_keeps_the_sizes(uml: targets.Target, tmp_path: Path) -> None:
    output = tmp_path / "result.json"
    options = plan("--sizes", "64", "--tries", "2", "--warmup", "0", "--op", "fill", "--device", "udptun")
    assert options.datapath is not None
    broken = dataclasses.replace(options, datapath=dataclasses.replace(options.datapath, payloads=(64_401,)))
    with pytest.raises(HarnessError, match="refused the run of the datapath: payloads=64401: must be"):
        sweeper.sweep(dataclasses.replace(broken, output=output))
    found = results.read(output)
    assert (found.context["complete"], found.sizes) == (False, [64])


def test_a_rejected_size_keeps_the_others(uml: targets.Target, tmp_path: Path) -> None:
    output = tmp_path / "result.json"
    options = plan("--sizes", "64 16777216", "--tries", "3", "--warmup", "10", "--op", "fill", "--no-datapath")
    with pytest.raises(HarnessError, match="refused the run of n=16777216: n=16777216: needs .* MiB"):
        sweeper.sweep(dataclasses.replace(options, output=output))
    found = results.read(output)
    assert (found.context["complete"], found.sizes) == (False, [64])


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.matrix), signal.SIGQUIT])
def test_a_sweep_that_a_signal_ends_keeps_finished_sizes_and_leaves_no_guest(
    uml: targets.Target, tmp_path: Path, number: signal.Signals
) -> None:
    output = tmp_path / "result.json"
    argv = [str(HARNESS), "sweep", "--sizes", "64 4000", "--tries", "15000", "--warmup", "10", "--op", "for_each",
            "--container", "list", "--no-datapath", "--output", str(output)]  # fmt: skip
    jobs = tmp_path / "jobs"
    jobs.mkdir()
    environment = {**os.environ, "TMPDIR": str(jobs)}
    with subprocess.Popen(argv, stderr=subprocess.PIPE, env=environment, start_new_session=True) as process:
        deadline = time.monotonic() + 120
        while not output.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        while not processes_that_name(jobs):  # between two guests there is none
            assert time.monotonic() < deadline, "no guest runs"
            time.sleep(0.05)
        os.kill(process.pid, number)
        complaint = process.communicate(timeout=30)[1].decode()
    assert process.returncode == 128 + number, complaint
    found = results.read(output)
    assert found.context["complete"] is False
    # The signal may come after the first of several guests has finished a size, or after all have.
    assert found.sizes in ([64], [64, 4000])
    assert f"the sweep is incomplete: {len(found.sizes)} of 2 sizes are kept in {output} (n=" in complaint, complaint
    deadline = time.monotonic() + 15  # a killed process exists until it is reaped
    while left := processes_that_name(jobs):
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


@pytest.mark.parametrize("cpu", sorted(os.sched_getaffinity(0))[:2])
def test_a_guest_runs_on_the_named_cpu(tmp_path: Path, cpu: int) -> None:
    options = plan("--sizes", "64", "--tries", "2", "--warmup", "0", "--op", "fill", "--no-datapath", "--cpu", str(cpu))
    target = targets.get("uml")
    target.parameters = ("slab_nomerge", "init_on_alloc=1", "nokaslr")
    seen, booted = set(), []

    def follow(stage: str, done: int, total: int) -> None:
        guests = [child for child in psutil.Process().children(recursive=True) if child.name() == "linux"]
        seen.update(*(child.cpu_affinity() for child in guests))

    sweeper.run_guest(options, target, lambda stage: booted.append(sweeper.report_context(stage.report)["boot_parameters"]), follow)
    assert seen == {cpu}
    assert booted == [["slab_nomerge", "init_on_alloc=1"]]


def processes_that_name(folder: Path) -> list[str]:
    """The command lines of running processes that contain `folder`."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in lines if str(folder) in line]


def test_a_results_folder_that_cannot_be_written_is_reported_first(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = subprocess.run(
        [HARNESS, "sweep", "--output", tmp_path / "file" / "result.json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "results folder" in done.stderr
