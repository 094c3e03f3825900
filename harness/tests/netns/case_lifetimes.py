# SPDX-License-Identifier: GPL-2.0
"""Namespaces and underlays that a tunnel moves between, and goes with."""

from __future__ import annotations

import functools
import json

import memory
from checks import equal, eventually, true
from commands import KIND, ip, refusal, run, tunctl
from datagrams import exchange
from kinds import UNCHANGEABLE
from lab import Cable, Machine
from packets import INNER, OUTER, PORT
from registry import case
from traffic import flood, flowing, floods, running


def moved() -> tuple[Cable, Machine]:
    """A cable whose tunnel has left a for a third machine; its socket has not."""
    cable, c = Cable(), Machine("c")
    with cable.a:
        ip("link set tun0 netns c")
    cable.address(0, c)
    return cable, c


@case
def netns_move() -> None:
    """A tunnel in another namespace still sends and receives where it was made.

    c tun0 ── (socket in a) ── veth ── b tun0
    """
    cable, c = moved()
    true("tun0 is not in a", not cable.a.has("tun0"))
    with c:
        shown = json.loads(tunctl("show -j").stdout)
        equal("tunnels in c", [tunnel["ifname"] for tunnel in shown], ["tun0"])
        true("c's tunnel knows of another namespace", "link_netnsid" in shown[0])
    left, right = c.udp(4, INNER[4][0]), cable.b.udp(4, INNER[4][1])
    left.connect(right.getsockname())
    right.connect(left.getsockname())
    exchange(left, right, b"out of c")
    exchange(right, left, b"into c")
    if KIND not in UNCHANGEABLE:
        with c:
            tunctl("set tun0 ttl 9")
        sniffer = cable.b.sniffer("veth0")
        exchange(left, right, b"x")
        equal("TTL that was changed from c", sniffer.one().ttl, 9)
    with c:
        ip("link set tun0 netns a")
    cable.address(0)
    cable.check()


@case
def netns_of_the_device_dies() -> None:
    """Under traffic: the tunnel goes, and its port is free again."""
    cable, c = moved()
    with running(flood(cable.b, 4, INNER[4][0])):
        before = c.counters("tun0").rx_packets
        eventually("there is traffic", lambda: c.counters("tun0").rx_packets > before)
        c.delete()
        eventually("the port is free", functools.partial(port_is_free, cable.a))
    cable.make(0)
    cable.check()


@case
def netns_of_the_socket_dies() -> None:
    """Under traffic: the tunnel goes, wherever it is."""
    cable, c = moved()
    with running(flood(cable.b, 4, INNER[4][0]), flood(c, 4, INNER[4][1])):
        before = c.counters("tun0").rx_packets
        eventually("there is traffic", lambda: c.counters("tun0").rx_packets > before)
        cable.a.delete()
        eventually("tun0 is gone from c", lambda: not c.has("tun0"))


@case
def both_netns_die() -> None:
    """Many times, with tunnels up and packets on their way."""
    for _ in range(5):
        cable = Cable()
        left, right = cable.pair(4)
        with left, right:
            for _ in range(50):
                left.send(bytes(1000))
        cable.a.delete()
        cable.b.delete()


def port_is_free(machine: Machine) -> bool:
    """Can an ordinary socket have the tunnel's port?"""
    try:
        machine.udp(4, "0.0.0.0", PORT).close()
    except OSError:
        return False
    return True


@case
def a_thousand_rounds() -> None:
    """A tunnel is made, comes up and is deleted, a thousand times; its port and its memory are free again each time."""
    cable = Cable()
    with cable.a:
        tunctl("del tun0")
        add = f"link add tun0 type {KIND} local {OUTER[4][0]} remote {OUTER[4][1]} port {PORT}"
        once = [add, "link set tun0 up", "link del tun0"]
        ip("\n".join(once))
        before = memory.held()
        for _ in range(10):  # a command has a minute, in which a busy machine does not make a thousand rounds of a debug kernel
            ip("\n".join(once * 100))
    memory.check(before)
    true("the port is free", port_is_free(cable.a))
    cable.make(0)
    cable.check()


@case
def underlay_removal() -> None:
    """A tunnel that is bound to a device goes with it, under traffic; one that is not stays."""
    cable = Cable(options="dev veth0")
    with cable.a:
        tunctl(f"add tun1 local {OUTER[4][0]} remote 10.0.0.77 port {PORT}")
        shown = json.loads(tunctl("show tun0 -j").stdout)[0]
        equal("dev", shown["dev"], "veth0")
    with running(*floods(cable)):
        flowing(cable)
        with cable.a:
            ip("link del veth0")
        true("tun0 is gone", not cable.a.has("tun0"))
    true("tun1 is still there", cable.a.has("tun1"))


@case
def a_chain_loses_its_underlay() -> None:
    """Tunnels that are each bound to the one before go with the first one's underlay. There may not be more than the kernel stacks."""
    cable, links = Cable(options="dev veth0"), 6
    with cable.a:
        for number in range(1, links + 1):
            tunctl(f"add tun{number} local {OUTER[4][0]} remote 10.0.0.{100 + number} port {PORT} dev tun{number - 1}")
        more = f"add tun{links + 1} local {OUTER[4][0]} remote 10.0.0.99 port {PORT} dev tun{links}"
        refusal(more, "Too many devices are stacked on each other")
        ip("link del veth0")
        left = [number for number in range(links + 1) if cable.a.has(f"tun{number}")]
    equal("tunnels that are left", left, [])


@case
def an_underlay_too_small_for_the_header() -> None:
    """Where nothing is left for a packet, the device gets the smallest MTU that there may be."""
    cable = Cable()
    with cable.a:
        ip("link add dummy0 type dummy")
        ip("link set dummy0 mtu 20 up")
        tunctl(f"add tun1 local {OUTER[4][0]} remote 10.0.0.77 port {PORT} dev dummy0")
        equal("MTU", json.loads(run("ip", "-j", "link", "show", "tun1").stdout)[0]["mtu"], 68)
