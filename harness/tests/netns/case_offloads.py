# SPDX-License-Identifier: GPL-2.0
"""Packets that GRO has merged, and what the receive path leaves in a packet for those who come after it."""

from __future__ import annotations

import select
import socket

import ethtool
from checks import PATIENCE, equal, eventually, true
from commands import ip, run, tc, tunctl
from datagrams import exchange, pattern
from lab import Cable, Machine
from packets import INNER, inner_packet, overhead
from registry import case, combined
from streams import Stream, transfer

UDP_SEGMENT, UDP_GRO = 103, 104
IPV6_DSTOPTS = 59
PADDING = bytes([0, 0, 1, 4, 0, 0, 0, 0])
"""A destination options header of IPv6 with six bytes of padding."""
SEGMENT = 1000
SIZE = 2 << 20


def merging(outer: int = 4, options: str = "") -> Cable:
    """A cable whose sender, a, sends one packet for each segment, and whose receiver, b, merges them again.

    veth passes packets to its peer's GRO only if it cuts no segments itself.
    """
    cable = Cable(outer, options)
    with cable.a:
        ethtool.set_tso("veth0", False)
        ip("link set veth0 gso_max_segs 1")
    with cable.b:
        ethtool.set_gro("veth0", True)
    return cable


def segments(size: int, inner: int, outer: int) -> int:
    """The least number of packets for `size` bytes of TCP."""
    return size // (1500 - overhead(outer) - {4: 20, 6: 40}[inner] - 20)


@combined
def merged_by_the_underlay(inner: int, outer: int) -> None:
    """GRO of the underlay merges the segments before the tunnel sees them, and each byte arrives."""
    cable = merging(outer)
    before = cable.b.counters("tun0")
    transfer(cable.a, cable.b, inner, SIZE)
    found = (cable.b.counters("tun0") - before).rx_packets
    true(f"segments are merged into fewer than {found} packets", found < segments(SIZE, inner, outer) / 2)


@case
def merged_from_two_families() -> None:
    """Streams of IPv4 and IPv6 at the same time, in one outer flow, are not mixed up."""
    cable = merging()
    transfer(cable.a, cable.b, 4, SIZE, beside=6)


@case
def merged_and_forwarded() -> None:
    """Merged packets are segmented again when the receiver forwards them.

    a tun0 ── b tun0, veth1 ── c veth1 (192.168.7.2)
    """
    for csum in ("nocsum", "csum"):
        cable, c = merging(4, csum), Machine("c")
        ip("link add veth1 netns b type veth peer name veth1 netns c")
        with cable.b:
            ip("addr add 192.168.7.1/24 dev veth1\naddr add fd07::1/64 dev veth1 nodad")
            ip("addr add fe80::1/64 dev veth1 nodad\nlink set veth1 up")
            ip("link set veth1 gso_max_segs 1")
            cable.b.sysctl("net/ipv4/ip_forward 1")
            cable.b.sysctl("net/ipv6/conf/all/forwarding 1")
        with c:
            ip("addr add 192.168.7.2/24 dev veth1\naddr add fd07::2/64 dev veth1 nodad")
            ip("addr add fe80::2/64 dev veth1 nodad\nlink set veth1 up")
            ip("route add default via 192.168.7.1\nroute add ::/0 via fd07::1")
        cable.b.ready("veth1")
        with cable.a:
            ip(f"route add 192.168.7.0/24 via {INNER[4][1]}\nroute add fd07::/64 via {INNER[6][1]}")
        before = cable.b.counters("tun0")
        transfer(cable.a, c, 4, SIZE, address="192.168.7.2")
        transfer(cable.a, c, 6, SIZE, address="fd07::2")
        found = (cable.b.counters("tun0") - before).rx_packets
        true(f"segments are merged into fewer than {found} packets", found < segments(2 * SIZE, 4, 4) * 3 / 4)
        for machine in (cable.a, cable.b, c):
            machine.delete()


@case
def merged_and_redirected() -> None:
    """tc redirects merged packets with their outer header: they are segmented again, each inner packet with its own length.

    a tun0 ── b veth0, veth1 ── c veth1
    """
    cable, c = merging(), Machine("c")
    ip("link add veth1 netns b type veth peer name veth1 netns c")
    with c:
        ip("link set veth1 up")
    with cable.b:
        ethtool.set_tso("veth1", False)
        ip("link set veth1 gso_max_segs 1\nlink set veth1 up")
        cable.b.ready("veth1")
        tc("qdisc add dev veth0 clsact")
        tc("filter add dev veth0 ingress matchall action mirred egress mirror dev veth1")
    before = cable.b.counters("tun0")
    sniffer = c.sniffer("veth1")
    transfer(cable.a, cable.b, 4, SIZE)
    merged = (cable.b.counters("tun0") - before).rx_packets
    found = [packet.payload for packet in sniffer.packets()]
    true(f"of {segments(SIZE, 4, 4)} packets, merged into {merged}, {len(found)} are seen", len(found) > 50)
    lengths = [(int.from_bytes(inner[2:4], "big"), len(inner)) for inner in found]
    equal("IP lengths that are not the packet's", [pair for pair in lengths if pair[0] != pair[1] or pair[1] > 1500][:3], [])


@case
def merged_datagrams() -> None:
    """A receiver with UDP_GRO gets merged datagrams, one without gets single ones, in order."""
    cable = merging()
    for on in (False, True):
        left, right = cable.pair(4)
        with left, right:
            left.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, SEGMENT)
            right.setsockopt(socket.IPPROTO_UDP, UDP_GRO, on)
            found: list[bytes] = []
            for number in range(1, 21):
                left.send(pattern(40 * SEGMENT))
                while sum(map(len, found)) < number * 40 * SEGMENT and select.select([right], [], [], PATIENCE)[0]:
                    found.append(right.recv(1 << 17))
        true("the bytes that arrived are those that were sent", b"".join(found) == 20 * pattern(40 * SEGMENT))
        largest = max(map(len, found))
        true(f"with UDP_GRO {on}, the largest datagram has {largest} bytes", (largest > SEGMENT) == on)


@case
def merged_nested_tunnel() -> None:
    """TCP in ipip in the tunnel is merged by GRO of the tunnel's device."""
    cable = Cable()
    with cable.a:
        ip("link set veth0 gso_max_size 1500\nlink set veth0 gso_max_segs 1")
    for side, machine in enumerate((cable.a, cable.b)):
        with machine:
            ip(f"""
            link add nested type ipip local {INNER[4][side]} remote {INNER[4][1 - side]}
            addr add 192.168.8.{side + 1}/24 dev nested
            link set nested up
            """)
    with cable.b:
        ethtool.set_gro("veth0", False)
    before = cable.b.counters("nested")
    transfer(cable.a, cable.b, 4, SIZE, address="192.168.8.2")
    found = (cable.b.counters("nested") - before).rx_packets
    true(f"segments are merged into fewer than {found} packets", found < segments(SIZE, 4, 4) * 3 / 4)


@case
def redirected_with_an_extension_header() -> None:
    """tc redirects TCP segments with an IPv6 extension header as they leave the tunnel: they have no header of the outer packet."""
    cable = Cable()
    with cable.b:
        ip("link add ifb0 type ifb\nlink set ifb0 up")
        tc("qdisc add dev tun0 clsact")
        tc("filter add dev tun0 ingress matchall action mirred egress redirect dev ifb0")
    for sniffers in range(2):  # a packet that a capture shares passes no GRO
        held = [cable.b.sniffer("veth0") for _ in range(sniffers)]
        before = cable.b.counters("ifb0")
        transfer(cable.a, cable.b, 6, SIZE, option=(socket.IPPROTO_IPV6, IPV6_DSTOPTS, PADDING))
        found = cable.b.counters("ifb0") - before
        true("the segments passed ifb0", found.rx_bytes > SIZE)
        true(f"many at a time, not in {found.rx_packets} packets", found.rx_packets < segments(SIZE, 6, 4) / 2)
        del held


@case
def redirected_datagrams() -> None:
    """The same with UDP segments, which pass no GRO."""
    cable = Cable()
    with cable.b:
        ip("link add ifb0 type ifb\nlink set ifb0 up")
        tc("qdisc add dev tun0 clsact")
        tc("filter add dev tun0 ingress matchall action mirred egress redirect dev ifb0")
    left, right = cable.pair(4)
    left.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, SEGMENT)
    left.send(pattern(10 * SEGMENT))
    for _ in range(10):
        equal("length", len(right.recv(1 << 17)), SEGMENT)


@case
def flows_have_hashes_of_their_own() -> None:
    """A hash of the outer flow, which a NIC or a queueing discipline has computed, does not stay: multipath routes see inner flows.

    b tun0 ── a tun0 ─┬─ dummy0
                      └─ dummy1
    """
    cable = Cable()
    with cable.b:
        # fq_codel computes a hash, but alone it lets packets pass while its queue is empty.
        tc("qdisc add dev veth0 root handle 1: netem limit 1000")
        tc("qdisc add dev veth0 parent 1:1 fq_codel")
    with cable.a:
        for setting in ("ip_forward 1", "fib_multipath_hash_policy 1", "conf/all/rp_filter 0"):
            cable.a.sysctl(f"net/ipv4/{setting}")
        ip("link add dummy0 type dummy\nlink add dummy1 type dummy\nlink set dummy0 up\nlink set dummy1 up")
        ip("route add 192.168.9.0/24 nexthop dev dummy0 nexthop dev dummy1")
    before = [cable.a.counters(name).tx_packets for name in ("dummy0", "dummy1")]
    flows = 64
    for port in range(5000, 5000 + flows):
        cable.inject(inner_packet(4, source_port=port, target="192.168.9.1"))

    def used() -> list[int]:
        return [cable.a.counters(name).tx_packets - start for name, start in zip(("dummy0", "dummy1"), before, strict=True)]

    eventually("all packets are forwarded", lambda: sum(used()) == flows)
    true(f"both next hops are used, not {used()}", min(used()) > 0)


@case
def a_full_queue_drops_once() -> None:
    """A packet that finds the queue behind the tunnel full is dropped, not received and dropped."""
    cable = merging()
    sender, receiver = cable.pair(4)
    backlog = "net/core/netdev_max_backlog"
    usual = cable.a.read_sysctl(backlog)
    before, sent = cable.b.counters("tun0"), 0
    cable.a.sysctl(f"{backlog} 1")
    try:
        sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 100)
        for _ in range(50):
            sender.send(bytes(100 * 60))
            sent += 60
            silent_until_drained(receiver)
    finally:
        cable.a.sysctl(f"{backlog} {usual}")
    found = cable.b.counters("tun0") - before
    true("packets were dropped", found.rx_dropped > 0)
    equal("received and dropped", found.rx_packets + found.rx_dropped, sent)


def silent_until_drained(receiver: socket.socket) -> None:
    """Take what has arrived."""
    while select.select([receiver], [], [], 0)[0]:
        receiver.recv(1 << 17)


OFFLOADS = ("tx-checksum-ip-generic", "tx-scatter-gather", "tx-tcp-segmentation", "tx-tcp6-segmentation", "tx-generic-segmentation", "rx-gro")


@combined
def without_offloads(inner: int, outer: int) -> None:
    """Neither the tunnel nor its underlay checksums, gathers, segments or merges: the protocols do so before."""
    cable = Cable(outer, "csum" if outer == 4 else "")
    for device in ("veth0", "tun0"):
        for machine in (cable.a, cable.b):
            with machine:
                for name in OFFLOADS:
                    ethtool.set_feature(device, name, False)
        left, right = cable.pair(inner)
        with left, right:
            for size in (1, 1000, 1400):
                exchange(left, right, pattern(size))
        before = cable.a.counters(device)
        transfer(cable.a, cable.b, inner, 1 << 19)
        found = (cable.a.counters(device) - before).tx_packets
        true(f"{device} sends {found} packets, one for each segment", found >= segments(1 << 19, inner, outer))


@combined
def threaded_napi(inner: int, outer: int) -> None:
    """A thread runs NAPI of the tunnel's device, and ceases to, while TCP goes on."""
    cable = Cable(outer)
    stream = Stream(cable.a, cable.b, inner)
    for on in (1, 0, 1):
        stream.move(1 << 19)
        run("ip", "netns", "exec", "b", "sh", "-c", f"echo {on} >/sys/class/net/tun0/threaded")
    stream.move(1 << 19)
    with cable.b:
        tunctl("del tun0")
    cable.make(1)
    stream.move(1 << 19)
