# SPDX-License-Identifier: GPL-2.0
"""Devices on top of the tunnel: those that need Ethernet are refused, and nothing is left of them."""

from __future__ import annotations

from checks import true
from commands import ip, run
from datagrams import exchange
from lab import Cable
from packets import INNER
from registry import case, combined


@case
def refused_on_top() -> None:
    """macvlan and ipvlan, which need an Ethernet device below."""
    cable = Cable()
    with cable.a:
        for words in ("macvlan mode bridge", "macvlan mode passthru", "macvtap", "ipvlan mode l2", "ipvlan mode l3"):
            done = run(*f"ip link add link tun0 name top0 type {words}".split(), status=None)
            true(f"{words} is refused", done.status)
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
