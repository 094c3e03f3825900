# SPDX-License-Identifier: GPL-2.0
"""Who gets in, and with what."""

from __future__ import annotations

import io
import json
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import ethtool
from checks import Skip, equal, eventually, true
from commands import KIND, ip, refusal, tunctl
from datagrams import exchange, silent
from kinds import UNCHANGEABLE, WITHOUT_ETHTOOL
from lab import Cable, Machine, errors
from packets import INNER, OUTER, PORT, UDP_HEADER, inner_packet
from registry import case, over_both


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
        with cable.a:
            if KIND not in WITHOUT_ETHTOOL:
                equal("strangers by ethtool -S", ethtool.statistics("tun0"), {"rx_stranger": 3})
            (shown,) = json.loads(tunctl("-j -s show tun0").stdout)
            equal("strangers by show -s", shown["stats"]["rx"]["stranger"], 3)
            true("strangers in the text", " stranger 3\n" in tunctl("show -s").stdout)
        cable.inject(inner_packet(4))
        equal("payload", receiver.recv(100), b"hello")
        if KIND in UNCHANGEABLE:
            return
        with cable.a:
            tunctl(f"set tun0 remote {other} remote-port 1")
        cable.inject(inner_packet(4), source=other, port=1)
        equal("payload of the new peer", receiver.recv(100), b"hello")
        cable.inject(inner_packet(4))
        silent(receiver)
        with cable.a:
            equal("the old peer is a stranger now", ethtool.statistics("tun0"), {"rx_stranger": 4})


@over_both
def stranger_is_logged(outer: int) -> None:
    """Dynamic debug logs the addresses of a stranger, a few of many packets."""
    control = Path("/sys/kernel/debug/dynamic_debug/control")
    if not control.exists():
        raise Skip("this kernel has no dynamic debug")
    cable = Cable(outer)
    with open("/dev/kmsg", "rb", buffering=0) as log:
        os.set_blocking(log.fileno(), False)
        log.seek(0, os.SEEK_END)
        cable.inject(inner_packet(4), port=PORT + 1)
        eventually("the stranger is counted", lambda: strangers(cable) == 1)
        equal("messages when nobody has asked", said_of_strangers(log), [])
        control.write_text(f"module {KIND} +p", encoding="ascii")
        try:
            for _ in range(50):
                cable.inject(inner_packet(4), port=PORT + 1)
            eventually("the strangers are counted", lambda: strangers(cable) == 51)
        finally:
            control.write_text(f"module {KIND} -p", encoding="ascii")
        said = said_of_strangers(log)
    true(f"{len(said)} messages are some of 50", 0 < len(said) <= 20)
    wanted = f"{KIND}: port {PORT} of {OUTER[outer][0]}: dropped a packet from {OUTER[outer][1]} port {PORT + 1}, which is no peer"
    equal("message", said[0], wanted)


def strangers(cable: Cable) -> int:
    """Packets from strangers at a's tunnel."""
    with cable.a:
        return ethtool.statistics("tun0")["rx_stranger"]


def said_of_strangers(log: io.RawIOBase) -> list[str]:
    """The new messages about strangers in the kernel's log."""
    found = []
    while message := log.read(8192):
        text = message.decode(errors="replace").partition(";")[2].partition("\n")[0]
        if "which is no peer" in text:
            found.append(text)
    return found


@case
def spoofed_from_another_device() -> None:
    """rp_filter drops what has the peer's source but comes from elsewhere, also once the tunnel knows the peer's route.

    b tun0 ── veth0 ── a tun0, veth1 ── c (also 10.0.0.2)
    """
    spoofed(Cable())


@case
def spoofed_from_another_device_with_two_peers() -> None:
    """The same at a port with a second peer."""
    cable = Cable()
    with cable.a:
        tunctl(f"add tun1 local {OUTER[4][0]} remote 10.0.0.9 port {PORT}")
    spoofed(cable)


def spoofed(cable: Cable) -> None:
    """Add c to a cable, and let it send packets with the address of b."""
    c = Machine("c")
    ip("link add veth1 netns a address 02:00:00:00:00:0a type veth peer name veth1 netns c")
    with cable.a:
        cable.a.sysctl("net/ipv4/conf/all/rp_filter 1")
        ip("link set veth1 up")
    with c:
        ip(f"""
        addr add {OUTER[4][1]}/24 dev veth1
        link set veth1 up
        neigh add {OUTER[4][0]} lladdr 02:00:00:00:00:0a dev veth1
        """)
    with cable.a.udp(4, INNER[4][0], 9) as receiver, c.udp(4, OUTER[4][1], PORT) as spoofer:
        for _ in range(3):
            cable.check()
            spoofer.sendto(inner_packet(4), (OUTER[4][0], PORT))
            silent(receiver)
        with cable.a:
            cable.a.sysctl("net/ipv4/conf/all/rp_filter 0")
            cable.a.sysctl("net/ipv4/conf/veth1/rp_filter 0")
        spoofer.sendto(inner_packet(4), (OUTER[4][0], PORT))
        equal("what the source check alone lets in", receiver.recv(100), b"hello")
        cable.check()


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
        refusal(f"add tun2 local {OUTER[outer][1]} remote {second} port {PORT}", "Another tunnel uses these addresses and ports")
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
