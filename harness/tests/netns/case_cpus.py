# SPDX-License-Identifier: GPL-2.0
"""Several CPUs send and receive through one tunnel at once, packets change CPUs on the way, and a CPU goes offline under traffic."""

from __future__ import annotations

import json
import os
import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from case_admission import strangers
from case_offloads import UDP_SEGMENT
from case_peers import PEERS, add, address
from checks import PATIENCE, Failure, Skip, equal, eventually, true
from commands import ip, run, tunctl
from lab import Cable
from packets import INNER, OUTER, PORT, inner_packet
from registry import case
from streams import transfer
from traffic import flowing, floods, running

CPUS = (0, 1)
COUNT, WINDOW = 1500, 25
"""Datagrams of a flow, and how many of them are on their way at a time."""
SIZE = 64
OFFLINE = Path("/sys/devices/system/cpu/cpu1/online")


@dataclass(frozen=True)
class Flow:
    """Numbered datagrams from one socket to another, sent by one CPU."""

    cpu: int
    sender: socket.socket
    receiver: socket.socket

    def run(self) -> None:
        """Send all. Failure unless they arrive, each once and in order."""
        os.sched_setaffinity(0, {self.cpu})
        for first in range(0, COUNT, WINDOW):
            numbers = range(first, first + WINDOW)
            for number in numbers:
                self.sender.send(number.to_bytes(SIZE, "big"))
            equal(f"datagrams from {first} on, CPU {self.cpu}", [self._next() for _ in numbers], list(numbers))

    def _next(self) -> int:
        try:
            return int.from_bytes(self.receiver.recv(SIZE), "big")
        except TimeoutError:
            return -1


def flows(cable: Cable) -> list[Flow]:
    """Return flows of both directions and families on each CPU."""
    found = []
    for cpu in CPUS:
        for inner in (4, 6):
            left, right = cable.pair(inner)
            found += [Flow(cpu, left, right), Flow(cpu, right, left)]
    return found


def together(jobs: Sequence[Callable[[], None]]) -> None:
    """Run each job in a process of its own, all at once. Failure if one fails, with its words."""
    children = []
    for job in jobs:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            said = b""
            try:
                job()
            except Exception as error:  # noqa: BLE001 - the parent says it
                said = str(error).encode() or b"failed"
            os.write(writing, said)
            os._exit(0)
        os.close(writing)
        children.append((child, reading))
    said = [_last_words(*child) for child in children]
    if failures := [words for words in said if words]:
        raise Failure("; ".join(failures))


def _last_words(child: int, reading: int) -> str:
    with open(reading, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    return said


def needs_two() -> None:
    """Skip on one CPU."""
    if (os.cpu_count() or 1) < len(CPUS):
        raise Skip("this guest has one CPU")


def rps(machine: str, device: str, mask: int) -> None:
    """Let these CPUs receive what the device has received."""
    run("ip", "netns", "exec", machine, "sh", "-c", f"echo {mask:x} >/sys/class/net/{device}/queues/rx-0/rps_cpus")


def steered() -> int:
    """The number of packets that were steered to another CPU."""
    lines = Path("/proc/net/softnet_stat").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[9], 16) for line in lines)


def all_arrive(cable: Cable) -> None:
    """Run the flows at once. Failure unless every datagram arrives in order, and the counters have each of them once."""
    made = flows(cable)
    before = [machine.counters("tun0") for machine in (cable.a, cable.b)]
    together([flow.run for flow in made])
    for machine, start in zip((cable.a, cable.b), before, strict=True):
        found = machine.counters("tun0") - start
        sent = COUNT * len(made) // 2
        equal(f"{machine.name}: sent, received, dropped", (found.tx_packets, found.rx_packets, found.tx_dropped + found.rx_dropped), (sent, sent, 0))
        equal(f"{machine.name}: bytes", (found.tx_bytes > 0, found.rx_bytes), (True, sum(flow_bytes(flow, machine.name) for flow in made)))
    for flow in made:
        flow.sender.close()


def flow_bytes(flow: Flow, to: str) -> int:
    """The bytes of a flow that a machine's tunnel receives: inner packets."""
    four = flow.receiver.family == socket.AF_INET
    receives = flow.receiver.getsockname()[0] == INNER[4 if four else 6]["ab".index(to)]
    return COUNT * (SIZE + 8 + (20 if four else 40)) if receives else 0


@case
def cpus_send_and_receive_at_once() -> None:
    """Flows on each CPU stay in order, and no packet is counted twice or not at all."""
    needs_two()
    all_arrive(Cable())


@case
def packets_change_cpus() -> None:
    """RPS of the underlay, of the tunnel, and of both hands packets to the other CPU: flows stay in order."""
    needs_two()
    cable = Cable()
    for devices in (("veth0",), ("tun0",), ("veth0", "tun0")):
        for device in ("veth0", "tun0"):
            for machine in ("a", "b"):
                rps(machine, device, 3 if device in devices else 0)
        before = steered()
        all_arrive(cable)
        true(f"RPS of {devices} steers packets", steered() > before)


@case
def a_cpu_goes_offline_under_traffic() -> None:
    """What is in a queue of that CPU is delivered by another one: the queue works when it is back, and the device can be deleted."""
    needs_two()
    if not OFFLINE.exists():
        raise Skip("the CPUs of this kernel do not go offline")
    cable = Cable()
    for machine in ("a", "b"):
        rps(machine, "veth0", 2)
    left, right = cable.pair(4)
    with running(*floods(cable), *floods(cable)):
        for _ in range(4):
            OFFLINE.write_text("0", encoding="ascii")
            try:
                alive(left, right)
            finally:
                OFFLINE.write_text("1", encoding="ascii")
            for cpu in CPUS:
                os.sched_setaffinity(0, {cpu})
                alive(left, right)
            os.sched_setaffinity(0, set(CPUS))
    for machine in ("a", "b"):
        rps(machine, "veth0", 0)
    eventually("all queues are empty", lambda: _is_quiet(cable))
    all_arrive(cable)
    transfer(cable.a, cable.b, 4, 1 << 20)
    for end in (cable.a, cable.b):
        with end:
            ip("link del tun0")


@case
def counters_grow_under_traffic() -> None:
    """What is read of packets and of strangers, while both CPUs count them, never becomes less."""
    needs_two()
    cable = Cable()
    with cable.b:
        ip("link set veth0 gso_max_segs 1")
    with running(*floods(cable, pause=0.02), *[lambda cpu=cpu: _strange(cable, cpu) for cpu in CPUS]):
        flowing(cable)
        eventually("strangers are counted", lambda: strangers(cable) > 0)
        before = _counted(cable)
        for _ in range(20):
            found = _counted(cable)
            true(f"counters grow: {before}, then {found}", all(now >= then for now, then in zip(found, before, strict=True)))
            before = found
    eventually("all queues are empty", lambda: _is_quiet(cable))
    found = _counted(cable)
    equal("strangers by ethtool and by netlink", found[-1], found[-2])


def _counted(cable: Cable) -> list[int]:
    """Packets and bytes of a's tunnel, and its strangers, by ethtool and by netlink."""
    found = cable.a.counters("tun0")
    with cable.a:
        shown = json.loads(tunctl("show -s -j tun0").stdout)[0]["stats"]
    return [found.rx_packets, found.rx_bytes, found.tx_packets, found.tx_bytes, strangers(cable), shown["rx"]["stranger"]]


def _strange(cable: Cable, cpu: int) -> None:
    """Send packets to a's port that are from no peer, 60 by each call."""
    os.sched_setaffinity(0, {cpu})
    with cable.b.udp(4, OUTER[4][1]) as stranger:
        stranger.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1)
        for _ in range(100):
            stranger.sendto(bytes(60), (OUTER[4][0], PORT))


@case
def routes_change_under_traffic() -> None:
    """Both CPUs find outdated what the tunnels keep of routes, outgoing ones and those of several peers, and look it up again."""
    needs_two()
    cable = Cable()
    add(cable, *PEERS)
    jobs = [lambda number=number: cable.inject(inner_packet(4), source=address(number)) for number in PEERS]
    with running(*floods(cable), *floods(cable), *jobs):
        flowing(cable)
        for _ in range(100):
            for machine in (cable.a, cable.b):
                with machine:
                    machine.sysctl("net/ipv4/route/flush 1")
            time.sleep(0.01)
        flowing(cable)
    before = [cable.a.counters(f"tun{number}").rx_packets for number in PEERS]
    for number in PEERS:
        cable.inject(inner_packet(4), source=address(number))
    eventually("each peer's packet arrives", lambda: [cable.a.counters(f"tun{number}").rx_packets for number in PEERS] == [count + 1 for count in before])
    cable.check()


def _is_quiet(cable: Cable) -> bool:
    before = cable.b.counters("tun0")
    time.sleep(0.1)
    return cable.b.counters("tun0") == before


def alive(left: socket.socket, right: socket.socket) -> None:
    """Failure unless a datagram arrives in time: beside a flood some are dropped."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        left.send(b"alive")
        if select.select([right], [], [], 0.1)[0]:
            right.recv(SIZE)
            return
    raise Failure("no datagram arrives")
