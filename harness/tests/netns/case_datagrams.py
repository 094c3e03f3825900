# SPDX-License-Identifier: GPL-2.0
"""Datagrams of all sizes: every byte arrives, and is counted."""

from __future__ import annotations

from checks import equal, true
from datagrams import exchange, pattern
from lab import Cable
from packets import IP_HEADER, UDP_HEADER
from registry import combined, over_both


@combined
def datagrams(inner: int, outer: int) -> None:
    """Every byte arrives, and both ends count the same bytes and packets."""
    cable = Cable(outer)
    left, right = cable.pair(inner)
    sizes = (0, 1, 2, 63, 64, 512, 1000, 1400)
    for sender, receiver, source, sink in ((left, right, cable.a, cable.b), (right, left, cable.b, cable.a)):
        before = source.counters("tun0"), sink.counters("tun0")
        for size in sizes:
            exchange(sender, receiver, pattern(size))
        sent, received = source.counters("tun0") - before[0], sink.counters("tun0") - before[1]
        total = sum(sizes) + len(sizes) * (IP_HEADER[inner] + UDP_HEADER)
        equal("sent packets, bytes", (sent.tx_packets, sent.tx_bytes), (len(sizes), total))
        equal("received packets, bytes", (received.rx_packets, received.rx_bytes), (len(sizes), total))
        equal("errors", (sent.tx_errors, sent.tx_dropped, received.rx_errors, received.rx_dropped), (0, 0, 0, 0))


@combined
def fragments(inner: int, outer: int) -> None:
    """The largest datagram, in fragments inside the tunnel."""
    cable = Cable(outer)
    left, right = cable.pair(inner, df=False)
    before = cable.b.counters("tun0")
    for size in (1473, 8000, 65507 if inner == 4 else 65487):
        exchange(left, right, pattern(size))
    true("fragments are counted one by one", (cable.b.counters("tun0") - before).rx_packets > 48)


@over_both
def outer_fragments(outer: int) -> None:
    """With df unset and an MTU above the underlay's, the encapsulated packets are fragmented."""
    cable = Cable(outer, "df unset mtu 9000")
    left, right = cable.pair(4, df=True)
    sniffer = cable.b.sniffer("veth0")
    before = cable.b.counters("tun0")
    exchange(left, right, pattern(4000))
    equal("packets in the tunnel", (cable.b.counters("tun0") - before).rx_packets, 1)
    equal("fragments on the underlay", [packet.fragment for packet in sniffer.packets()], [True] * 3)
