# SPDX-License-Identifier: GPL-2.0
"""Several CPUs send and receive through one tunnel at once, packets change CPUs on the way, and a CPU goes offline under traffic."""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from checks import PATIENCE, Failure, Skip, equal, eventually, true
from commands import ip, run
from lab import Cable
from packets import INNER
from registry import case
from streams import transfer
from traffic import floods, running

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
