# SPDX-License-Identifier: GPL-2.0
"""The mark of the encapsulated packets: inherited, set, cleared."""

from __future__ import annotations

import ctypes
import socket
import struct

from case_underlays import path_mtu_is_learned
from checks import equal
from commands import ip, run, tunctl
from datagrams import exchange, silent
from lab import Cable, Machine
from packets import ETH_P_ALL, INNER, OUTER, PACKET_OUTGOING, Packet
from registry import case, over_both

SO_MARK, SO_ATTACH_FILTER = 36, 26
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
MARK_OF_PACKET = 0xFFFFF000 + 20
"""SKF_AD_OFF + SKF_AD_MARK: where a socket filter finds the mark."""


class Outgoing:
    """The UDP packets with this mark that leave a device of the namespace that we are in."""

    def __init__(self, device: str, mark: int) -> None:
        program = b"".join(
            struct.pack("=HBBI", *code)
            for code in ((LOAD, 0, 0, MARK_OF_PACKET), (EQUAL, 0, 1, mark), (RETURN, 0, 0, 0xFFFF), (RETURN, 0, 0, 0))
        )
        self._program = ctypes.create_string_buffer(program)
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self._socket.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(program) // 8, ctypes.addressof(self._program))
        )
        self._socket.bind((device, ETH_P_ALL))
        self._socket.setblocking(False)

    def count(self) -> int:
        """How many there have been since the last count."""
        found = 0
        while True:
            try:
                data, (_, _, direction, *_) = self._socket.recvfrom(1 << 16)
            except BlockingIOError:
                return found
            found += direction == PACKET_OUTGOING and Packet.parse(data) is not None


# options, mark of the inner packet: mark of the outer one
MARKS = (
    ("fwmark inherit", 0, 0), ("fwmark inherit", 5, 5),
    ("fwmark 0", 5, 0), ("fwmark 0", 0, 0),
    ("fwmark 5", 0, 5), ("fwmark 5", 0x70, 5),
    ("fwmark 4/4", 1, 5), ("fwmark 4/4", 0, 4), ("fwmark 4/0xc", 0xFF, 0xF7),
    ("fwmark 0/1", 5, 4), ("fwmark 0xffffffff", 1, 0xFFFFFFFF),
)  # fmt: skip


@over_both
def fwmark(outer: int) -> None:
    """Each bit of the mark is inherited, set or cleared, in the packet and for its route, which is not the cached one of others."""
    cable = Cable(outer)
    with cable.a:
        run("ip", f"-{outer}", "rule", "add", "fwmark", "5", "to", OUTER[outer][1], "table", "5")
        run("ip", f"-{outer}", "route", "add", "blackhole", "default", "table", "5")
    left, right = cable.pair(4)
    with left, right:
        for options, inside, outside in (*MARKS, *reversed(MARKS)):
            with cable.a:
                tunctl(f"set tun0 {options}")
                outgoing = Outgoing("veth0", outside)
            left.setsockopt(socket.SOL_SOCKET, SO_MARK, inside)
            if outside == 5:
                lose(left, right)
                continue
            exchange(left, right, b"x")
            equal(f"packets of mark {outside:#x} with {options}, {inside:#x} inside", outgoing.count(), 1)


def lose(sender: socket.socket, receiver: socket.socket) -> None:
    """Failure when a datagram arrives."""
    try:
        sender.send(b"into the black hole")
    except OSError:
        pass
    silent(receiver)


@over_both
def default_route_through_the_tunnel(outer: int) -> None:
    """All packets but those that the tunnel marks take the tunnel; without the mark, its own would, too."""
    cable = Cable(outer, "", only_a="fwmark 51820")
    far = {4: "172.16.0.1", 6: "fd16::1"}[outer]
    with cable.a:
        run("ip", f"-{outer}", "route", "add", "default" if outer == 4 else "::/0", "dev", "tun0", "table", "51820")
        run("ip", f"-{outer}", "rule", "add", "not", "fwmark", "51820", "table", "51820")
    with cable.b:
        ip(f"addr add {far}/{32 if outer == 4 else 128} dev lo")
    receiver, sender = cable.b.udp(outer, far), cable.a.udp(outer, INNER[outer][0])
    with receiver, sender:
        sender.connect(receiver.getsockname()[:2])
        exchange(sender, receiver, b"by default")
        with cable.a:
            tunctl("set tun0 fwmark 0")
        before = cable.a.counters("tun0").tx_collisions
        lose(sender, receiver)
        equal("loops", cable.a.counters("tun0").tx_collisions - before, 1)
        with cable.a:
            tunctl("set tun0 fwmark 51820")
        exchange(sender, receiver, b"by default, again")


@case
def fwmark_in_another_namespace() -> None:
    """The mark is set in the socket's namespace; bits of a mark from elsewhere are not inherited."""
    cable, c = Cable(), Machine("c")
    with cable.a:
        ip(f"rule add fwmark 5 to {OUTER[4][1]} table 5\nroute add blackhole default table 5\nlink set tun0 netns c")
    cable.address(0, c)
    left, right = c.udp(4, INNER[4][0]), cable.b.udp(4, INNER[4][1])
    left.connect(right.getsockname())
    with left, right:
        left.setsockopt(socket.SOL_SOCKET, SO_MARK, 1)
        with c:
            tunctl("set tun0 fwmark 4/4")
        with cable.a:
            outgoing = Outgoing("veth0", 4)
        exchange(left, right, b"x")
        equal("packets of mark 4", outgoing.count(), 1)
        with c:
            tunctl("set tun0 fwmark 5/5")
        lose(left, right)


@over_both
def path_mtu_with_fwmark(outer: int) -> None:
    """ICMP about the path of the mark is heeded although unmarked packets go elsewhere."""
    path_mtu_is_learned(outer, "fwmark 5")
