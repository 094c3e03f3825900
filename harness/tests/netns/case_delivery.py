# SPDX-License-Identifier: GPL-2.0
"""The queues behind the tunnel: packets stay in order and none is stuck, however many a queue holds and whoever delivers them."""

from __future__ import annotations

import select
import socket
import time

from case_offloads import UDP_GRO, UDP_SEGMENT, merging
from checks import equal
from commands import ip, run
from packets import INNER
from registry import case
from streams import transfer
from traffic import flowing, floods, running

DATAGRAM = 100
BURSTS = (1, 2, 1, 40, 1, 1, 8, 60, 60, 1, 3) * 3
"""Datagrams that are sent at a time: the kernel's UDP_SEGMENT takes 64 at most on the oldest kernel."""

GRO_FLUSH_NS = 20_000_000


@case
def single_packets_and_batches_stay_in_order() -> None:
    """A packet that is alone does not pass GRO, a batch does unless a capture shares its packets: none overtakes another.

    With gro_flush_timeout, NAPI leaves packets in GRO after a poll, unless the driver takes them out.
    """
    cable = merging()
    run("ip", "netns", "exec", "b", "sh", "-c", f"echo {GRO_FLUSH_NS} >/sys/class/net/tun0/gro_flush_timeout")
    for inner in (4, 6):
        for gro in (False, True):
            for captured in (False, True):
                held = [cable.b.sniffer("veth0") for _ in range(captured)]
                left, right = cable.pair(inner)
                with left, right:
                    right.setsockopt(socket.IPPROTO_UDP, UDP_GRO, gro)
                    equal(f"order over IPv{inner} with UDP_GRO {gro}, captured {captured}", *numbered(left, right))
                del held


def numbered(left: socket.socket, right: socket.socket) -> tuple[list[int], list[int]]:
    """Send numbered datagrams, alone and in batches. Return the numbers that arrive, and those that were sent."""
    found = bytearray()
    left.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, DATAGRAM)
    sent = 0
    for burst in BURSTS:
        left.send(b"".join(number.to_bytes(DATAGRAM, "big") for number in range(sent, sent + burst)))
        sent += burst
        while select.select([right], [], [], 0)[0]:
            found += right.recv(1 << 17)
    while select.select([right], [], [], 0.05)[0]:
        found += right.recv(1 << 17)
    places = range(0, len(found), DATAGRAM)
    return [int.from_bytes(found[place : place + DATAGRAM], "big") for place in places], list(range(sent))


@case
def threads_deliver_under_load() -> None:
    """Threads deliver the packets of both ends: streams do not stall beside floods, and a device can be deleted under them."""
    cable = merging()
    for machine in (cable.a, cable.b):
        run("ip", "netns", "exec", machine.name, "sh", "-c", "echo 1 >/sys/class/net/tun0/threaded")
    with running(*floods(cable)):
        transfer(cable.a, cable.b, 4, 1 << 20)
        transfer(cable.b, cable.a, 6, 1 << 20, address=INNER[6][0])
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
