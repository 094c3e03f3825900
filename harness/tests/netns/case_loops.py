# SPDX-License-Identifier: GPL-2.0
"""Tunnels through tunnels, and through themselves."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

from checks import Skip, equal, true
from commands import ip, run, tunctl
from datagrams import exchange, pattern
from lab import Cable, Machine
from packets import INNER, OUTER, PORT
from registry import case, over_both

PACKETS = 50
TRACING = Path("/sys/kernel/tracing")


@over_both
def routing_loop(outer: int) -> None:
    """A route to the peer through the tunnel itself: the packet is dropped and counted, the machine goes on."""
    cable = Cable(outer)
    peer = OUTER[outer][1] + ("/32" if outer == 4 else "/128")
    with cable.a:
        ip(f"route add {peer} dev tun0")
    before = cable.a.counters("tun0")
    with cable.a, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(10):
            sender.sendto(b"x", (INNER[4][1], 9))
    found = cable.a.counters("tun0") - before
    equal("errors, collisions, packets", (found.tx_errors, found.tx_collisions, found.tx_packets), (10, 10, 0))
    with cable.a:
        ip(f"route del {peer} dev tun0")
    cable.check()


@case
def routing_loop_of_two() -> None:
    """Two tunnels, each the other's underlay."""
    a = Machine("a")
    with a:
        tunctl(f"add tun0 local 10.1.0.1 remote 10.1.0.2 port {PORT}")
        tunctl(f"add tun1 local 10.2.0.1 remote 10.2.0.2 port {PORT}")
        ip("""
        addr add 10.1.0.1/24 dev tun1
        addr add 10.2.0.1/24 dev tun0
        link set tun0 up
        link set tun1 up
        """)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(20):
                sender.sendto(bytes(100), ("10.2.0.2", 9))
    true("the loop is counted as an error", a.counters("tun0").tx_errors + a.counters("tun1").tx_errors >= 20)


@case
def tunnel_in_tunnel() -> None:
    """A tunnel through the tunnel is no loop."""
    cable = Cable()
    for side, machine in enumerate((cable.a, cable.b)):
        with machine:
            tunctl(f"add tun1 local {INNER[4][side]} remote {INNER[4][1 - side]} port {PORT}")
            ip(f"addr add 192.168.6.{side + 1}/24 dev tun1\nlink set tun1 up")
    left, right = cable.a.udp(4, "192.168.6.1"), cable.b.udp(4, "192.168.6.2")
    left.connect(right.getsockname())
    exchange(left, right, pattern(1400))


@case
def headroom_follows_the_route() -> None:
    """The route of a tunnel comes to lead into another tunnel: a packet that is sent then finds the headroom of both, and is not copied."""
    cable = Cable()
    cable.check()
    with cable.a:
        tunctl(f"add tun1 local {OUTER[4][0]} remote 10.0.0.3 port 7001")
        ip("addr add 192.168.6.1/24 dev tun1\nlink set tun1 up\nroute add 10.0.0.3/32 dev tun0")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"the first", ("192.168.6.2", 9))
            before = cable.b.counters("tun0").rx_packets
            with calls("pskb_expand_head") as copies:
                for _ in range(PACKETS):
                    sender.sendto(b"x", ("192.168.6.2", 9))
            arrived = cable.b.counters("tun0").rx_packets - before
    true(f"{arrived} packets arrived", arrived >= PACKETS)
    true(f"{copies[0]} copies of {PACKETS} packets", copies[0] < PACKETS / 2)


@contextlib.contextmanager
def calls(function: str) -> Iterator[list[int]]:
    """Count the calls of a function of the kernel in the block; the number is there at its end. Skip where there are no kprobes."""
    if not (TRACING / "kprobe_events").exists():
        run("mount", "-t", "tracefs", "none", str(TRACING), status=None)
    if not (TRACING / "kprobe_events").exists():
        raise Skip("this kernel has no kprobes; the stock kernels have them")
    count: list[int] = []
    (TRACING / "kprobe_events").write_text(f"p:calls {function}", encoding="ascii")
    try:
        (TRACING / "events/kprobes/calls/enable").write_text("1", encoding="ascii")
        yield count
        (TRACING / "events/kprobes/calls/enable").write_text("0", encoding="ascii")
        count.append(int((TRACING / "kprobe_profile").read_text(encoding="ascii").split()[1]))
    finally:
        (TRACING / "kprobe_events").write_text("", encoding="ascii")
