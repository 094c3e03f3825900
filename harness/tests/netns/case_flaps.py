# SPDX-License-Identifier: GPL-2.0
"""Underlays that go down, lose their addresses, are replaced or lead elsewhere: the tunnel's cached route must follow."""

from __future__ import annotations

import socket

import memory
from checks import equal, true
from commands import KIND, ip, run
from datagrams import exchange, learns, pattern, silent
from kinds import is_left_out
from lab import Cable
from packets import OUTER
from registry import case, over_both
from streams import Stream

SO_MARK, IP_TOS = 36, 1
SECOND = {4: ("10.0.1.1", "10.0.1.2"), 6: ("fd01::1", "fd01::2")}
"""Addresses of veth1."""


@over_both
def underlay_flaps(outer: int) -> None:
    """The underlay goes down and comes up, at either end, with `dev` and without; TCP goes on."""
    cable = Cable(outer)
    stream = Stream(cable.a, cable.b, 4)
    for options in ("",) if is_left_out(KIND, "dev veth0") else ("nodev", "dev veth0"):
        if options:
            cable.set(options)
        for side, machine in enumerate((cable.a, cable.b)):
            stream.move(1 << 18)
            with machine:
                ip("link set veth0 down")
            before = machine.counters("tun0").tx_carrier
            lost(cable)
            true("what has no route is counted", machine.counters("tun0").tx_carrier > before)
            with machine:
                ip("link set veth0 up")
                restore(outer, side)
            cable.a.ready("veth0")
            cable.b.ready("veth0")
            stream.move(1 << 18)
    cable.check()


@over_both
def address_flaps(outer: int) -> None:
    """The local address is removed and added again, at either end; TCP goes on."""
    cable = Cable(outer)
    stream = Stream(cable.a, cable.b, 4)
    for side, machine in enumerate((cable.a, cable.b)):
        stream.move(1 << 18)
        with machine:
            ip(f"addr del {OUTER[outer][side]}/{24 if outer == 4 else 64} dev veth0")
        lost(cable)
        with machine:
            restore(outer, side)
        stream.move(1 << 18)
    cable.check()


@over_both
def underlay_is_replaced(outer: int) -> None:
    """The underlay is deleted, under TCP and while the tunnel is idle, and another one laid in its place; TCP goes on."""
    cable = Cable(outer)
    stream = Stream(cable.a, cable.b, 4)
    for machine in (cable.a, cable.b):
        stream.move(1 << 18)
        with machine:
            ip("link del veth0")
        lost(cable)
        cable.lay()
        stream.move(1 << 18)
    cable.check()


@over_both
def route_to_the_peer_changes(outer: int) -> None:
    """The route to the peer moves to another underlay and back, has an MTU, and leads nowhere: each packet follows.

    a veth0 ── veth0 b
    a veth1 ── veth1 b
    """
    cable = Cable(outer)
    _lay_second(cable, outer)
    left, right = cable.pair(4, df=True)
    exchange(left, right, b"through veth0")
    peer, by = OUTER[outer][1], f"via {SECOND[outer][1]} dev veth1"
    for words, device in ((f"add {peer} {by}", "veth1"), (f"del {peer} {by}", "veth0"), (f"add {peer} {by}", "veth1"), (f"replace {peer} dev veth0", "veth0")):
        _route(cable, outer, words)
        _pass(cable, left, right, device)
    _route(cable, outer, f"replace unreachable {peer}")
    before = cable.a.counters("tun0").tx_carrier
    left.send(b"lost")
    silent(right)
    true("what has no route is counted", cable.a.counters("tun0").tx_carrier == before + 1)
    _route(cable, outer, f"del unreachable {peer}")
    if outer == 4:
        for lock, df in (("", True), ("lock", False)):
            _route(cable, outer, f"replace {peer} dev veth0 mtu {lock} 1300")
            sniffer = cable.b.sniffer("veth0")
            exchange(left, right, b"x")
            equal(f"DF of the outer packet, mtu {lock}", sniffer.one().df, df)
    _route(cable, outer, f"replace {peer} dev veth0 mtu 1300")
    before = cable.a.counters("tun0").tx_dropped
    true("the sender is told the MTU of the route", learns(left, pattern(1300)))
    equal("packets that were sent although too long", cable.a.counters("tun0").tx_dropped - before, 0)
    exchange(left, right, pattern(1200))


@over_both
def marks_and_dscp_choose_the_route(outer: int) -> None:
    """Rules send packets with a mark or a DSCP, which the outer ones inherit, by another underlay: the cached route is not for them.

    The topology is that of route_to_the_peer_changes.
    """
    cable = Cable(outer, "tos inherit")
    _lay_second(cable, outer)
    with cable.a:
        run(*f"ip -{outer} route add {OUTER[outer][1]} via {SECOND[outer][1]} dev veth1 table 5".split())
        for chosen in ("fwmark 5", "tos 0x10"):
            run(*f"ip -{outer} rule add {chosen} to {OUTER[outer][1]} table 5".split())
    left, right = cable.pair(4)
    for option, value in ((SO_MARK, 5), (IP_TOS, 0x10)):
        level = socket.SOL_SOCKET if option == SO_MARK else socket.IPPROTO_IP
        for chosen, device in ((0, "veth0"), (value, "veth1"), (0, "veth0")):
            left.setsockopt(level, option, chosen)
            _pass(cable, left, right, device)


def _pass(cable: Cable, left: socket.socket, right: socket.socket, device: str) -> None:
    """Failure unless datagrams arrive in b by this underlay."""
    before = cable.b.counters(device).rx_packets
    for _ in range(3):
        exchange(left, right, b"x")
    true(f"packets pass {device}", cable.b.counters(device).rx_packets >= before + 3)


def _lay_second(cable: Cable, outer: int) -> None:
    """Lay a second cable, veth1."""
    ip("link add veth1 netns a type veth peer name veth1 netns b")
    for side, machine in enumerate((cable.a, cable.b)):
        with machine:
            ip(f"addr add {SECOND[outer][side]}/{24 if outer == 4 else 64} dev veth1 {'nodad' if outer == 6 else ''}\nlink set veth1 up")
            # Neighbours are asked from an address of the device, which the tunnel's is not.
            ip(f"addr add fe80::{side + 1}/64 dev veth1 nodad")
            machine.sysctl("net/ipv4/conf/all/rp_filter 0")
            machine.sysctl("net/ipv4/conf/veth1/rp_filter 0")
    cable.a.ready("veth1")
    cable.b.ready("veth1")


def _route(cable: Cable, outer: int, words: str) -> None:
    """Change a route of a."""
    with cable.a:
        run(*f"ip -{outer} route {words}".split())


@case
def outdated_routes_are_given_back() -> None:
    """Each packet finds its cached route outdated and looks up another one: no memory is left behind."""
    cable = Cable()
    left, right = cable.pair(4)
    before = memory.held()
    with cable.a, open("/proc/sys/net/ipv4/route/flush", "wb", buffering=0) as outdates:
        for _ in range(memory.OBJECTS):
            outdates.write(b"1")
            left.send(b"x")
            right.recv(1 << 17)
    memory.check(before)


def lost(cable: Cable) -> None:
    """Send datagrams from both ends that do not arrive."""
    for end in cable.pair(4):
        with end:
            for _ in range(3):
                end.send(b"lost")


def restore(outer: int, side: int) -> None:
    """Give veth0 its address again, in the namespace that we are in. IPv6 has removed it with the device."""
    if outer == 4:
        ip(f"addr replace {OUTER[4][side]}/24 dev veth0")
    else:
        ip(f"addr replace {OUTER[6][side]}/64 dev veth0 nodad")
