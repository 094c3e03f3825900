# SPDX-License-Identifier: GPL-2.0
"""Devices on top of the tunnel: those that need Ethernet are refused, and nothing is left of them."""

from __future__ import annotations

import errno
import socket
import struct

from checks import Skip, equal, true
from commands import ip, run
from datagrams import exchange
from lab import Cable
from netlink import accepted, attribute, family, generic
from packets import INNER
from registry import case, combined
from streams import transfer

TEAM_OPTIONS_SET = 1
NLA_STRING = 5


@case
def refused_on_top() -> None:
    """macvlan and ipvlan, which need an Ethernet device below."""
    cable = Cable()
    with cable.a:
        for words in ("macvlan mode bridge", "macvlan mode passthru", "macvtap", "ipvlan mode l2", "ipvlan mode l3"):
            done = run(*f"ip link add link tun0 name top0 type {words}".split(), status=None)
            if "Unknown device type" not in done.stderr:  # UML's kernel has no macvtap
                equal(f"{words}: what the kernel says", done.stderr.strip(), "RTNETLINK answers: Invalid argument")
            equal(f"{words}: status", done.status, 2)
            true("no device is left", not cable.a.has("top0"))
    cable.check()


@case
def team_on_top() -> None:
    """A tunnel becomes a port of a team, and leaves it, or the team is deleted: it works as before."""
    cable = Cable()
    with cable.a:
        ip("link add team0 type team")
        for leave in ("link set tun0 nomaster", "link del team0"):
            ip("link set tun0 down\nlink set tun0 master team0\nlink set team0 up")
            ip(leave)
            run("ip", "addr", "flush", "dev", "tun0")
            cable.address(0)
            for inner in (4, 6):
                cable.check(inner)
        true("the team is gone", not cable.a.has("team0"))


@combined
def team_carries(inner: int, outer: int) -> None:
    """A team balances over a tunnel; a mode that gives its ports the team's hardware address is refused: a tunnel has none."""
    cable = Cable(outer)
    with cable.a:
        team("roundrobin")
        run("ip", "addr", "flush", "dev", "tun0")
        ip("link set tun0 down")
        done = run(*"ip link set tun0 master team0".split(), status=2)
        equal("what the kernel says", done.stderr.strip(), "RTNETLINK answers: Operation not supported")
        ip("link del team0")
        team("loadbalance")
        ip("link set tun0 master team0\nlink set team0 up")
        ip(f"addr add {INNER[4][0]}/24 dev team0\naddr add {INNER[6][0]}/64 dev team0 nodad")
    before = cable.a.counters("tun0")
    left, right = cable.pair(inner)
    exchange(left, right, b"out of the team")
    exchange(right, left, b"into the team")
    found = cable.a.counters("tun0") - before
    true(f"packets pass the tunnel: {found}", found.tx_packets and found.rx_packets)
    transfer(cable.a, cable.b, inner, 1 << 19)
    transfer(cable.b, cable.a, inner, 1 << 19, address=INNER[inner][0])
    with cable.a:
        ip("link del team0")
    cable.address(0)
    cable.check(inner)


def team(mode: str) -> None:
    """Make team0 with this mode. Skip if the kernel lacks it."""
    ip("link add team0 type team")
    option = attribute(1, b"mode\0") + attribute(3, bytes([NLA_STRING])) + attribute(4, mode.encode() + b"\0")
    index = attribute(1, struct.pack("=I", socket.if_nametoindex("team0")))
    answer = generic(family("team"), TEAM_OPTIONS_SET, index + attribute(2, attribute(1, option)))
    if answer[0] == errno.EINVAL:
        raise Skip(f"this kernel has no mode {mode} of team")
    if answer[0] != errno.ESRCH:  # the mode is set, but no program listens to the team's events
        accepted(f"mode {mode}", answer)


@combined
def vrf_on_top(inner: int, outer: int) -> None:
    """A tunnel in a VRF: what is inside belongs to the VRF, what is outside does not."""
    cable = Cable(outer)
    with cable.a:
        ip("link add blue type vrf table 20\nlink set blue up\nlink set tun0 master blue")
        run("ip", "addr", "flush", "dev", "tun0")
    cable.address(0)
    left, right = cable.a.udp(inner, INNER[inner][0], device="blue"), cable.b.udp(inner, INNER[inner][1])
    left.connect(right.getsockname()[:2])
    right.connect(left.getsockname()[:2])
    exchange(left, right, b"out of the VRF")
    exchange(right, left, b"into the VRF")
