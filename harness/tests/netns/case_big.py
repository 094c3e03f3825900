# SPDX-License-Identifier: GPL-2.0
"""BIG TCP: packets of many segments that are longer than 64 KiB."""

from __future__ import annotations

import json
import os
import select
import socket
import struct

import ethtool
from checks import Skip, equal, true
from commands import ip, run
from lab import Cable, Machine
from netlink import attribute, request
from packets import ETH_P_ALL, overhead
from registry import combined, over_both
from streams import Stream, transfer

SIZE, STREAM, LEGACY = 180_000, 8 << 20, 65536
"""Bytes of the packets that are allowed, of a stream, and of the largest packets without BIG TCP."""
GSO_IPV4, GRO_IPV4 = 63, 64
MSG_TRUNC = 0x20


@combined
def big_sent(inner: int, outer: int) -> None:
    """With a larger gso_max_size, TCP sends such packets into the tunnel: where the kernel can encapsulate them, else ip refuses."""
    cable = Cable(outer)
    with cable.a:
        (shown,) = json.loads(run("ip", "-d", "-j", "link", "show", "tun0").stdout)
        true(f"by default, packets of {shown['gso_max_size']} bytes fit with the outer header", shown["gso_max_size"] + 28 < LEGACY)
        if shown["tso_max_size"] <= LEGACY:
            done = run(*f"ip link set tun0 gso_max_size {SIZE}".split(), status=None)
            true(f"is refused in a sentence: {done.stderr.strip()}", done.status and "too big gso_max_size" in done.stderr)
            equal("version that cannot", kernel() < (7, 3), True)
            return
    for underlay in (LEGACY, SIZE + 100):
        for machine, device, size in ((cable.a, "veth0", underlay), (cable.a, "tun0", SIZE)):
            enlarge(machine, device, "gso", size)
        largest = Largest(cable.a, "tun0")
        for _ in range(8):  # how much TCP sends at once follows the timing
            transfer(cable.a, cable.b, inner, STREAM)
            if largest.seen() > LEGACY:
                break
        true(f"the largest packet has {largest.seen()} bytes", largest.seen() > LEGACY)


@over_both
def big_received(outer: int) -> None:
    """With a larger gro_max_size, GRO of the tunnel's device merges more than 64 KiB of IPv4.

    c veth1, which sends such packets ── veth1 a tun0, which cuts them ── b tun0

    TCP sets PSH at the end of each packet that it sends, and GRO merges no more there.
    """
    if kernel() < (6, 3):
        raise Skip("this kernel has BIG TCP for IPv6 only")
    cable, c = Cable(outer), Machine("c")
    ip(f"link add veth1 netns a mtu {1500 - overhead(outer)} type veth peer name veth1 netns c mtu {1500 - overhead(outer)}")
    with cable.a:
        ip("addr add 192.168.7.1/24 dev veth1\nlink set veth1 up")
        cable.a.sysctl("net/ipv4/ip_forward 1")
    with c:
        ip("addr add 192.168.7.2/24 dev veth1\nlink set veth1 up\nroute add default via 192.168.7.1")
    with cable.b:
        ip("route add 192.168.7.2 dev tun0")
        ethtool.set_gro("veth0", False)
    cable.a.ready("veth1")
    enlarge(c, "veth1", "gso", SIZE)
    enlarge(cable.b, "tun0", "gro", SIZE)
    largest = Largest(cable.b, "tun0")
    stream = Stream(c, cable.b, 4)
    for _ in range(16):  # TCP sends no more at once than half of the window, which grows
        stream.move(STREAM // 2)
        if largest.seen() > LEGACY:
            break
    true(f"the largest packet has {largest.seen()} bytes", largest.seen() > LEGACY)


def kernel() -> tuple[int, ...]:
    """Major and minor version of the kernel."""
    return tuple(int(word) for word in os.uname().release.split(".")[:2])


def enlarge(machine: Machine, device: str, what: str, size: int) -> None:
    """Set gso_max_size or gro_max_size, and that for IPv4, which the guest's ip may not know."""
    with machine:
        ip(f"link set {device} {what}_max_size {size}")
        kind = attribute({"gso": GSO_IPV4, "gro": GRO_IPV4}[what], struct.pack("=I", size))
        if kernel() >= (6, 3):
            equal(f"error of {what}_ipv4_max_size", request(kind, index=socket.if_nametoindex(device)), (0, ""))


class Largest:
    """The longest packet that passes a device, either way."""

    def __init__(self, machine: Machine, device: str) -> None:
        with machine:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self._socket.bind((device, ETH_P_ALL))
        self._largest = 0

    def seen(self) -> int:
        """Its length so far, in bytes."""
        while select.select([self._socket], [], [], 0)[0]:
            self._largest = max(self._largest, self._socket.recv_into(bytearray(1), 0, MSG_TRUNC))
        return self._largest
