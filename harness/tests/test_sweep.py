# SPDX-License-Identifier: GPL-2.0
"""The options of a sweep, and what its script in the target prints."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
from pathlib import Path

import pytest
from test_samples import DATAPATH_REPORT, DATAPATH_SAMPLES, REPORT, SAMPLES

from dsharness.errors import HarnessError, UsageError
from dsharness.results.datapath import DEVICES, Topology, kinds_of, packet_settings
from dsharness.sweep import command
from dsharness.sweep import plan as sweep
from dsharness.sweep.drive import tunnel_settings
from dsharness.sweep.stream import DATAPATH, StageResult, SweepStream, runs_of

GUEST = Path(__file__).resolve().parents[1] / "guest"


def plan(*argv: str) -> sweep.Plan:
    top = argparse.ArgumentParser()
    command.add_parser(top.add_subparsers())
    return sweep.checked_plan(top.parse_args(["sweep", *argv]))


def test_defaults() -> None:
    made = plan()
    assert (made.target, made.sizes, made.tries, made.settings) == ("uml", (500, 1000, 2000, 4000), None, ())
    assert {"list", "hashtable", "rbtree", "xarray"} <= set(made.containers)
    assert made.ops == ("fill", "find", "for_each", "erase")


@pytest.mark.parametrize(
    ("argv", "tries", "precision"),
    [((), None, 10), (("--tries", "40"), 40, 0), (("--tries", "40", "--precision", "2"), 40, 20),
     (("--precision", "0"), None, 0), (("--precision", "0.5%"), None, 5)],
)  # fmt: skip
def test_tries_that_are_named_are_exact(argv: tuple[str, ...], tries: int | None, precision: int) -> None:
    made = plan(*argv)
    assert (made.tries, made.precision) == (tries, precision)


def test_lists_in_every_spelling() -> None:
    assert plan("--sizes", "500 1000").sizes == plan("--sizes", "1000", "500,500").sizes == (500, 1000)
    made = plan("--container", "rbtree,list", "--op", "find", "--order", "sequential", "--misses", "10", "--seed", "0")
    assert made.settings == ("containers=rbtree,list", "ops=find", "order=sequential", "misses=10", "seed=0")


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("--sizes", "0"), "--sizes is '0': allowed are whole numbers from 1 to 16777216"),
        (("--sizes=-5",), "--sizes is '-5'"),
        (("--sizes", "500 many"), "--sizes is 'many'"),
        (("--sizes", "16777217"), "--sizes is '16777217'"),
        (("--sizes", " "), "--sizes is empty"),
        (("--tries", "0"), "--tries is '0': allowed are whole numbers from 1 to 1000000"),
        (("--tries", "1e3"), "--tries is '1e3'"),
        (("--tries", "1000000"), "--tries 1000000 makes 472000000 samples"),
        (("--tries", "1000000", "--no-datapath"), "--tries 1000000 makes 160000000 samples"),
        (("--precision", "x"), "--precision is 'x': allowed are percentages from 0 to 100"),
        (("--precision", "101"), "--precision is '101'"),
        (("--precision", "0.04"), "--precision is '0.04': the smallest is 0.1, and 0 switches it off"),
        (("--device", "udptun_rust"), "--device is 'udptun_rust': its module is in Rust, and allowed with --kernel rust or rust-debug only"),
        (("--device", "gre"), "--device is 'gre': allowed are veth, udptun, vxlan, geneve, geneve_l3, bareudp, fou, wireguard"),
        (("--device", "fou", "--no-datapath"), "--device has no use with --no-datapath"),
        (("--burst", "65"), "--burst is '65': allowed are whole numbers from 1 to 64"),
        (("--burst", "0", "8"), "--burst is '0': allowed are whole numbers from 1 to 64"),
        (("--burst", ""), "--burst names 0 numbers: allowed are 1 to 8 of them, or 0 for no bursts"),
        (("--hash", "2"), "--hash is '2': allowed are whole numbers from 0 to 1"),
        (("--sink-gro", "yes"), "--sink-gro is 'yes': allowed are whole numbers from 0 to 1"),
        (("--protocol", "sctp"), "--protocol is 'sctp': allowed are udp, tcp"),
        (("--payloads", "0"), "--payloads is '0': allowed are whole numbers from 1 to 64400"),
        (("--payloads", "64,1e3"), "--payloads is '1e3'"),
        (("--payloads", ""), "--payloads names 0 numbers: allowed are 1 to 16"),
        (("--container", "tree"), "--container is 'tree': allowed are hashtable, idr, list, llist, maple, rbtree, rhashtable, sorted_array, xarray"),
        (("--op", "sort"), "--op is 'sort': allowed are fill, find, for_each, erase"),
        (("--order", "random"), "--order is 'random': allowed are shuffled, sequential"),
        (("--alloc", ""), "--alloc is ''"),
        (("--erase-order", "value"), "--erase-order is 'value': allowed are key, insertion"),
        (("--lookups", "-1"), "--lookups is '-1'"),
        (("--misses", "101"), "--misses is '101': allowed are whole numbers from 0 to 100"),
        (("--seed", str(1 << 64)), "--seed is '18446744073709551616'"),
        (("--warmup", "x"), "--warmup is 'x'"),
        (("--patience", "1001"), "--patience is '1001'"),
        (("--threads", "0", "--target", "qemu"), "--threads is '0': allowed are whole numbers from 1 to 63"),
        (("--threads", "2"), "--threads 2: 2 readers and a writer need 3 CPUs, target uml has 1"),
        (("--threads", "1"), "--threads 1: 1 reader and a writer need 2 CPUs, target uml has 1"),
        (("--threads", *map(str, range(1, 18)), "--target", "qemu"), "--threads names 17 numbers"),
        (("--writes", "5"), "--writes 5 has no use without --threads"),
        (("--threads", "1", "--writes", "-1"), "--writes is '-1'"),
        (("--timeout", "0"), "--timeout is '0'"),
        (("--output", "file.csv"), "--output is 'file.csv': allowed are names that end in .json"),
    ],
)
def test_bad_options_get_one_sentence(argv: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan(*argv)
    assert str(caught.value).startswith(sentence)
    assert caught.value.exit_code == 2


FRAMES = (
    "noise before\n@dsbench begin 4\n@dsbench progress 4 2 6\n@dsbench report 4\n"
    f"{REPORT}@dsbench samples 4\n{SAMPLES}@dsbench end 4\n"
)


def follow(output: str, chunk: int) -> tuple[list[StageResult], list[tuple[str, int, int]], SweepStream]:
    stages: list[StageResult] = []
    progress: list[tuple[str, int, int]] = []
    stream = SweepStream(lambda stage, done, total: progress.append((stage, done, total)), stages.append, runs_of(["4", "9", DATAPATH]))
    data = output.encode()
    for start in range(0, len(data), chunk):
        stream.feed(data[start : start + chunk])
    return stages, progress, stream


@pytest.mark.parametrize("chunk", [1, 7, 100_000])
def test_the_stream_is_cut_up_whatever_its_pieces(chunk: int) -> None:
    stages, progress, stream = follow(FRAMES * 2, chunk)
    assert stream.failure is None
    assert progress == [("4", 0, 0), ("4", 2, 6)] * 2
    assert [(stage.stage, stage.topology) for stage in stages] == [("4", None)] * 2
    assert [cell.name for cell in stages[0].cells] == ["list/fill/4", "list/find/4"]


def test_a_stage_whose_modules_cannot_be_unloaded_is_kept_and_told() -> None:
    stages, _, stream = follow(f"{FRAMES}@dsbench failed 4\n[   1.0] dsbench: in use\n@dsbench end 4\n", 100)
    assert [stage.stage for stage in stages] == ["4"]
    assert str(stream.failure) == "the kernel refused the run of n=4: in use"


def test_a_size_that_is_cut_off_is_not_taken() -> None:
    stages, _, stream = follow(FRAMES + FRAMES[:-20], 100)
    assert (len(stages), stream.failure) == (1, None)


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            "@dsbench begin 9\n@dsbench failed 9\n[   1.0] dsbench: dsbench: n=9: needs more memory\n"
            "[   1.0] dsbench: `9' invalid for parameter `n'\n@dsbench end 9\n",
            "the kernel refused the run of n=9: n=9: needs more memory",
        ),
        ("@dsbench begin 9\n@dsbench failed 9\n@dsbench end 9\n", "the run of n=9: it left no message"),
        ("@dsbench failed 9\n[   1.0] dsbench: no memory\n@dsbench end 9\n", "the kernel refused the run of n=9: no memory"),
        (FRAMES.replace("state=complete", "state=interrupted"), "the run of n=4 was not completed"),
        (FRAMES.replace("1,list,find,4,2,2,-1,0\n", ""), "it lacks the 3 tries of list/find/4"),
        (FRAMES.replace(SAMPLES, ""), "the samples file is empty"),
        (
            "@dsbench begin datapath\n@dsbench topology datapath\ndevice veth:veth0:192.0.2.2\n@dsbench failed datapath\n"
            "[   1.0] dsbench_tunnel: underlay=veth0: must be a veth\n@dsbench end datapath\n",
            "the kernel refused the run of the datapath: underlay=veth0: must be a veth",
        ),
        (
            "@dsbench begin datapath\n@dsbench topology datapath\nsh: not found\n@dsbench end datapath\n",
            "the datapath's topology is damaged: it has the line 'sh: not found'",
        ),
    ],
)
def test_failures_are_kept_for_the_end(output: str, sentence: str) -> None:
    stages, _, stream = follow(output + FRAMES, 50)
    assert stages == []
    assert sentence in str(stream.failure)


DATAPATH_FRAMES = (
    "@dsbench begin datapath\n@dsbench topology datapath\n"
    "device veth:veth0:192.0.2.2\ndevice udptun:udptun0:10.99.2.2\nabsent bareudp this kernel has no bareudp\n"
    "@dsbench progress datapath 1 6\n@dsbench report datapath\n"
    f"{DATAPATH_REPORT}@dsbench samples datapath\n{DATAPATH_SAMPLES}@dsbench end datapath\n"
)


def test_the_datapath_follows_the_sizes() -> None:
    (size, datapath), progress, stream = follow(FRAMES + DATAPATH_FRAMES, 9)
    assert stream.failure is None
    assert progress[2:] == [("datapath", 0, 0), ("datapath", 1, 6)]
    assert (size.stage, datapath.stage) == ("4", "datapath")
    assert datapath.topology == Topology(("veth", "udptun"), {"bareudp": "this kernel has no bareudp"})
    assert [cell.name for cell in datapath.cells] == ["veth/path/1400", "udptun/path/1400"]
    assert {cell.work for cell in datapath.cells} == {"packet"}


def test_no_device_is_no_failure_of_the_stream() -> None:
    words = "@dsbench begin datapath\n@dsbench topology datapath\nabsent veth this kernel has no network\n"
    (stage,), _, stream = follow(words + "@dsbench end datapath\n", 5)
    assert stream.failure is None
    assert (stage.report, stage.cells) == (None, [])
    assert stage.topology == Topology((), {"veth": "this kernel has no network"})


def test_the_datapath_is_for_guests_unless_asked_for() -> None:
    made = plan("--container", "list", "--op", "fill", "--sizes", "64").datapath
    assert made is not None
    assert (made.required, made.devices, made.payloads) == (False, kinds_of(DEVICES, None), (64, 512, 1400, 64400))
    on_rust = plan("--target", "qemu", "--kernel", "rust").datapath
    assert on_rust is not None and on_rust.devices == DEVICES
    assert plan("--target", "host").datapath is None
    assert plan("--no-datapath").datapath is None
    asked = plan("--target", "host", "--datapath", "--seed", "7").datapath
    assert asked is not None
    assert (asked.required, asked.settings) == (True, ("seed=7",))
    chosen = plan("--device", "vxlan,udptun", "--payloads", "1400 64").datapath
    assert chosen is not None
    assert (chosen.required, chosen.devices, chosen.payloads) == (True, ("veth", "udptun", "vxlan"), (64, 1400))


def test_bursts_are_of_packets_that_are_no_gso_packets() -> None:
    usual = plan().datapath
    assert usual is not None
    assert usual.bursts == (1, 8, 64)
    made = plan("--device", "fou", "--payloads", "1400", "1401", "--burst", "8,2").datapath
    assert made is not None
    assert made.names == [
        f"{device}/{op}/{cell}"
        for device, cell in [
            *((device, f"1400{burst}") for device in ("veth", "fou") for burst in ("", "/burst:2", "/burst:8")),
            ("veth", "1401"), ("fou", "1401"),
        ]
        for op in ("tx", "rx", "path")
    ]  # fmt: skip
    assert tunnel_settings(made).split()[-1] == "burst=2,8"
    none = plan("--burst", "0").datapath
    assert none is not None
    assert (none.bursts, tunnel_settings(none).split()[-1]) == ((), "burst=0")


def test_how_packets_are_made_is_told_to_the_module_where_the_user_says_so() -> None:
    usual, chosen = plan().datapath, plan("--hash", "0", "--sink-gro", "0", "--protocol", "tcp").datapath
    assert usual is not None and chosen is not None
    assert tunnel_settings(usual) == "payloads=64,512,1400,64400 packets=32 burst=1,8,64"
    assert tunnel_settings(chosen) == tunnel_settings(usual) + " hash=0 sink_gro=0 protocol=tcp"


def test_a_line_about_packets_that_no_module_prints_is_refused() -> None:
    assert packet_settings(["hash=1", "protocol=tcp"]) == {"hash": 1, "protocol": "tcp"}
    for line in ("hash", "hash=", "n=1"):
        with pytest.raises(HarnessError, match="/proc/dsbench is damaged: it has the packets' setting"):
            packet_settings([line])


def test_readers_need_cpus() -> None:
    made = plan("--target", "qemu", "--threads", "3", "1,3")
    assert (made.threads, made.cpus) == ((1, 3), 4)
    assert "threads=1,3" in made.settings
    assert made.cells_of_size == 4 * len(made.containers) + 4 + 2 * 2 * len(made.containers)
    alone = plan("--threads", "1", "--writes", "0", "--op", "fill", "find")
    assert (alone.cpus, alone.cells_of_size) == (1, 3 * len(alone.containers) + 4)
    assert {"threads=1", "writes=0"} <= set(alone.settings)
    assert plan().cpus == 1


def test_how_many_cells_there_will_be() -> None:
    made = plan("--sizes", "1 2", "--container", "list,rbtree", "--op", "find", "--device", "fou", "--payloads", "64")
    assert made.cells == 2 * (2 + 4) + 2 * 3 * (1 + 3)


@pytest.mark.parametrize("script", ["sweep.sh", "ab.sh", "stage.sh", "packets.sh", "datapath.sh", "peers.sh"])
def test_the_scripts_are_sound_shell(script: str) -> None:
    subprocess.run(["sh", "-n", GUEST / script], check=True)


def test_a_cpu_is_one_that_this_process_may_use() -> None:
    usable = os.sched_getaffinity(0)
    cpu = min(usable)
    assert plan("--cpu", str(cpu)).cpu == cpu
    assert "cpu=0" not in plan("--cpu", str(cpu)).settings, "a guest has a CPU 0 of its own"
    assert f"cpu={cpu}" in plan("--cpu", str(cpu), "--target", "host").settings
    assert plan().cpu is None
    for text, sentence in (
        (str(max(usable) + 1), f"--cpu is {max(usable) + 1}: allowed are the CPUs that are online and open to this process, "),
        ("-1", "--cpu is '-1'"),
        ("first", "--cpu is 'first'"),
    ):
        with pytest.raises(UsageError, match=re.escape(sentence)):
            plan("--cpu", text)
    with pytest.raises(UsageError, match="--cpu has no use with --threads"):
        plan("--cpu", str(cpu), "--threads", "1", "--target", "qemu")


@pytest.mark.parametrize(("numbers", "text"), [({0}, "0"), ({0, 1, 2, 3, 6}, "0-3, 6"), ({1, 4, 5}, "1, 4-5")])
def test_cpus_in_words(numbers: set[int], text: str) -> None:
    assert sweep._ranges(numbers) == text
