# SPDX-License-Identifier: GPL-2.0
"""The queues behind the tunnel: packets stay in order and none is stuck, however many a queue holds and whoever delivers them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from case_offloads import UDP_GRO, UDP_SEGMENT, merging
from checks import PATIENCE, Failure, equal
from commands import ip, run
from datagrams import exchange
from lab import Cable
from packets import INNER
from registry import case
from streams import transfer
from traffic import flowing, floods, running

DATAGRAM = 100
BURSTS = (1, 2, 1, 40, 1, 1, 8, 60, 60, 1, 3) * 3
"""Datagrams that are sent at a time: the kernel's UDP_SEGMENT takes 64 at most on the oldest kernel."""

UNDER_WAY = 100
"""More datagrams than these are awaited before the next burst: veth with GRO queues 256, and drops the others while its poll is put off."""

GRO_FLUSH_NS = 20_000_000
NAPI_WEIGHT = 64
"""Packets that a poll takes at most."""

SIOCSIFFLAGS = 0x8914
PF_KTHREAD = 0x200000

HOLD_SECONDS = 0.05
"""CPU time for which a process holds the CPU: many times that of a grace period."""


@case
def single_packets_and_batches_stay_in_order() -> None:
    """A packet that is alone does not pass GRO, a batch does unless a capture shares its packets: none overtakes another.

    With gro_flush_timeout, NAPI leaves packets in GRO after a poll, unless the driver takes them out. The sender stays on one CPU: each
    CPU has a queue of its own, so a sender that moves may overtake its own packets.
    """
    cable = merging()
    os.sched_setaffinity(0, {0})
    try:
        _all_stay_in_order(cable)
    finally:
        os.sched_setaffinity(0, range(os.cpu_count() or 1))


def _all_stay_in_order(cable: Cable) -> None:
    run("ip", "netns", "exec", "b", "sh", "-c", f"echo {GRO_FLUSH_NS} >/sys/class/net/tun0/gro_flush_timeout")
    for inner in (4, 6):
        for gro in (False, True):
            for captured in (False, True):
                held = [cable.b.sniffer("veth0") for _ in range(captured)]
                left, right = cable.pair(inner)
                with left, right:
                    right.setsockopt(socket.IPPROTO_UDP, UDP_GRO, gro)
                    found, sent = numbered(left, right)
                    how = f"over IPv{inner} with UDP_GRO {gro}, captured {captured}"
                    equal(f"numbers lost {how}", sorted(set(sent) - set(found)), [])
                    equal(f"order {how}", found, sent)
                del held


def numbered(left: socket.socket, right: socket.socket) -> tuple[list[int], list[int]]:
    """Send numbered datagrams, alone and in batches. Return the numbers that arrive, and those that were sent."""
    found = bytearray()
    left.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, DATAGRAM)
    sent = 0
    for burst in BURSTS:
        left.send(b"".join(number.to_bytes(DATAGRAM, "big") for number in range(sent, sent + burst)))
        sent += burst
        while select.select([right], [], [], PATIENCE if sent * DATAGRAM - len(found) > UNDER_WAY * DATAGRAM else 0)[0]:
            found += right.recv(1 << 17)
    while len(found) < sent * DATAGRAM and select.select([right], [], [], PATIENCE)[0]:
        found += right.recv(1 << 17)
    places = range(0, len(found), DATAGRAM)
    return [int.from_bytes(found[place : place + DATAGRAM], "big") for place in places], list(range(sent))


@case
def threads_deliver_under_load() -> None:
    """Threads deliver the packets of both ends: streams do not stall beside other traffic, and a device can be deleted under a flood.

    The traffic beside the streams does not fill the queues: TCP that loses a third of its packets waits longer than a case can.
    """
    cable = merging()
    for machine in (cable.a, cable.b):
        run("ip", "netns", "exec", machine.name, "sh", "-c", "echo 1 >/sys/class/net/tun0/threaded")
    with running(*floods(cable, pause=0.02)):
        transfer(cable.a, cable.b, 4, 1 << 20)
        transfer(cable.b, cable.a, 6, 1 << 20, address=INNER[6][0])
    with running(*floods(cable)):
        flowing(cable)
        for machine in (cable.a, cable.b):
            with machine:
                ip("link del tun0")


@case
def down_and_up_under_traffic() -> None:
    """While the device is down it receives nothing; when it is up again no packet is stuck in its queue."""
    cable = merging()
    with running(*floods(cable)):
        for _ in range(20):
            flowing(cable)
            with cable.a:
                ip("link set tun0 down")
                before = cable.a.counters("tun0")
                time.sleep(0.02)
                equal("packets received while down", (cable.a.counters("tun0") - before).rx_packets, 0)
                ip(f"link set tun0 up\naddr add {INNER[6][0]}/64 dev tun0 nodad")
    cable.check()
    cable.check(6)


@case
def what_is_queued_is_dropped_at_close() -> None:
    """The thread of a device has not delivered its packets when the device goes down: none of them arrives when it is up again."""
    cable = Cable()
    run("ip", "netns", "exec", "b", "sh", "-c", "echo 1 >/sys/class/net/tun0/threaded")
    left, right = cable.pair(4)
    exchange(left, right, b"before")
    before = cable.b.counters("tun0").rx_dropped
    for _ in range(10):
        with cable.b, ahead_of_napi_threads(), socket.socket() as control:
            for _ in range(3 * NAPI_WEIGHT):
                left.send(b"queued")
            fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"tun0", 0))
        while select.select([right], [], [], 0)[0]:
            right.recv(DATAGRAM)
        with cable.b:
            ip("link set tun0 up")
        exchange(left, right, b"after")
        if cable.b.counters("tun0").rx_dropped > before:
            return
    raise Failure("no packet was dropped: the thread has delivered all of them, or they arrived when the device was up again")


@contextlib.contextmanager
def ahead_of_napi_threads() -> Iterator[None]:
    """Do not let NAPI threads run, not even while the kernel waits for a grace period before it stops the device.

    A process takes the CPU then, but not from the kernel's other threads, which end the grace period. The device stops when a
    NAPI thread has polled once more: the process sleeps by then.
    """
    threads = [thread for thread in kernel_threads() if not thread.name.startswith("napi/")]
    for thread in threads:
        thread.schedule(os.SCHED_FIFO, 3)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(2))
    try:
        with running(hold_the_cpu):
            yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        for thread in threads:
            thread.schedule(os.SCHED_OTHER, 0)


def hold_the_cpu() -> None:
    """Spin, below the priority of the sender, for longer than a grace period."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    while time.process_time() < HOLD_SECONDS:
        pass
    signal.pause()


@dataclass(frozen=True)
class Thread:
    """A thread of the kernel."""

    number: int
    name: str

    def schedule(self, policy: int, priority: int) -> None:
        """Set its policy, unless it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.sched_setscheduler(self.number, policy, os.sched_param(priority))


def kernel_threads() -> list[Thread]:
    """Return the threads of the kernel that are not real-time ones."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            name, _, rest = (path / "stat").read_text(encoding="utf-8").partition("(")[2].rpartition(")")
            is_of_the_kernel = int(rest.split()[6]) & PF_KTHREAD
            if is_of_the_kernel and os.sched_getscheduler(int(path.name)) == os.SCHED_OTHER:
                found.append(Thread(int(path.name), name))
    return found
