# SPDX-License-Identifier: GPL-2.0
"""Netfilter and the counters of IP see the outer packets, which udptun hands to them itself."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

from case_lifetimes import moved
from checks import Skip, equal
from datagrams import exchange
from netlink import attribute
from packets import INNER
from registry import case

NETFILTER = 12
NFTABLES = 10
"""Protocol of netlink, and subsystem in it."""

BATCH_BEGIN, BATCH_END = 0x10, 0x11
NEWTABLE, DELTABLE, NEWCHAIN = 0, 2, 3
IPV4, LOCAL_OUT, DROP = 2, 3, 0
REQUEST, ACK, CREATE = 1, 4, 0x400
TABLE = b"dsbench\0"


def message(number: int, kind: int, flags: int, family: int = 0, resource: int = 0, attributes: bytes = b"") -> bytes:
    """A message of nfnetlink."""
    return struct.pack("=IHHIIBB", 20 + len(attributes), kind, REQUEST | flags, number, 0, family, 0) + struct.pack(">H", resource) + attributes


def nftables(*commands: tuple[int, bytes]) -> None:
    """Send commands of nftables, with their attributes, as one batch. Skip if the kernel has none."""
    begin, end = (message(number, kind, 0, resource=NFTABLES) for number, kind in ((0, BATCH_BEGIN), (9, BATCH_END)))
    body = b"".join(message(1 + place, NFTABLES << 8 | kind, ACK | CREATE, IPV4, 0, data) for place, (kind, data) in enumerate(commands))
    try:
        channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETFILTER)
    except OSError as error:
        raise Skip("this kernel has no nftables; the stock kernels have it") from error
    with channel:
        channel.send(begin + body + end)
        for _ in commands:
            (error_number,) = struct.unpack_from("=i", channel.recv(4096), 16)
            equal("error of nftables", -error_number, 0)


def number(kind: int, value: int) -> bytes:
    """An attribute that is a number."""
    return attribute(kind, struct.pack(">I", value))


def requests() -> int:
    """Return how many packets IP was to send in this namespace."""
    names, values = (line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Ip:"))
    return int(dict(zip(names, values))["OutRequests"])


@case
def outer_packets_are_counted_once() -> None:
    """The tunnel's device is in another namespace than its socket, so that of the socket counts the outer packets alone."""
    cable, c = moved()
    left, right = c.udp(4, INNER[4][0]), cable.b.udp(4, INNER[4][1])
    left.connect(right.getsockname())
    right.connect(left.getsockname())
    exchange(left, right, b"first")
    with cable.a:
        before = requests()
    for _ in range(10):
        exchange(left, right, b"more")
    with cable.a:
        equal("packets that IP was to send", requests() - before, 10)


@case
def outer_packets_pass_netfilter() -> None:
    """A chain of LOCAL_OUT where the socket is drops the outer packets, which the device counts."""
    cable, c = moved()
    left, right = c.udp(4, INNER[4][0]), cable.b.udp(4, INNER[4][1])
    left.connect(right.getsockname())
    right.connect(left.getsockname())
    exchange(left, right, b"before")
    hook = attribute(4, number(1, LOCAL_OUT) + number(2, 0))
    chain = attribute(1, TABLE) + attribute(3, b"out\0") + hook + number(5, DROP) + attribute(7, b"filter\0")
    with cable.a:
        nftables((NEWTABLE, attribute(1, TABLE)), (NEWCHAIN, chain))
    before, arrived = c.counters("tun0").tx_dropped, cable.b.counters("tun0").rx_packets
    for _ in range(3):
        left.send(b"dropped")
    equal("packets that the chain drops", c.counters("tun0").tx_dropped - before, 3)
    equal("packets that arrive", cable.b.counters("tun0").rx_packets - arrived, 0)
    with cable.a:
        nftables((DELTABLE, attribute(1, TABLE)))
    exchange(left, right, b"after")
