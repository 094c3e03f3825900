# SPDX-License-Identifier: GPL-2.0
"""Several peers on a port: their packets keep their input routes, as those of a connected socket do.

    b: 10.0.0.2, 10.9.0.1, 10.9.0.2, 10.9.0.3  ── veth0 ──  a: tun0 to tun3, one for each
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from case_sport import connected
from checks import Skip, equal, true
from commands import ip, tunctl
from lab import Cable
from packets import OUTER, PORT, inner_packet
from registry import case, over_both

PEERS = (1, 2, 3)
IN_THE_SAME_BUCKET = {4: "10.1.0.2", 6: "fd01::2"}
"""With PORT + 1. Both drivers hash the exclusive or of a peer's address and port, which is that of tun0's peer."""
TAKERS = 8
"""Number of devices that are made once one has gone: one of them gets its memory."""


@case
def several_peers_keep_their_input_routes() -> None:
    """rp_filter checks the first packet of each peer, and all again once routes change: what it lets in by then shows who kept a route."""
    cable = Cable()
    if not connected(cable):
        raise Skip("this kernel demultiplexes early under a lock: udptun does not")
    add(cable, *PEERS)
    true("no socket is connected", not connected(cable))
    equal("packets without rp_filter", arrived(cable, (1, 2)), [1, 1])
    rp_filter(cable, 1)
    equal("packets of peers that are known, and of one that is not", arrived(cable, PEERS), [1, 1, 0])
    with cable.a:
        cable.a.sysctl("net/ipv4/udp_early_demux 0")
    equal("packets without early demux", arrived(cable, PEERS), [0, 0, 0])
    with cable.a:
        cable.a.sysctl("net/ipv4/udp_early_demux 1")
    equal("packets with it", arrived(cable, PEERS), [1, 1, 0])
    with cable.a:
        ip("route add 10.10.0.0/16 dev dummy0")
    equal("packets after a change of routes", arrived(cable, PEERS), [0, 0, 0])
    keep(cable, PEERS)
    with cable.a:
        ip("link del tun0\nlink del tun3")
    keep(cable, (1, 2))
    with cable.a:
        ip("link del tun2")
    true("a socket is connected to the last one", connected(cable, address(1)))
    keep(cable, (1,))


@case
def a_bound_socket_comes_before_several_peers() -> None:
    """A tunnel with an underlay gets the peer's packets from there, although the peer is known at the port without one."""
    cable = Cable()
    add(cable, 1)
    cable.check()
    for turn in range(2):
        with cable.a:
            tunctl(f"add tun2 local {OUTER[4][0]} remote {OUTER[4][1]} port {PORT} dev veth0")
            ip("link set tun2 up")
        before = cable.a.counters("tun0"), cable.a.counters("tun2")
        cable.inject(inner_packet(4))
        time.sleep(0.1)
        found = [(cable.a.counters(name) - start).rx_packets for name, start in zip(("tun0", "tun2"), before, strict=True)]
        equal(f"packets in tun0 and tun2, turn {turn}", found, [0, 1])
        with cable.a:
            tunctl("del tun2")
        cable.check()


@over_both
def a_peer_that_is_gone_hides_no_other(outer: int) -> None:
    """A peer leaves the table with its tunnel. One that stays would lead the search into memory that is freed, or of another device.

    A bucket rarely has two peers, and the salt of a new socket chooses another bucket: so the two of this case share a socket.
    """
    cable = Cable(outer)
    with cable.a:
        tunctl(f"add tun1 local {OUTER[outer][0]} remote {IN_THE_SAME_BUCKET[outer]} port {PORT} remote-port {PORT + 1}")
        cable.check()
        tunctl("del tun1")
        for number in range(TAKERS):
            tunctl(f"add taker{number} local {OUTER[outer][0]} remote {OUTER[outer][1]} port {PORT + 1 + number}")
    cable.check()


def keep(cable: Cable, numbers: Sequence[int]) -> None:
    """Failure unless each of these peers, once it is known, needs no further check of its source."""
    for value in (0, 1):
        rp_filter(cable, value)
        equal(f"packets of the peers {numbers} with rp_filter {value}", arrived(cable, numbers), [1] * len(numbers))


def add(cable: Cable, *numbers: int) -> None:
    """Make tunnels in a, whose routes to these peers lead elsewhere."""
    with cable.a:
        ip("link add dummy0 type dummy\nlink set dummy0 up\nroute add 10.9.0.0/16 dev dummy0")
        for number in numbers:
            tunctl(f"add tun{number} local {OUTER[4][0]} remote {address(number)} port {PORT}")
            ip(f"link set tun{number} up")
    with cable.b:
        ip("\n".join(f"addr add {address(number)}/32 dev veth0" for number in numbers))


def address(number: int) -> str:
    """The outer address of a peer."""
    return f"10.9.0.{number}"


def rp_filter(cable: Cable, value: int) -> None:
    """Set it for all devices of a."""
    with cable.a:
        cable.a.sysctl(f"net/ipv4/conf/all/rp_filter {value}")


def arrived(cable: Cable, numbers: Sequence[int]) -> list[int]:
    """Send a packet of each of these peers. Return how many each of the tunnels got."""
    before = [cable.a.counters(f"tun{number}") for number in numbers]
    for number in numbers:
        cable.inject(inner_packet(4), source=address(number))
    time.sleep(0.1)
    return [(cable.a.counters(f"tun{number}") - start).rx_packets for number, start in zip(numbers, before, strict=True)]
