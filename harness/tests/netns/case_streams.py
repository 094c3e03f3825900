# SPDX-License-Identifier: GPL-2.0
"""TCP through the tunnel: segments are many at a time, and each byte arrives."""

from __future__ import annotations

from checks import equal, true
from commands import ip
from lab import Cable, clear
from registry import case, combined
from streams import transfer


@combined
def stream(inner: int, outer: int) -> None:
    """TCP, whose segments are cut only behind the tunnel: each byte arrives."""
    cable = Cable(outer)
    before = cable.a.counters("tun0")
    size = 4 << 20
    transfer(cable.a, cable.b, inner, size)
    sent = cable.a.counters("tun0") - before
    true("the tunnel counts at least the payload", sent.tx_bytes > size)
    true(f"segments are sent many at a time, not in {sent.tx_packets} packets", sent.tx_packets < size / 1500 / 2)
    equal("errors", (sent.tx_errors, sent.tx_dropped), (0, 0))


@case
def stream_with_checksums_turned_round() -> None:
    """The other choice of checksums than the default."""
    for outer, options in ((4, "csum"), (6, "zerocsum6tx zerocsum6rx")):
        cable = Cable(outer, options)
        sniffer = cable.b.sniffer("veth0")
        cable.check()
        equal(f"over IPv{outer}, checksummed", bool(sniffer.packets()[0].checksum), outer == 4)
        for inner in (4, 6):
            transfer(cable.a, cable.b, inner, 1 << 20)
        clear()


@case
def stream_without_offloads() -> None:
    """The tunnel segments and checksums when the underlay does neither."""
    cable = Cable()
    for machine in (cable.a, cable.b):
        with machine:
            ip("link set veth0 gso_max_size 1500\nlink set veth0 gso_max_segs 1")
    transfer(cable.a, cable.b, 4, 1 << 20)
    transfer(cable.a, cable.b, 6, 1 << 20)
