# SPDX-License-Identifier: GPL-2.0
"""Source ports that the inner flow selects."""

from __future__ import annotations

import contextlib
import socket
import sys
from pathlib import Path

import ethtool
from case_underlays import path_mtu_is_learned
from checks import Skip, equal, true
from commands import refusal, tunctl
from datagrams import exchange, silent
from lab import Cable
from packets import INNER, OUTER, PORT, inner_packet
from registry import case, combined, over_both

FLOWS = 24


@combined
def sport_hash(inner: int, outer: int) -> None:
    """Flows have source ports of their own, each always the same one, and flow labels over IPv6; fixed ports come back."""
    cable = Cable(outer, "sport hash")
    sniffer = cable.b.sniffer("veth0")
    with contextlib.ExitStack() as stack:
        pairs = [cable.pair(inner) for _ in range(FLOWS)]
        for end in (end for pair in pairs for end in pair):
            stack.enter_context(end)
        first = []
        for left, right in pairs:
            exchange(left, right, b"x")
            exchange(right, left, b"y")
            first.append(sniffer.one())
        for (left, right), before in zip(pairs, first, strict=True):
            exchange(left, right, b"x")
            after = sniffer.one()
            equal("source port of a flow, again", after.source_port, before.source_port)
            equal("flow label of a flow, again", after.flowlabel, before.flowlabel)
        ports = {packet.source_port for packet in first}
        true(f"the ports are in the range: {sorted(ports)}", all(49152 <= port <= 65535 for port in ports))
        true(f"{FLOWS} flows have many ports: {sorted(ports)}", len(ports) > FLOWS // 2)
        equal("destination ports", {packet.target_port for packet in first}, {PORT})
        labels = {packet.flowlabel for packet in first}
        true(f"{FLOWS} flows have many labels: {sorted(labels)}", outer == 4 or (len(labels) > FLOWS // 2 and 0 not in labels))
        left, right = pairs[0]
        if outer == 6:
            cable.set("flowlabel 0x12345")
            exchange(left, right, b"x")
            equal("flow label that is set", sniffer.one().flowlabel, 0x12345)
        cable.set("sport fixed")
        exchange(left, right, b"x")
        equal("fixed source port", sniffer.one().source_port, PORT)


@over_both
def sport_range_is_checked(outer: int) -> None:
    """The peer's packets from the ports of the range get in, up to its limits; others are strangers'."""
    cable = Cable(outer, "sport hash 50000-50009")
    with cable.a.udp(4, INNER[4][0], 9) as receiver:
        for port in (50000, 50004, 50009):
            cable.inject(inner_packet(4), port=port)
            equal("payload", receiver.recv(100), b"hello")
        before = cable.a.counters("tun0")
        for port in (PORT, 49999, 50010):
            cable.inject(inner_packet(4), port=port)
        silent(receiver)
        equal("counted in the tunnel", cable.a.counters("tun0"), before)
    with cable.a:
        equal("strangers", ethtool.statistics("tun0"), {"rx_stranger": 3})
    cable.check()


@over_both
def sport_range_of_one(outer: int) -> None:
    """The limits of a range may be the same."""
    cable = Cable(outer, "sport hash 50000-50000")
    sniffer = cable.b.sniffer("veth0")
    cable.check()
    equal("source ports", {packet.source_port for packet in sniffer.packets()}, {50000})


@over_both
def sport_ranges_do_not_overlap(outer: int) -> None:
    """A packet of a peer belongs to one tunnel: ranges and fixed ports must be disjoint."""
    cable = Cable(outer)
    taken = "Another tunnel uses these addresses and ports"
    to_b = f"local {OUTER[outer][0]} remote {OUTER[outer][1]} port {PORT}"
    with cable.a:
        refusal(f"add tun1 {to_b} sport hash {PORT}-{PORT + 9}", taken, 2)
        tunctl(f"add tun1 {to_b} sport hash {PORT + 1}-{PORT + 9}")
        for options in (f"sport hash {PORT + 9}-65535", f"sport hash 1-{PORT - 1}"):
            if "65535" in options:
                refusal(f"add tun2 {to_b} {options}", taken, 2)
            else:
                tunctl(f"add tun2 {to_b} {options}")
        refusal(f"add tun3 {to_b} remote-port {PORT + 5}", taken, 2)
        refusal(f"set tun0 sport hash {PORT}-{PORT + 1}", taken, 2)
        tunctl(f"set tun1 sport hash {PORT + 2}-{PORT + 8}")
        tunctl(f"add tun3 {to_b} remote-port {PORT + 9}")
        refusal(f"set tun1 sport hash {PORT + 2}-{PORT + 9}", taken, 2)
    cable.check()


@case
def a_range_has_no_connected_socket() -> None:
    """A socket that is connected to one port of the peer would miss the others: only a tunnel with a fixed port has one."""
    cable = Cable()
    if not connected(cable):
        raise Skip("this kernel demultiplexes early under a lock: udptun connects no socket")
    cable.set("sport hash")
    true("no socket is connected", not connected(cable))
    cable.set("sport fixed")
    true("a socket is connected", connected(cable))


def connected(cable: Cable, to: str = OUTER[4][1]) -> bool:
    """Is a socket of a connected to the tunnel's port in b, or at another address?"""
    remote = f"{int.from_bytes(socket.inet_aton(to), sys.byteorder):08X}:{PORT:04X}"
    with cable.a:
        return remote in Path("/proc/net/udp").read_text(encoding="ascii")


@over_both
def path_mtu_with_sport_hash(outer: int) -> None:
    """ICMP about a packet finds the tunnel although no socket has the source port."""
    path_mtu_is_learned(outer, "sport hash", "sport hash")


@case
def sport_hash_at_one_end() -> None:
    """A peer whose port is fixed gets in if the range has its port."""
    cable = Cable(4, "", only_a=f"sport hash {PORT}-{PORT}")
    cable.check()
