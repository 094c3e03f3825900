# SPDX-License-Identifier: GPL-2.0
"""The MTU of the tunnel, of its underlay, and of the path: the sender is told."""

from __future__ import annotations

import errno
import json
import socket

from checks import Failure, equal, true
from commands import ip, run, tunctl
from datagrams import exchange, learns, pattern, silent
from lab import IP_MTU_DISCOVER, IP_PMTUDISC_DONT, Cable, Machine
from packets import INNER, IP_HEADER, PORT, UDP_HEADER, overhead
from registry import combined, over_both
from streams import transfer

IPV6_MIN_MTU = 1280


@combined
def mtu_edge(inner: int, outer: int) -> None:
    """A packet of the default MTU fills the underlay; one byte more is the sender's error, or two fragments."""
    cable = Cable(outer)
    with cable.a:
        mtu = json.loads(tunctl("show tun0 -j").stdout)[0]["mtu"]
    equal("default MTU", mtu, 1500 - overhead(outer))
    largest = mtu - IP_HEADER[inner] - UDP_HEADER
    for df in (True, False):
        left, right = cable.pair(inner, df=df)
        with left, right:
            sniffer = cable.b.sniffer("veth0")
            for size in (largest - 1, largest):
                exchange(left, right, pattern(size))
                equal("length on the underlay", sniffer.one().length, size + IP_HEADER[inner] + UDP_HEADER + overhead(outer))
            before = cable.a.counters("tun0")
            if df:
                refused(left, pattern(largest + 1))
            else:
                exchange(left, right, pattern(largest + 1))
            sent = cable.a.counters("tun0") - before
            equal("packets of MTU + 1", sent.tx_packets, 0 if df else 2)


def refused(sender: socket.socket, data: bytes) -> None:
    """Failure unless the datagram is too long to be sent."""
    try:
        sender.send(data)
    except OSError as error:
        equal("error", error.errno, errno.EMSGSIZE)
    else:
        raise Failure(f"{len(data)} bytes were sent whole")


@combined
def path_mtu(inner: int, outer: int) -> None:
    """A narrow link on the way: the sender is told, and its datagrams of the size that it is told arrive.

    a veth0 ── veth0 r veth1 (MTU 1360) ── veth0 b
    """
    a, r, b = Machine("a"), Machine("r"), Machine("b")
    nets = {4: ("10.0.1.{}/24", "10.0.2.{}/24"), 6: ("fd01::{}/64", "fd02::{}/64")}
    ip("""
    link add veth0 netns a type veth peer name veth0 netns r
    link add veth1 netns r mtu 1360 type veth peer name veth0 netns b
    """)
    with b:
        ip("link set veth0 mtu 1360")
    for machine, device, net, host in ((a, "veth0", 0, 1), (r, "veth0", 0, 9), (r, "veth1", 1, 9), (b, "veth0", 1, 2)):
        with machine:
            ip(f"""
            addr add {nets[4][net].format(host)} dev {device}
            addr add {nets[6][net].format(host)} dev {device} nodad
            addr add fe80::{host}/64 dev {device} nodad
            link set {device} up
            """)
    with r:
        r.sysctl("net/ipv4/ip_forward 1")
        r.sysctl("net/ipv6/conf/all/forwarding 1")
    r.ready("veth0", "veth1")
    for machine in (a, b):
        machine.ready("veth0")
    ends = [nets[outer][side].format(side + 1).partition("/")[0] for side in (0, 1)]
    for side, machine in enumerate((a, b)):
        with machine:
            via = {version: nets[version][side].format(9).partition("/")[0] for version in (4, 6)}
            ip(f"route add default via {via[4]}\nroute add ::/0 via {via[6]}")
            tunctl(f"add tun0 local {ends[side]} remote {ends[1 - side]} port {PORT} ttl 64 df set")
            ip(f"""
            addr add {INNER[4][side]}/24 dev tun0
            addr add {INNER[6][side]}/64 dev tun0 nodad
            link set tun0 up
            """)
    sender, receiver = a.udp(inner, INNER[inner][0], df=True), b.udp(inner, INNER[inner][1])
    sender.connect(receiver.getsockname()[:2])
    room = 1360 - overhead(outer) - IP_HEADER[inner] - UDP_HEADER
    true("the sender is told that its datagram is too long", learns(sender, pattern(room + 1)))
    silent(receiver)
    exchange(sender, receiver, pattern(room))


@over_both
def df_set_tells_every_sender(outer: int) -> None:
    """With df set, a sender behind a router is told of the path MTU although it permits fragmentation.

    c veth1 ── veth1 a tun0 ── b tun0
    """
    cable, c = Cable(outer, "df set mtu 1500"), Machine("c")
    ip("link add veth1 netns a type veth peer name veth1 netns c")
    with cable.a:
        ip("addr add 192.168.7.1/24 dev veth1\nlink set veth1 up")
        cable.a.sysctl("net/ipv4/ip_forward 1")
    with c:
        ip("addr add 192.168.7.2/24 dev veth1\nlink set veth1 up\nroute add default via 192.168.7.1")
    with cable.b:
        ip(f"route add 192.168.7.0/24 via {INNER[4][0]}")
    cable.a.ready("veth1")
    sender, receiver = c.udp(4, "192.168.7.2"), cable.b.udp(4, INNER[4][1])
    sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
    sender.connect(receiver.getsockname())
    too_long = pattern(1500 - overhead(outer) - IP_HEADER[4] - UDP_HEADER + 1)
    sender.send(too_long)
    silent(receiver)
    with c:
        shown = run("ip", "route", "get", INNER[4][1]).stdout
    true(f"the sender knows the path MTU: {shown.strip()}", f"mtu {1500 - overhead(outer)} " in shown)


@over_both
def underlay_mtu_shrinks(outer: int) -> None:
    """An MTU of the underlay that was made smaller is noticed, by the cached route too."""
    cable = Cable(outer)
    cable.check()
    for machine in (cable.a, cable.b):
        with machine:
            ip("link set veth0 mtu 1400")
    left, right = cable.pair(4, df=True)
    fits = 1400 - overhead(outer) - IP_HEADER[4] - UDP_HEADER
    true("the sender is told that its datagram is too long", learns(left, pattern(fits + 1)))
    silent(right)
    exchange(left, right, pattern(fits))


@over_both
def ipv6_sender_of_a_narrow_path(outer: int) -> None:
    """An IPv6 sender need not go below 1280 bytes: where these do not fit, the encapsulated packets are fragmented, whatever df is."""
    cable = Cable(outer, "df set mtu 1500")
    for machine in (cable.a, cable.b):
        with machine:
            ip(f"link set veth0 mtu {IPV6_MIN_MTU}")
    left, right = cable.pair(6, df=True)
    fits = IPV6_MIN_MTU - IP_HEADER[6] - UDP_HEADER
    true("the sender is told that its datagram is too long", learns(left, pattern(fits + 1)))
    silent(right)
    exchange(left, right, pattern(fits))


@combined
def jumbo_underlay(inner: int, outer: int) -> None:
    """An underlay of a large MTU, and of the largest that there is: the tunnel's MTU follows, and packets of that size arrive."""
    cable = Cable(outer)
    for underlay in (9000, 65535):
        for side, machine in enumerate((cable.a, cable.b)):
            with machine:
                tunctl("del tun0")
                ip(f"link set veth0 mtu {underlay}")
            cable.make(side)
        with cable.a:
            equal("MTU", json.loads(tunctl("show tun0 -j").stdout)[0]["mtu"], underlay - overhead(outer))
        left, right = cable.pair(inner, df=True)
        with left, right:
            sniffer = cable.b.sniffer("veth0")
            largest = underlay - overhead(outer) - IP_HEADER[inner] - UDP_HEADER
            exchange(left, right, pattern(largest))
            equal("length on the underlay", sniffer.one().length, underlay)
        transfer(cable.a, cable.b, inner, 1 << 20)
