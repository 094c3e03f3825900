# SPDX-License-Identifier: GPL-2.0
"""The outer header, field by field, and what it does to the packet inside."""

from __future__ import annotations

import socket

from checks import equal, true
from datagrams import exchange, learns, pattern, silent
from lab import Cable, errors
from packets import CE, ECT0, ECT1, INNER, inner_packet
from registry import case, combined, over_both

IPV6_FLOWINFO_SEND = 33


@combined
def ttl(inner: int, outer: int) -> None:
    """Fixed, 64 by default, or as inside."""
    cable = Cable(outer)
    left, right = cable.pair(inner)
    hops = (socket.IPPROTO_IP, socket.IP_TTL) if inner == 4 else (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)
    left.setsockopt(*hops, 33)
    sniffer = cable.b.sniffer("veth0")
    for options, wanted in (("", 64), ("ttl 5", 5), ("ttl 255", 255), ("ttl inherit", 33)):
        if options:
            cable.set(options)
        exchange(left, right, b"x")
        packet = sniffer.one()
        equal(f"outer TTL with {options or 'the default'}", packet.ttl, wanted)
        equal("inner TTL", packet.inside.ttl, 33)


@combined
def tos(inner: int, outer: int) -> None:
    """Fixed or as inside; the ECN bits are the packet's own in any case."""
    cable = Cable(outer)
    left, right = cable.pair(inner)
    sniffer = cable.b.sniffer("veth0")
    for options, wanted in (("tos 0", 0), ("tos 0x48", 0x48), ("tos inherit", 0x88)):
        cable.set(options)
        for ecn in (0, ECT0, ECT1):
            set_tos(left, inner, 0x88 | ecn)
            exchange(left, right, b"x")
            packet = sniffer.one()
            equal(f"outer TOS with {options}", packet.tos, wanted | ecn)
            equal("inner TOS", packet.inside.tos, 0x88 | ecn)


def set_tos(sock: socket.socket, family: int, value: int) -> None:
    """The TOS or traffic class of what a socket sends."""
    if family == 4:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, value)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, value)


@combined
def ecn(inner: int, outer: int) -> None:
    """Congestion met on the way reaches the inner packet; one that cannot carry the mark is dropped."""
    cable = Cable(outer)
    with cable.a.udp(inner, INNER[inner][0], 9) as receiver:
        sniffer = cable.a.sniffer("tun0")
        # What is inside, what is outside: what arrives.
        cases = {(0, 0): 0, (ECT0, ECT0): ECT0, (ECT0, CE): CE, (ECT1, CE): CE, (CE, ECT0): CE, (CE, 0): CE, (ECT0, 0): ECT0}
        for (inside, outside), wanted in cases.items():
            cable.inject(inner_packet(inner, tos=inside), tos=outside)
            equal(f"ECN {inside} inside, {outside} outside", sniffer.one().tos, wanted)
            equal("payload", receiver.recv(100), b"hello")
        before = cable.a.counters("tun0")
        cable.inject(inner_packet(inner, tos=0), tos=CE)
        silent(receiver)
        equal("rx_errors, rx_frame", errors(cable.a.counters("tun0") - before), (1, 1, 0))


@over_both
def df(outer: int) -> None:
    """Set, unset or as inside: seen in IPv4's header, and in what IPv6 does with a packet that is too long."""
    if outer == 6:
        cable = Cable(6, "mtu 2000")
        left, right = cable.pair(4, df=True)
        before = cable.a.counters("tun0")
        true("the sender is told that its datagram is too long", learns(left, pattern(1800)))
        equal("too long for IPv6, df inherit", (cable.a.counters("tun0") - before).tx_errors, 1)
        cable.set("df unset")
        with cable.pair(4, df=False)[0] as sender:
            sender.send(pattern(1800))
        return
    cable = Cable(4)
    sniffer = cable.b.sniffer("veth0")
    for options, inside, wanted in (
        ("df inherit", True, True), ("df inherit", False, False), ("df set", False, True), ("df unset", True, False),
    ):  # fmt: skip
        cable.set(options)
        left, right = cable.pair(4, df=inside)
        with left, right:
            exchange(left, right, b"x")
        equal(f"DF with {options}, {inside} inside", sniffer.one().df, wanted)


@case
def flowlabel() -> None:
    """Fixed or as inside, over IPv6."""
    cable = Cable(6)
    sniffer = cable.b.sniffer("veth0")
    left, right = cable.pair(6)
    with cable.a, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.IPPROTO_IPV6, IPV6_FLOWINFO_SEND, 1)
        for options, wanted in (("flowlabel 0", 0), ("flowlabel 0xabcde", 0xABCDE), ("flowlabel inherit", 0x12345)):
            cable.set(options)
            sender.sendto(b"x", (INNER[6][1], right.getsockname()[1], 0x12345, 0))
            packet = sniffer.one()
            equal("inner flow label", packet.inside.flowlabel, 0x12345)
            equal(f"outer flow label with {options}", packet.flowlabel, wanted)
    left.close()


@over_both
def checksums(outer: int) -> None:
    """Off over IPv4 and on over IPv6, unless asked for; what should have had one is not let in."""
    cable = Cable(outer)
    sniffer = cable.b.sniffer("veth0")
    cable.check()
    equal("checksummed", bool(sniffer.packets()[0].checksum), outer == 6)
    if outer == 4:
        return
    with cable.a.udp(4, INNER[4][0], 9) as receiver:
        before = cable.a.counters("tun0")
        cable.inject(inner_packet(4), checksum=False)
        silent(receiver)
        equal("errors without a checksum", (cable.a.counters("tun0") - before).rx_errors, 1)
        cable.set("zerocsum6rx")
        cable.inject(inner_packet(4), checksum=False)
        equal("payload", receiver.recv(100), b"hello")
