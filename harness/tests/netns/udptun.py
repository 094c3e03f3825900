# SPDX-License-Identifier: GPL-2.0
"""The tunnel from end to end: each case is a function that builds its network anew, and says by Failure what is wrong.

    python3 udptun.py [CASE ...]    runs all, or these; each line of the output begins with "run", "ok", "FAILED" or "skip"

The topology is Cable's, in lab.py, unless a case draws its own.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import os
import re
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterator

from lab import (
    AF, INNER, IP_HEADER, OUTER, PATIENCE, PORT, UDP_HEADER,
    IPV6_FLOWINFO_SEND, Cable, Counters, Failure, Machine, Packet, Skip,
    clear, equal, eventually, exchange, ip, run, running, silent, true, tunctl,
)  # fmt: skip

Case = Callable[[], None]
CASES: dict[str, Case] = {}

TROUBLE = re.compile(
    r"BUG:|WARNING:|Oops|Call Trace|soft lockup|blocked for more than|scheduling while atomic|unregister_netdevice: waiting"
)

ECT1, ECT0, CE = 1, 2, 3


def case(function: Case) -> Case:
    """A case, named by its function."""
    CASES[function.__name__] = function
    return function


def combined(function: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """Four cases: IPv4 and IPv6 inside, over IPv4 and IPv6."""
    for inner in (4, 6):
        for outer in (4, 6):
            CASES[f"{function.__name__}_{inner}in{outer}"] = functools.partial(function, inner, outer)
    return function


def over_both(function: Callable[[int], None]) -> Callable[[int], None]:
    """Two cases: over IPv4 and over IPv6."""
    for outer in (4, 6):
        CASES[f"{function.__name__}_over{outer}"] = functools.partial(function, outer)
    return function


def overhead(outer: int) -> int:
    """What a tunnel adds to a packet, in bytes."""
    return IP_HEADER[outer] + UDP_HEADER


def pattern(size: int) -> bytes:
    """Bytes that differ from one place to the next."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


# What comes through, and how it is counted


@combined
def datagrams(inner: int, outer: int) -> None:
    """Every byte arrives, and both ends count the same bytes and packets."""
    cable = Cable(outer)
    left, right = cable.pair(inner)
    sizes = (0, 1, 2, 63, 64, 512, 1000, 1400)
    for sender, receiver, source, sink in ((left, right, cable.a, cable.b), (right, left, cable.b, cable.a)):
        before = source.counters("tun0"), sink.counters("tun0")
        for size in sizes:
            exchange(sender, receiver, pattern(size))
        sent, received = source.counters("tun0") - before[0], sink.counters("tun0") - before[1]
        total = sum(sizes) + len(sizes) * (IP_HEADER[inner] + UDP_HEADER)
        equal("sent packets, bytes", (sent.tx_packets, sent.tx_bytes), (len(sizes), total))
        equal("received packets, bytes", (received.rx_packets, received.rx_bytes), (len(sizes), total))
        equal("errors", (sent.tx_errors, sent.tx_dropped, received.rx_errors, received.rx_dropped), (0, 0, 0, 0))


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
def fragments(inner: int, outer: int) -> None:
    """The largest datagram, in fragments inside the tunnel."""
    cable = Cable(outer)
    left, right = cable.pair(inner, df=False)
    before = cable.b.counters("tun0")
    for size in (1473, 8000, 65507 if inner == 4 else 65487):
        exchange(left, right, pattern(size))
    true("fragments are counted one by one", (cable.b.counters("tun0") - before).rx_packets > 48)


@over_both
def outer_fragments(outer: int) -> None:
    """With df unset and an MTU above the underlay's, the encapsulated packets are fragmented."""
    cable = Cable(outer, "df unset mtu 9000")
    left, right = cable.pair(4, df=True)
    sniffer = cable.b.sniffer("veth0")
    before = cable.b.counters("tun0")
    exchange(left, right, pattern(4000))
    equal("packets in the tunnel", (cable.b.counters("tun0") - before).rx_packets, 1)
    equal("fragments on the underlay", [packet.fragment for packet in sniffer.packets()], [True] * 3)


@combined
def stream(inner: int, outer: int) -> None:
    """TCP, whose segments are cut only behind the tunnel: each byte arrives."""
    cable = Cable(outer)
    before = cable.a.counters("tun0")
    size = 4 << 20
    transfer(cable, inner, size)
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
            transfer(cable, inner, 1 << 20)
        clear()


@case
def stream_without_offloads() -> None:
    """The tunnel segments and checksums when the underlay does neither."""
    cable = Cable()
    for machine in (cable.a, cable.b):
        with machine:
            ip("link set veth0 gso_max_size 1500\nlink set veth0 gso_max_segs 1")
    transfer(cable, 4, 1 << 20)
    transfer(cable, 6, 1 << 20)


def transfer(cable: Cable, inner: int, size: int) -> None:
    """Send `size` bytes from a to b by TCP; Failure unless they are what arrives."""
    block = pattern(1 << 16)
    with cable.b:
        listener = socket.create_server((INNER[inner][1], 0), family=AF[inner])
    listener.settimeout(PATIENCE)
    child = os.fork()
    if not child:
        with cable.a, socket.create_connection(listener.getsockname()[:2], PATIENCE) as sender:
            sender.settimeout(60)
            for _ in range(size // len(block)):
                sender.sendall(block)
        os._exit(0)
    found, wanted = hashlib.sha256(), hashlib.sha256(block * (size // len(block)))
    try:
        receiver, _ = listener.accept()
        receiver.settimeout(30)
        with receiver:
            while data := receiver.recv(1 << 16):
                found.update(data)
    except TimeoutError as error:
        raise Failure(f"TCP over IPv{inner} inside stands still") from error
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    equal("checksum of what arrived", found.hexdigest(), wanted.hexdigest())


# The outer header


@combined
def ttl(inner: int, outer: int) -> None:
    """Fixed, 64 by default, or as inside."""
    cable = Cable(outer)
    left, right = cable.pair(inner)
    hops = (socket.IPPROTO_IP, socket.IP_TTL) if inner == 4 else (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)
    left.setsockopt(*hops, 33)
    sniffer = cable.b.sniffer("veth0")
    for options, wanted in (("", 64), ("ttl 5", 5), ("ttl 255", 255), ("ttl inherit", 33)):
        if options:
            cable.set(options)
        exchange(left, right, b"x")
        packet = sniffer.one()
        equal(f"outer TTL with {options or 'the default'}", packet.ttl, wanted)
        equal("inner TTL", packet.inside.ttl, 33)


@combined
def tos(inner: int, outer: int) -> None:
    """Fixed or as inside; the ECN bits are the packet's own in any case."""
    cable = Cable(outer)
    left, right = cable.pair(inner)
    sniffer = cable.b.sniffer("veth0")
    for options, wanted in (("tos 0", 0), ("tos 0x48", 0x48), ("tos inherit", 0x88)):
        cable.set(options)
        for ecn in (0, ECT0, ECT1):
            set_tos(left, inner, 0x88 | ecn)
            exchange(left, right, b"x")
            packet = sniffer.one()
            equal(f"outer TOS with {options}", packet.tos, wanted | ecn)
            equal("inner TOS", packet.inside.tos, 0x88 | ecn)


def set_tos(sock: socket.socket, family: int, value: int) -> None:
    """The TOS or traffic class of what a socket sends."""
    if family == 4:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, value)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, value)


@combined
def ecn(inner: int, outer: int) -> None:
    """Congestion met on the way reaches the inner packet; one that cannot carry the mark is dropped."""
    cable = Cable(outer)
    with cable.a.udp(inner, INNER[inner][0], 9) as receiver:
        sniffer = cable.a.sniffer("tun0")
        # What is inside, what is outside: what arrives.
        cases = {(0, 0): 0, (ECT0, ECT0): ECT0, (ECT0, CE): CE, (ECT1, CE): CE, (CE, ECT0): CE, (CE, 0): CE, (ECT0, 0): ECT0}
        for (inside, outside), wanted in cases.items():
            cable.inject(inner_packet(inner, tos=inside), tos=outside)
            equal(f"ECN {inside} inside, {outside} outside", sniffer.one().tos, wanted)
            equal("payload", receiver.recv(100), b"hello")
        before = cable.a.counters("tun0")
        cable.inject(inner_packet(inner, tos=0), tos=CE)
        silent(receiver)
        equal("rx_errors, rx_frame", errors(cable.a.counters("tun0") - before), (1, 1, 0))


def errors(counters: Counters) -> tuple[int, int, int]:
    """Receive errors, those of framing, and packets received."""
    return counters.rx_errors, counters.rx_frame, counters.rx_packets


@over_both
def df(outer: int) -> None:
    """Set, unset or as inside: seen in IPv4's header, and in what IPv6 does with a packet that is too long."""
    if outer == 6:
        cable = Cable(6, "mtu 2000")
        left, right = cable.pair(4, df=True)
        before = cable.a.counters("tun0")
        true("the sender is told that its datagram is too long", learns(left, pattern(1800)))
        equal("too long for IPv6, df inherit", (cable.a.counters("tun0") - before).tx_errors, 1)
        cable.set("df unset")
        with cable.pair(4, df=False)[0] as sender:
            sender.send(pattern(1800))
        return
    cable = Cable(4)
    sniffer = cable.b.sniffer("veth0")
    for options, inside, wanted in (
        ("df inherit", True, True), ("df inherit", False, False), ("df set", False, True), ("df unset", True, False),
    ):  # fmt: skip
        cable.set(options)
        left, right = cable.pair(4, df=inside)
        with left, right:
            exchange(left, right, b"x")
        equal(f"DF with {options}, {inside} inside", sniffer.one().df, wanted)


def learns(sender: socket.socket, data: bytes) -> bool:
    """Send until the sender hears that this is too long, by ICMP; the first datagrams are lost on the way."""
    for _ in range(5):
        try:
            sender.send(data)
        except OSError as error:
            equal("error", error.errno, errno.EMSGSIZE)
            sender.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # what ICMP brought is still to be fetched
            return True
        time.sleep(0.05)
    return False


@case
def flowlabel() -> None:
    """Fixed or as inside, over IPv6."""
    cable = Cable(6)
    sniffer = cable.b.sniffer("veth0")
    left, right = cable.pair(6)
    with cable.a, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.IPPROTO_IPV6, IPV6_FLOWINFO_SEND, 1)
        for options, wanted in (("flowlabel 0", 0), ("flowlabel 0xabcde", 0xABCDE), ("flowlabel inherit", 0x12345)):
            cable.set(options)
            sender.sendto(b"x", (INNER[6][1], right.getsockname()[1], 0x12345, 0))
            packet = sniffer.one()
            equal("inner flow label", packet.inside.flowlabel, 0x12345)
            equal(f"outer flow label with {options}", packet.flowlabel, wanted)
    left.close()


@over_both
def checksums(outer: int) -> None:
    """Off over IPv4 and on over IPv6, unless asked for; what should have had one is not let in."""
    cable = Cable(outer)
    sniffer = cable.b.sniffer("veth0")
    cable.check()
    equal("checksummed", bool(sniffer.packets()[0].checksum), outer == 6)
    if outer == 4:
        return
    with cable.a.udp(4, INNER[4][0], 9) as receiver:
        before = cable.a.counters("tun0")
        cable.inject(inner_packet(4), checksum=False)
        silent(receiver)
        equal("errors without a checksum", (cable.a.counters("tun0") - before).rx_errors, 1)
        cable.set("zerocsum6rx")
        cable.inject(inner_packet(4), checksum=False)
        equal("payload", receiver.recv(100), b"hello")


# The path's MTU


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


# Who gets in, and with what


def inner_packet(version: int, *, tos: int = 0, payload: bytes = b"hello") -> bytes:
    """A UDP packet from b to port 9 of a, as it is inside of the tunnel."""
    source, target = (socket.inet_pton(AF[version], INNER[version][side]) for side in (1, 0))
    length = UDP_HEADER + len(payload)
    udp = struct.pack("!HHHH", 4000, 9, length, 0)
    if version == 4:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, 20 + length, 1, 0, 64, 17, 0, source, target)
        return head[:10] + checksum(head) + head[12:] + udp + payload
    pseudo = source + target + struct.pack("!II", length, 17)
    udp = udp[:6] + checksum(pseudo + udp + payload)
    return struct.pack("!IHBB16s16s", 6 << 28 | tos << 20, length, 17, 64, source, target) + udp + payload


def checksum(data: bytes) -> bytes:
    """The internet checksum."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) & ~1])) + (data[-1] << 8 if len(data) % 2 else 0)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)


def malformed_packets() -> Iterator[tuple[str, bytes]]:
    """What is no IP packet, or not a whole one."""
    four, six = inner_packet(4), inner_packet(6)
    yield "nothing", b""
    for version in (0, 1, 5, 7, 15):
        yield f"version {version}", bytes([version << 4 | 5]) + four[1:]
    yield "one byte of IPv4", four[:1]
    yield "19 bytes of IPv4", four[:19]
    yield "IPv4 cut off", four[:-1]
    yield "IPv4 header of 16 bytes", b"\x44" + four[1:]
    yield "IPv4 header of 60 bytes in a shorter packet", b"\x4f" + four[1:]
    yield "IPv4 length of 0", four[:2] + b"\0\0" + four[4:]
    yield "IPv4 length below the header's", four[:2] + b"\0\x13" + four[4:]
    yield "IPv4 length above the packet's", four[:2] + b"\xff\xff" + four[4:]
    yield "one byte of IPv6", six[:1]
    yield "39 bytes of IPv6", six[:39]
    yield "IPv6 cut off", six[:-1]
    yield "IPv6 length above the packet's", six[:4] + b"\xff\xff" + six[6:]
    yield "ARP", bytes.fromhex("0001080006040001") + bytes(20)
    yield "Ethernet", b"\xff" * 12 + b"\x08\x00" + four
    yield "text", b"GET / HTTP/1.1\r\n\r\n"


@over_both
def malformed(outer: int) -> None:
    """Dropped and counted, never delivered; and what is well-formed comes through between them."""
    cable = Cable(outer)
    with cable.a.udp(4, INNER[4][0], 9) as four, cable.a.udp(6, INNER[6][0], 9) as six:
        sniffer = cable.a.sniffer("tun0")
        for what, payload in malformed_packets():
            before = cable.a.counters("tun0")
            cable.inject(payload)
            eventually(f"{what} is counted", lambda start=before: cable.a.counters("tun0") != start)  # type: ignore[misc]
            found = cable.a.counters("tun0") - before
            equal(f"{what}: errors, of framing, packets", errors(found), (1, 1, 0))
        equal("packets that the tunnel delivered", len(sniffer.packets()), 0)
        for receiver, version in ((four, 4), (six, 6)):
            cable.inject(inner_packet(version))
            equal("payload", receiver.recv(100), b"hello")


@case
def malformed_udp() -> None:
    """Wrong UDP lengths and checksums end before the tunnel."""
    cable = Cable()
    inner = inner_packet(4)
    with cable.a.udp(4, INNER[4][0], 9) as receiver, cable.b:
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
        raw.bind((OUTER[4][1], 0))
        before = cable.a.counters("tun0")
        whole = UDP_HEADER + len(inner)
        for length, total in ((0, 0), (7, 0), (whole + 1, 0), (0xFFFF, 0), (whole, 0x1234)):
            raw.sendto(struct.pack("!HHHH", PORT, PORT, length, total) + inner, (OUTER[4][0], 0))
        raw.sendto(struct.pack("!HH", PORT, PORT), (OUTER[4][0], 0))
        silent(receiver)
        equal("counted in the tunnel", cable.a.counters("tun0"), before)
        # A UDP length that leaves out the inner packet's end: the tunnel sees a packet that is too short.
        raw.sendto(struct.pack("!HHHH", PORT, PORT, whole - 1, 0) + inner, (OUTER[4][0], 0))
        silent(receiver)
        equal("errors, of framing, packets", errors(cable.a.counters("tun0") - before), (1, 1, 0))
        raw.close()
    cable.check()


@over_both
def stranger(outer: int) -> None:
    """The right packet from a wrong address, or a wrong port, does not get in; nor is it the peer's error."""
    cable = Cable(outer)
    other = {4: "10.0.0.66", 6: "fd00::66"}[outer]
    with cable.b:
        ip(f"addr add {other}/{24 if outer == 4 else 64} dev veth0 {'nodad' if outer == 6 else ''}")
    with cable.a.udp(4, INNER[4][0], 9) as receiver:
        before = cable.a.counters("tun0")
        cable.inject(inner_packet(4), source=other)
        cable.inject(inner_packet(4), port=PORT + 1)
        cable.inject(inner_packet(4), source=other, port=1)
        silent(receiver)
        equal("counted in the tunnel", cable.a.counters("tun0"), before)
        cable.inject(inner_packet(4))
        equal("payload", receiver.recv(100), b"hello")
        with cable.a:
            tunctl(f"set tun0 remote {other} remote-port 1")
        cable.inject(inner_packet(4), source=other, port=1)
        equal("payload of the new peer", receiver.recv(100), b"hello")
        cable.inject(inner_packet(4))
        silent(receiver)


@case
def down_means_down() -> None:
    """Nothing gets in while the device is down."""
    cable = Cable()
    with cable.a.udp(4, INNER[4][0], 9) as receiver:
        with cable.a:
            ip("link set tun0 down")
        before = cable.a.counters("tun0")
        cable.inject(inner_packet(4))
        silent(receiver)
        equal("packets", (cable.a.counters("tun0") - before).rx_packets, 0)


@over_both
def two_tunnels_on_one_port(outer: int) -> None:
    """Peers that differ share a port; each has its own tunnel, and one of them may go.

    a tun0 ──┐
             ├── port 7000 ── tun0, tun1 b
    a tun1 ──┘  (from a second address of a)
    """
    cable = Cable(outer)
    second = {4: "10.0.0.3", 6: "fd00::3"}[outer]
    with cable.a:
        ip(f"addr add {second}/{24 if outer == 4 else 64} dev veth0 {'nodad' if outer == 6 else ''}")
        tunctl(f"add tun1 local {second} remote {OUTER[outer][1]} port {PORT}")
        ip("addr add 192.168.6.1/24 dev tun1\nlink set tun1 up")
    with cable.b:
        tunctl(f"add tun1 local {OUTER[outer][1]} remote {second} port {PORT}")
        ip("addr add 192.168.6.2/24 dev tun1\nlink set tun1 up")
        refusal(f"add tun2 local {OUTER[outer][1]} remote {second} port {PORT}", "Another tunnel has these addresses and ports")
    left, right = cable.a.udp(4, "192.168.6.1"), cable.b.udp(4, "192.168.6.2")
    left.connect(right.getsockname())
    right.connect(left.getsockname())
    before = cable.b.counters("tun0"), cable.b.counters("tun1")
    exchange(left, right, b"second")
    cable.check()
    found = [(cable.b.counters(name) - start).rx_packets for name, start in zip(("tun0", "tun1"), before, strict=True)]
    equal("packets in tun0, tun1", found, [1, 1])
    with cable.b:
        tunctl("del tun0")
    exchange(left, right, b"second, alone")


# Changes while it runs


def flood(machine: Machine, inner: int, target: str) -> Callable[[], None]:
    """A job that sends datagrams, of all sizes, as fast as it can."""

    def job() -> None:
        with machine, socket.socket(AF[inner], socket.SOCK_DGRAM) as sender:
            for size in range(1, 4000, 37):
                sender.sendto(bytes(size), (target, 9))

    return job


def floods(cable: Cable) -> list[Callable[[], None]]:
    """Jobs that send IPv4 and IPv6 both ways."""
    return [
        flood(machine, inner, INNER[inner][1 - side]) for side, machine in enumerate((cable.a, cable.b)) for inner in (4, 6)
    ]


def flowing(cable: Cable) -> None:
    """Wait until there is traffic."""
    start = cable.a.counters("tun0").rx_packets
    eventually("there is traffic", lambda: cable.a.counters("tun0").rx_packets > start + 10)


@over_both
def changelink_under_traffic(outer: int) -> None:
    """Everything that may change does, fifty times; then all is as before, and works."""
    cable = Cable(outer)
    second = {4: "10.0.0.3", 6: "fd00::3"}[outer]
    changes = ["ttl 9", "ttl inherit", "tos inherit", "df set", "df unset", f"remote {second}", "remote-port 7", "port 8"]
    changes += ["csum"] if outer == 4 else ["zerocsum6tx", "zerocsum6rx", "flowlabel inherit", "flowlabel 7"]
    back = f"ttl 64 tos 0 df inherit local {OUTER[outer][0]} remote {OUTER[outer][1]} port {PORT} remote-port {PORT}"
    back += " nocsum" if outer == 4 else " nozerocsum6tx nozerocsum6rx flowlabel 0"
    with cable.a:
        initial = tunctl("show tun0").stdout
    with running(*floods(cable)):
        flowing(cable)
        with cable.a:
            for _ in range(5):
                for change in changes:
                    tunctl(f"set tun0 {change}")
            tunctl(f"set tun0 {back}")
            equal("tun0", tunctl("show tun0").stdout, initial)
        flowing(cable)
    cable.check()


@over_both
def delete_under_traffic(outer: int) -> None:
    """Under full traffic in both directions, each end is deleted and made again."""
    cable = Cable(outer)
    with running(*floods(cable)):
        for number in range(10):
            flowing(cable)
            side = number % 2
            with (cable.a, cable.b)[side]:
                tunctl("del tun0")
            true("tun0 is gone", not (cable.a, cable.b)[side].has("tun0"))
            cable.make(side)
    cable.check()


@case
def delete_under_a_stream() -> None:
    """The same with TCP, whose packets wait in queues; a new tunnel carries on with the same connection."""
    cable = Cable()
    with cable.b:
        listener = socket.create_server((INNER[4][1], 0))
    with cable.a:
        sender = socket.create_connection(listener.getsockname(), PATIENCE)
    receiver, _ = listener.accept()
    sender.setblocking(False)
    receiver.setblocking(False)
    for _ in range(5):
        pump(sender, receiver, 1 << 20)
        with cable.a:
            tunctl("del tun0")
        cable.make(0)
    sender.setblocking(True)
    receiver.setblocking(True)


def pump(sender: socket.socket, receiver: socket.socket, size: int) -> None:
    """Move about `size` bytes from one end of a connection to the other."""
    deadline = time.monotonic() + 20
    done = 0
    while done < size:
        for action in (lambda: sender.send(bytes(1 << 16)) and 0, lambda: len(receiver.recv(1 << 20))):
            try:
                done += action()
            except BlockingIOError:
                time.sleep(0.001)
        true(f"a stream goes on, after {done} bytes", time.monotonic() < deadline)


@case
def module_unload_with_devices() -> None:
    """rmmod under traffic takes the devices along; the module can come back."""
    cable = Cable()
    with running(*floods(cable)):
        flowing(cable)
        run("rmmod", "udptun")
    for machine in (cable.a, cable.b):
        true("tun0 is gone", not machine.has("tun0"))
    run("modprobe", "udptun")
    for side in (0, 1):
        cable.make(side)
    cable.check()


# Namespaces


@case
def netns_move() -> None:
    """A tunnel in another namespace still sends and receives where it was made.

    c tun0 ── (socket in a) ── veth ── b tun0
    """
    cable = Cable()
    c = Machine("c")
    with cable.a:
        ip("link set tun0 netns c")
    true("tun0 is not in a", not cable.a.has("tun0"))
    cable.address(0, c)
    with c:
        shown = json.loads(tunctl("show -j").stdout)
        equal("tunnels in c", [tunnel["ifname"] for tunnel in shown], ["tun0"])
        true("c's tunnel knows of another namespace", "link_netnsid" in shown[0])
    left, right = c.udp(4, INNER[4][0]), cable.b.udp(4, INNER[4][1])
    left.connect(right.getsockname())
    right.connect(left.getsockname())
    exchange(left, right, b"out of c")
    exchange(right, left, b"into c")
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
    cable = Cable()
    c = Machine("c")
    with cable.a:
        ip("link set tun0 netns c")
    cable.address(0, c)
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
    cable = Cable()
    c = Machine("c")
    with cable.a:
        ip("link set tun0 netns c")
    cable.address(0, c)
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


# Loops


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


# What is refused


def refusal(words: str, sentence: str, status: int | None = None) -> None:
    """Failure unless udptunctl prints this one sentence."""
    done = tunctl(words, None)
    true(f"{words}: is refused", done.status not in (0, None))
    true(f"{words}: {done.stderr.strip()!r} has {sentence!r} in it", sentence in done.stderr)
    equal(f"{words}: lines of the refusal", len(done.stderr.strip().splitlines()), 1)
    if status is not None:
        equal(f"{words}: status", done.status, status)


GOOD = f"local 10.0.0.1 remote 10.0.0.2 port {PORT}"

REFUSED_BY_THE_TOOL = {
    "local 10.0.0": "takes an IPv4 or IPv6 address",
    "local 10.0.0.256": "takes an IPv4 or IPv6 address",
    "local fe80::1%veth0": "takes an IPv4 or IPv6 address",
    "remote b": "takes an IPv4 or IPv6 address",
    "port 65536": "takes a number from 0 to 65535",
    "port -1": "takes a number from 0 to 65535",
    "port 7000x": "takes a number from 0 to 65535",
    "port": "lacks its value",
    "remote-port +1": "takes a number from 0 to 65535",
    "ttl 0": "takes a number from 1 to 255, or inherit",
    "ttl 256": "takes a number from 1 to 255, or inherit",
    "tos 1": "takes 0, a number from 2 to 255, or inherit",
    "tos 256": "takes 0, a number from 2 to 255, or inherit",
    "flowlabel 0x100000": "takes a number from 0 to 0xfffff, or inherit",
    "df maybe": "takes set, unset or inherit",
    "mtu 0": "takes a number of bytes from 1",
    "mtu 99999999999999999999": "takes a number of bytes from 1",
    "dev nosuch0": 'Cannot find device "nosuch0"',
    "csum nocsum": '"nocsum" contradicts "csum"',
    "ttl 1 ttl 2": '"ttl" is given twice',
    "key 5": '"key" is unknown here',
}

REFUSED_BY_THE_KERNEL = {
    "": "missing",
    "local 10.0.0.1 remote 10.0.0.2": "The local port is missing",
    "remote 10.0.0.2 port 1": "The local address is missing",
    "local 10.0.0.1 port 1": "The remote address is missing",
    "port 1": "Local and remote address are missing",
    "local 10.0.0.1 remote fd00::2 port 1": "not of one family",
    "local fd00::1 remote 10.0.0.2 port 1": "not of one family",
    "local 0.0.0.0 remote 10.0.0.2 port 1": "The local address must be a certain one",
    "local 10.0.0.1 remote 0.0.0.0 port 1": "The remote address must be a certain one",
    "local 224.0.0.1 remote 10.0.0.2 port 1": "The local address is a multicast address",
    "local 10.0.0.1 remote 239.1.1.1 port 1": "The remote address is a multicast address",
    "local 10.0.0.1 remote 255.255.255.255 port 1": "The remote address is a broadcast address",
    "local 10.0.0.1 remote 10.0.0.255 port 1": "The remote address is a broadcast address",
    "local 10.0.0.1 remote 10.0.0.1 port 1": "Local and remote address are the same",
    "local 10.0.0.9 remote 10.0.0.1 port 1": "The remote address is one of this host's own",
    "local 10.0.0.1 remote 127.0.0.1 port 1": "The remote address is one of this host's own",
    "local fd00::1 remote :: port 1": "The remote address must be a certain one",
    "local fd00::1 remote ff02::1 port 1": "The remote address is a multicast address",
    "local fd00::9 remote fd00::1 port 1": "The remote address is one of this host's own",
    "local fd00::1 remote ::ffff:10.0.0.2 port 1": "not mapped into IPv6",
    "local fe80::1 remote fe80::2 port 1": "A link-local address needs an underlay device",
    "local 10.0.0.1 remote 10.0.0.2 port 0": "The local port cannot be 0",
    f"{GOOD} remote-port 0": "The remote port cannot be 0",
    f"{GOOD} tos 2": "The TOS is a multiple of 4",
    f"{GOOD} flowlabel 5": "A flow label is chosen over IPv6 only",
    f"{GOOD} zerocsum6tx": "Zero checksums are chosen over IPv6 only",
    f"{GOOD} mtu 67": "mtu",
    f"{GOOD} mtu 65508": "mtu greater than device maximum",
    f"{GOOD} mtu 1000000": "mtu greater than device maximum",
    "local fd00::1 remote fd00::2 port 1 csum": "The UDP checksum over IPv6",
}


@case
def refused_by_the_tool() -> None:
    """Each wrong word: one sentence, status 1, and no device."""
    a = Machine("a")
    with a:
        for words, sentence in REFUSED_BY_THE_TOOL.items():
            refusal(f"add tun9 {words}", sentence, 1)
        for name in ("a/b", "a:b", "sixteen-letters-", ".", ".."):
            refusal(f"add {name} {GOOD}", "a device's name is", 1)
        for command in ("set", "del", "show"):
            refusal(f"{command} nosuch0 {'ttl 5' if command == 'set' else ''}", 'Cannot find device "nosuch0"', 1)
        refusal("set lo ttl 5", '"lo" is not a udptun device', 1)
        refusal("del lo", '"lo" is not a udptun device', 1)
        refusal("show lo", '"lo" is not a udptun device', 1)
        refusal("remove tun0", 'command "remove" is unknown', 1)
        refusal("add", "lacks the name", 1)
    true("no device is left", not a.has("tun9"))


@case
def refused_by_the_kernel() -> None:
    """Each contradiction: the kernel's sentence as it is, status 2, no device and no socket."""
    cable = Cable()
    with cable.a:
        tunctl("del tun0")
        for words, sentence in REFUSED_BY_THE_KERNEL.items():
            refusal(f"add tun9 {words}", sentence, 2)
            true("no device is left", not cable.a.has("tun9"))
    for port in (1, PORT):
        with cable.a:
            cable.a.udp(4, "0.0.0.0", port).close()
            cable.a.udp(6, "::", port).close()


@case
def refused_when_taken() -> None:
    """A name, a port, a peer that another has."""
    cable = Cable()
    with cable.a, cable.a.udp(4, "0.0.0.0", 7001):
        refusal(f"add tun0 local 10.0.0.1 remote 10.0.0.9 port {PORT}", "File exists", 2)
        refusal("add tun9 local 10.0.0.1 remote 10.0.0.9 port 7001", "The local port is taken by another socket", 2)
        refusal(f"add tun9 {GOOD}", "Another tunnel has these addresses and ports", 2)
        true("no device is left", not cable.a.has("tun9"))
    cable.check()


@case
def refused_changes() -> None:
    """A change that is refused changes nothing."""
    cable = Cable()
    with cable.a, cable.a.udp(4, "0.0.0.0", 7001):
        before = tunctl("show tun0").stdout
        for words, sentence in {
            "remote fd00::2": "which cannot be changed",
            "local fd00::1 remote fd00::2": "which cannot be changed",
            "remote 10.0.0.1": "Local and remote address are the same",
            "port 0": "The local port cannot be 0",
            "port 7001": "The local port is taken by another socket",
            "ttl 9 tos 3": "The TOS is a multiple of 4",
            "dev tun0": "A tunnel cannot be its own underlay",
            "mtu 67": "mtu",
        }.items():
            refusal(f"set tun0 {words}", sentence, 2)
            equal(f"tun0 after {words}", tunctl("show tun0").stdout, before)
    cable.check()


@case
def refused_without_privilege() -> None:
    """No CAP_NET_ADMIN in the namespace."""
    cable = Cable()
    child = os.fork()
    if not child:
        with cable.a:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            try:
                for words in (f"add tun9 {GOOD}", "set tun0 ttl 5", "del tun0"):
                    refusal(words, "RTNETLINK answers: Operation not permitted", 2)
                equal("tunnels shown", tunctl("show").stdout.split()[0], "tun0")
                os._exit(0)
            except BaseException as error:  # noqa: BLE001 - nothing may leave the child but its status
                print(repr(error), flush=True)
                os._exit(1)
    equal("status of nobody's attempts", os.waitpid(child, 0)[1], 0)
    cable.check()


@case
def refused_without_the_module() -> None:
    """The kernel does not know the kind, and does not find its module."""
    run("rmmod", "udptun")
    try:
        ip("link add dummy9 type dummy")
        run("mount", "-t", "tmpfs", "none", "/lib/modules")
        try:
            refusal(f"add tun9 {GOOD}", "Error: Unknown device type (the module udptun is not installed)", 2)
            equal("tunnels shown", tunctl("-j show").stdout, "[]\n")
        finally:
            run("umount", "/lib/modules")
    finally:
        run("modprobe", "udptun")


def attribute(kind: int, data: bytes) -> bytes:
    """A netlink attribute."""
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def newlink(name: str, data: bytes, *more: bytes) -> tuple[int, str]:
    """Make a udptun device by a message of our own; the error and the kernel's sentence."""
    ifname, linkinfo, kind, info_data = 3, 18, 1, 2
    information = attribute(kind, b"udptun\0") + attribute(info_data, data)
    body = bytes(16) + attribute(ifname, name.encode() + b"\0") + b"".join(more) + attribute(linkinfo, information)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as channel:
        for option in (10, 11):  # NETLINK_CAP_ACK, NETLINK_EXT_ACK
            channel.setsockopt(270, option, 1)
        channel.send(struct.pack("=IHHII", 16 + len(body), 16, 0x605, 1, 0) + body)
        answer = channel.recv(65536)
    error, sentence = -struct.unpack_from("=i", answer, 16)[0], ""
    offset = 36
    while offset < len(answer):
        length, what = struct.unpack_from("=HH", answer, offset)
        if what == 1:
            sentence = answer[offset + 4 : offset + length].rstrip(b"\0").decode()
        offset += (length + 3) & ~3
    return error, sentence


@case
def refused_messages() -> None:
    """What udptunctl would not send: unknown and ill-sized attributes, numbers out of range."""
    a = Machine("a")
    local, remote = (attribute(kind, socket.inet_aton(text)) for kind, text in ((1, "10.0.0.1"), (3, "10.0.0.2")))
    good = local + remote + attribute(5, struct.pack("!H", PORT))
    wrong = {
        "unknown attribute": good + attribute(40, b"\0"),
        "the attribute after the last": good + attribute(16, b"\0"),
        "address of 3 bytes": attribute(1, b"\1\2\3") + good,
        "IPv6 address of 4 bytes": attribute(2, b"\1\2\3\4") + attribute(4, bytes(16)),
        "port of 1 byte": local + remote + attribute(5, b"\1"),
        "flag of 2": good + attribute(10, b"\2"),
        "df of 9": good + attribute(14, b"\x09"),
        "flow label of 21 bits": attribute(2, socket.inet_pton(socket.AF_INET6, "fd00::1"))
        + attribute(4, socket.inet_pton(socket.AF_INET6, "fd00::2"))
        + attribute(5, b"\1\1")
        + attribute(9, struct.pack("!I", 0x100000)),
        "underlay that does not exist": good + attribute(13, struct.pack("=I", 12345)),
        "underlay beyond all indexes": good + attribute(13, b"\xff" * 4),
    }
    with a:
        for what, data in wrong.items():
            error, sentence = newlink("tun9", data)
            true(f"{what} is refused", error)
            true(f"{what} is refused in a sentence", sentence)
            true("no device is left", not a.has("tun9"))
        error, sentence = newlink("tun9", good, attribute(1, b"\2\0\0\0\0\1"))
        true("a hardware address is refused in a sentence", error and sentence)
        equal("a good message", newlink("tun9", good)[0], 0)
        true("tun9 is there", a.has("tun9"))


@case
def shown_is_what_makes_it() -> None:
    """The output of show, given to add, makes the same tunnel; JSON says the same."""
    cable = Cable()
    for words in (
        GOOD,
        f"{GOOD} remote-port 9 ttl inherit tos inherit csum df set mtu 1300 dev veth0",
        "local fd00::1 remote fd00::2 port 7 ttl 1 tos 0xfc zerocsum6tx zerocsum6rx flowlabel inherit df unset",
        "local fd00::1 remote fd00::2 port 7 flowlabel 0xabcde",
    ):
        with cable.a:
            run("ip", "link", "del", "tun0")
            tunctl(f"add tun0 {words}")
            shown = tunctl("show").stdout
            tunctl("del tun0")
            tunctl(f"add {shown}")
            equal("shown", tunctl("show tun0").stdout, shown)
            (tunnel,) = json.loads(tunctl("-j show tun0").stdout)
            for key, value in re.findall(r"(local|remote|port|remote-port|ttl|tos|mtu|df|dev) (\S+)", shown):
                equal(key, str(tunnel[key]), value)


# Running them


def supervise(name: str, log: int) -> bool:
    """Run one case, and say how it went."""
    print(f"run {name}", flush=True)
    begin = time.monotonic()
    kernel_says(log)
    try:
        CASES[name]()
        clear()
        if complaint := kernel_says(log):
            raise Failure(f"the kernel complains: {complaint}")
    except Skip as reason:
        print(f"skip {name}: {reason}", flush=True)
    except Exception as error:  # noqa: BLE001 - whatever it is, the other cases are tried
        place = traceback.extract_tb(error.__traceback__)
        line = next(frame.lineno for frame in reversed(place) if frame.filename == __file__)
        text = str(error) if isinstance(error, Failure) else repr(error)
        print(f"FAILED {name}: line {line}: {text} {kernel_says(log)}".replace("\n", " "), flush=True)
        clear()
        return False
    else:
        print(f"ok {name} ({time.monotonic() - begin:.1f} s)", flush=True)
    return True


def kernel_says(log: int) -> str:
    """The first complaint among the kernel's new messages, or ""."""
    found = ""
    while True:
        try:
            message = os.read(log, 8192).decode(errors="replace").partition(";")[2].partition("\n")[0]
        except BlockingIOError:
            return found
        except BrokenPipeError:
            continue
        if not found and TROUBLE.search(message):
            found = message


def main(names: list[str]) -> int:
    """Run these cases, or all; 1 when one fails."""
    run("modprobe", "udptun")
    log = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    results = [supervise(name, log) for name in names or CASES]
    return int(not all(results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
