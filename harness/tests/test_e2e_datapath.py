# SPDX-License-Identifier: GPL-2.0
"""dsbench_tunnel.ko in the UML guest: its measurements, rejected parameters, and devices that go. One guest runs all scripts."""

from __future__ import annotations

import re

import pytest
from dsharness import paths, targets
from dsharness.results import datapath
from guests import PARAMETERS, RUN, header, script, table

pytest_plugins = ["guests"]
pytestmark = pytest.mark.xdist_group("datapath")

OPS = ("tx", "rx", "path")

# A veth into another namespace, and a vxlan tunnel through it. Neighbours are permanent, so nothing else sends packets.
TOPOLOGY = """
set -e
ip netns add far
ip link add veth0 type veth peer name veth0 netns far
ip link add vxlan0 type vxlan id 1 local 192.0.2.1 remote 192.0.2.2 dstport 4789 dev veth0
ip -n far link add vxlan0 type vxlan id 1 local 192.0.2.2 remote 192.0.2.1 dstport 4789 dev veth0
for link in veth0:192.0.2 vxlan0:10.9.0; do
    dev=${link%:*} net=${link#*:}
    ip address add $net.1/24 dev $dev; ip -n far address add $net.2/24 dev $dev
    ip link set $dev up; ip -n far link set $dev up
    ip neigh replace $net.2 lladdr $(ip netns exec far cat /sys/class/net/$dev/address) dev $dev nud permanent
    ip -n far neigh replace $net.1 lladdr $(cat /sys/class/net/$dev/address) dev $dev nud permanent
done
set +e
insmod dsbench.ko autorun=0 tries=5 warmup=0
"""

DEVICES = "devices=veth:veth0:192.0.2.2,vxlan:vxlan0:10.9.0.2"
LOAD = f"insmod dsbench_tunnel.ko underlay=veth0 {DEVICES}"
# Selects the devices only: the core does not ask modprobe for containers that are not selected.
SELECT = f"echo veth,vxlan > {PARAMETERS}/containers"


@pytest.fixture(scope="module")
def target() -> targets.Target:
    """The UML guest."""
    return targets.get("uml")


def cells(text: str) -> set[tuple[str, str, int]]:
    """Device, operation and payload of every row."""
    return {(row.container, row.op, row.n) for row in table(text, ("veth", "vxlan"))}


@script(f"{TOPOLOGY}{LOAD} payloads=64,1400,64400; {SELECT}; echo 1 > {RUN}; cat /proc/dsbench")
def test_every_operation_at_every_payload(output: str) -> None:
    assert "state=complete" in output, output
    assert cells(output) == {(device, op, n) for device in ("veth", "vxlan") for op in OPS for n in (64, 1400, 64400)}


@script(f"{TOPOLOGY}{LOAD} payloads=64,64400 packets=50 burst=8,1,60; {SELECT}; echo 1 > {RUN}; cat /proc/dsbench /sys/kernel/debug/dsbench/samples")
def test_every_burst_has_rows_of_its_own(output: str) -> None:
    assert "state=complete" in output, output
    devices = ("veth", "vxlan")
    found = {(row.container, row.op, row.n, row.burst) for row in table(output, devices)}
    bursts = [(64, 0), (64, 1), (64, 8), (64, 60), (64400, 0)]
    assert found == {(device, op, n, burst) for device in devices for op in OPS for n, burst in bursts}
    _, _, samples = output.partition("run,container,op,n,elements,")
    elements = {(int(n), int(burst)): int(packets) for n, packets, burst in re.findall(r"^1,v\w+,path,(\d+),(\d+),.*,(\d+)$", samples, re.MULTILINE)}
    assert elements == {(64, 0): 50, (64, 1): 50, (64, 8): 48, (64, 60): 60, (64400, 0): 8}


EXCHANGES = ("hash=0", "sink_gro=0", "protocol=tcp", "hash=0 protocol=tcp")


@script("\n".join([TOPOLOGY, "dmesg -c >&2", *(
    f"{LOAD} payloads=64,1400,64400 burst=64 {settings}; {SELECT}; echo 1 > {RUN}; cat /proc/dsbench; rmmod dsbench_tunnel; echo ---"
    for settings in EXCHANGES
), "dmesg"]))
def test_packets_arrive_whole_however_they_are_made(output: str) -> None:
    *answers, log = output.split("---\n")
    for settings, answer in zip(EXCHANGES, answers, strict=True):
        assert answer.count("state=complete") == 1, (settings, answer)
        found = {(row.container, row.op, row.n, row.burst) for row in table(answer, ("veth", "vxlan"))}
        assert found == {
            (device, op, n, burst) for device in ("veth", "vxlan") for op in OPS for n, burst in ((64, 0), (64, 64), (1400, 0), (1400, 64), (64400, 0))
        }, settings
    assert not re.search("BUG|WARNING|Call Trace", log), log


@script(f"""{TOPOLOGY}{LOAD} payloads=64 burst=0 peers=3; echo veth > {PARAMETERS}/containers
    mac=$(ip netns exec far cat /sys/class/net/veth0/address)
    for host in 3 4; do ip neigh replace 192.0.2.$host lladdr $mac dev veth0 nud permanent; done
    ip -n far address add 192.0.2.3/24 dev veth0
    echo 1 > {RUN}; cat /proc/dsbench; echo ---
    ip -n far address add 192.0.2.4/24 dev veth0
    echo 1 > {RUN}; cat /proc/dsbench
""")
def test_packets_go_to_all_peers(output: str) -> None:
    lacking, whole = output.split("---\n")
    assert re.search(r"veth gave a wrong answer in (rx|path) at n=64", lacking), lacking
    assert "state=complete" in whole, whole


@script(f"""{TOPOLOGY}{LOAD} payloads=64 burst=0 protocol=tcp; {SELECT}
    ip -n far address del 10.9.0.2/24 dev vxlan0; echo 1 > {RUN}; cat /proc/dsbench
""")
def test_segments_that_do_not_arrive_fail_the_run(output: str) -> None:
    assert "state=failed" in output
    assert re.search(r"vxlan gave a wrong answer in (rx|path) at n=64", output)


@script(f"{TOPOLOGY}{LOAD} payloads=64 burst=0; {SELECT}; echo 1 > {RUN}; cat /proc/dsbench")
def test_a_burst_of_0_stands_for_none(output: str) -> None:
    assert "state=complete" in output, output
    assert {row.burst for row in table(output, ("veth", "vxlan"))} == {0}


@script(
    """
    mkdir /tmp/without; ln -s -t /tmp/without /usr/bin/* /usr/sbin/* 2> /dev/null; rm -f /tmp/without/wg
    PATH=/tmp/without sh ./datapath.sh up mark veth vxlan wireguard; echo status $?
    """,
    files=[datapath.SCRIPT],
)
def test_an_absent_device_is_named_and_the_others_are_made(output: str) -> None:
    assert [line.split()[:2] for line in output.splitlines()] == [
        ["device", "veth:veth0:192.0.2.2"],
        ["device", "vxlan:vxlan0:10.99.2.2"],
        ["options", "vxlan"],
        ["absent", "wireguard"],
        ["status", "0"],
    ]


@script(f"{TOPOLOGY}{LOAD} payloads=512; insmod dsbench_list.ko; echo veth,list > {PARAMETERS}/containers; echo 1 > {RUN}; cat /proc/dsbench")
def test_containers_and_devices_in_one_run(output: str) -> None:
    assert cells(output) == {("veth", op, 512) for op in OPS}
    assert len(re.findall(r"^list ", output, re.MULTILINE)) == 4
    assert len(header(output, "run")) == 1


REJECTED = [
    (f"underlay=eth9 {DEVICES}", "underlay=eth9: no such device"),
    (DEVICES, "underlay=: no such device"),
    (f"underlay=lo {DEVICES}", "underlay=lo: must be a veth"),
    ("underlay=veth0", "devices=: must be a comma-separated list of 1 to 16 LABEL:INTERFACE:IPV4-ADDRESS"),
    ("underlay=veth0 devices=veth0", "devices=veth0: must be a comma-separated list of 1 to 16"),
    ("underlay=veth0 devices=a:veth0:10.0.0", "devices=a:veth0:10.0.0: must be a comma-separated list of 1 to 16"),
    ("underlay=veth0 devices=averyverylonglabel:veth0:10.0.0.2", "labels of at most 15 characters"),
    ("underlay=veth0 devices=a:eth7:10.0.0.2", "devices=a:eth7: no such device"),
    (f"underlay=veth0 {DEVICES} packets=0", "packets=0: must be a whole number from 1 to 64"),
    (f"underlay=veth0 {DEVICES} packets=65", "packets=65: must be a whole number from 1 to 64"),
    (f"underlay=veth0 {DEVICES} payloads=64,0", "payloads=0: must be whole numbers from 1 to 64400"),
    (f"underlay=veth0 {DEVICES} payloads=65536", "payloads=65536: must be whole numbers from 1 to 64400"),
    (f"underlay=veth0 {DEVICES} hash=2", "hash=2: must be 0 or 1"),
    (f"underlay=veth0 {DEVICES} sink_gro=2", "sink_gro=2: must be 0 or 1"),
    (f"underlay=veth0 {DEVICES} peers=0", "peers=0: must be a whole number from 1 to 65536"),
    (f"underlay=veth0 {DEVICES} peers=65537", "peers=65537: must be a whole number from 1 to 65536"),
    (f"underlay=veth0 {DEVICES} protocol=sctp", "protocol=sctp: must be udp or tcp"),
    (f"underlay=veth0 {DEVICES} burst=8,65", "burst=65: must be whole numbers from 1 to 64, or 0 alone for none"),
    (f"underlay=veth0 {DEVICES} burst=0,8", "burst=0: must be whole numbers from 1 to 64"),
    (f"underlay=veth0 {DEVICES} burst=8,1,8", "burst=8: must be named once"),
    ("underlay=veth0 devices=a:veth0:192.0.2.2,a:vxlan0:10.9.0.2", "container a: the name is taken"),
]


def load_rejected() -> str:
    """A script that tries to load the module with each rejected argument, and prints the kernel's log after each."""
    attempts = (f"dmesg -c >&2; insmod dsbench_tunnel.ko {arguments} && echo LOADED; dmesg; lsmod" for arguments, _ in REJECTED)
    return "\n".join([TOPOLOGY, *(f"{attempt}; echo ---" for attempt in attempts)])


@script(load_rejected())
def test_rejected_parameters(output: str) -> None:
    *answers, rest = output.split("---\n")
    assert not rest
    for (arguments, sentence), answer in zip(REJECTED, answers, strict=True):
        assert "LOADED" not in answer, arguments
        assert sentence in answer, arguments
        assert re.search("^dsbench ", answer, re.MULTILINE), arguments
        assert not re.search("^dsbench_tunnel", answer, re.MULTILINE), arguments


@script(f"""{TOPOLOGY}{LOAD} payloads=64; {SELECT}
    ip -n far address del 10.9.0.2/24 dev vxlan0; echo 1 > {RUN}; cat /proc/dsbench
""")
def test_packets_that_do_not_arrive_fail_the_run(output: str) -> None:
    assert "state=failed" in output
    assert re.search(r"vxlan gave a wrong answer in (rx|path) at n=64", output)
    assert cells(output) == {("veth", op, 64) for op in OPS}


@script(f"""{TOPOLOGY}{LOAD} payloads=64; {SELECT}; echo 1000 > {PARAMETERS}/tries; echo 1 > {RUN}
    until grep -q 'running [1-9][0-9]' {RUN}; do :; done
    ip link del vxlan0; cat /proc/dsbench; rmmod dsbench_tunnel dsbench && echo UNLOADED
""")
def test_a_device_that_goes_during_the_run(output: str) -> None:
    assert "state=failed" in output
    assert cells(output) == {("veth", op, 64) for op in OPS}
    assert output.endswith("UNLOADED\n")


@script(
    f"""{TOPOLOGY}{LOAD}; {SELECT}; echo 100000 > {PARAMETERS}/tries; echo 1 > {RUN}
    until grep -q 'running [1-9]' {RUN}; do :; done
    rmmod dsbench_tunnel && cat /proc/dsbench && rmmod dsbench && ip netns del far || exit
    for try in $(seq 100); do
        ip link show veth0 > /dev/null 2>&1 || {{ echo veth0 is gone; exit; }}
        sleep 0.1 # the kernel ends a namespace in the background
    done
    """,
)
def test_rmmod_during_the_run(output: str) -> None:
    assert "state=interrupted" in output
    assert "was removed during the run" in output
    assert "veth0 is gone" in output, "a namespace that was let go takes its veth with it"


STAGES = [paths.HARNESS / "guest" / name for name in ("stage.sh", "packets.sh")]


@script(
    """
    kinds=veth tunnel_settings=
    . ./stage.sh
    . ./packets.sh
    insmod dsbench.ko autorun=0
    insert dsbench insmod dsbench.ko 2>&1 || echo refused
    unload; grep -c '^dsbench ' /proc/modules
    rmmod dsbench
    insert dsbench insmod no-such-module.ko 2> /dev/null || echo wrong
    insert dsbench insmod dsbench.ko autorun=0 && insert dsbench_list insmod dsbench_list.ko && grep -c '^dsbench' /proc/modules
    unload; grep -c '^dsbench' /proc/modules
    stage_leave
    """,
    files=STAGES,
)
def test_only_modules_that_a_script_has_loaded_are_removed(output: str) -> None:
    assert output.splitlines() == ["dsbench is loaded already", "refused", "1", "wrong", "2", "0"]


@script(
    """
    ip netns add dsbench-a; ip netns add dsbench-b; ip -n dsbench-a link add veth0 type dummy
    kinds=veth tunnel_settings=
    . ./stage.sh
    . ./packets.sh
    datapath packets . tries=3 warmup=0 | sed -n '/^device/p; /state=complete/s/.*/complete/p'
    datapath_leave
    ip -n dsbench-a -o link show veth0 | grep -c veth0
    ip netns list | wc -l
    : > "$report"; ls /tmp | grep -c "dsbench\\|[.]$$"; ls /tmp | wc -l
    stage_leave; ls /tmp | wc -l
    ip netns delete dsbench-a; ip netns delete dsbench-b
    """,
    files=[datapath.SCRIPT, *STAGES],
)
def test_namespaces_and_files_have_names_of_their_own(output: str) -> None:
    assert output.splitlines() == ["device veth:veth0:192.0.2.2", "complete", "1", "2", "0", "1", "0"]
