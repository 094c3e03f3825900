# SPDX-License-Identifier: GPL-2.0
"""Packets on the underlay and inside the tunnel, as they are made and as they are seen."""

from __future__ import annotations

import select
import socket
import struct
from dataclasses import dataclass

from checks import PATIENCE, Failure, equal

PORT = 7000
"""The UDP port of the tunnels, at both ends."""

OUTER = {4: ("10.0.0.1", "10.0.0.2"), 6: ("fd00::1", "fd00::2")}
INNER = {4: ("192.168.5.1", "192.168.5.2"), 6: ("fd05::1", "fd05::2")}
AF = {4: socket.AF_INET, 6: socket.AF_INET6}
IP_HEADER = {4: 20, 6: 40}
UDP_HEADER = 8

ECT1, ECT0, CE = 1, 2, 3
ETH_P_ALL, PACKET_OUTGOING = 3, 4


def overhead(outer: int) -> int:
    """What a tunnel adds to a packet, in bytes."""
    return IP_HEADER[outer] + UDP_HEADER


def inner_packet(
    version: int, *, tos: int = 0, payload: bytes = b"hello", source_port: int = 4000, target: str | None = None
) -> bytes:
    """A UDP packet from b to port 9 of a, or of `target`, as it is inside of the tunnel."""
    source, destination = (socket.inet_pton(AF[version], text) for text in (INNER[version][1], target or INNER[version][0]))
    length = UDP_HEADER + len(payload)
    udp = struct.pack("!HHHH", source_port, 9, length, 0)
    if version == 4:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, 20 + length, 1, 0, 64, 17, 0, source, destination)
        return head[:10] + checksum(head) + head[12:] + udp + payload
    pseudo = source + destination + struct.pack("!II", length, 17)
    udp = udp[:6] + checksum(pseudo + udp + payload)
    return struct.pack("!IHBB16s16s", 6 << 28 | tos << 20, length, 17, 64, source, destination) + udp + payload


def checksum(data: bytes) -> bytes:
    """The internet checksum."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) & ~1])) + (data[-1] << 8 if len(data) % 2 else 0)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)


@dataclass(frozen=True)
class Packet:
    """A UDP packet, or a fragment of one."""

    version: int
    tos: int
    ttl: int
    df: bool
    flowlabel: int
    fragment: bool
    length: int
    source_port: int
    target_port: int
    checksum: int
    payload: bytes

    @classmethod
    def parse(cls, data: bytes) -> Packet | None:
        """None for what is no UDP."""
        version = data[0] >> 4
        if version == 4 and data[9] == socket.IPPROTO_UDP:
            length, _, offset = struct.unpack_from("!HHH", data, 2)
            fields = (4, data[1], data[8], bool(offset & 0x4000), 0, bool(offset & 0x3FFF), length)
            return cls(*fields, *_udp(data[20:]))
        if version == 6 and data[6] in (socket.IPPROTO_UDP, socket.IPPROTO_FRAGMENT):
            word, length = struct.unpack_from("!IH", data)
            fragment = data[6] == socket.IPPROTO_FRAGMENT
            fields = (6, word >> 20 & 0xFF, data[7], False, word & 0xFFFFF, fragment, length + 40)
            return cls(*fields, *_udp(data[48 if fragment else 40 :]))
        return None

    @property
    def inside(self) -> Packet:
        """The packet in its payload."""
        packet = Packet.parse(self.payload)
        if not packet:
            raise Failure(f"no UDP inside: {self.payload[:48].hex()}")
        return packet


def _udp(data: bytes) -> tuple[int, int, int, bytes]:
    source, target, total = (int.from_bytes(data[place : place + 2], "big") for place in (0, 2, 6))
    return source, target, total, data[8:]


class Sniffer:
    """The packets that arrive at a device, from their IP header on."""

    def __init__(self, device: str) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self._socket.bind((device, ETH_P_ALL))

    def packets(self, wait: float = 0.2) -> list[Packet]:
        """Those that are there, the first of which may take `wait` seconds; neighbour discovery and the like left out."""
        found: list[Packet] = []
        while select.select([self._socket], [], [], 0 if found else wait)[0]:
            data, (_, _, direction, *_) = self._socket.recvfrom(1 << 17)
            if direction != PACKET_OUTGOING and (packet := Packet.parse(data)):
                found.append(packet)
        return found

    def one(self) -> Packet:
        """The one packet that has arrived. Failure when there is none, or another."""
        found = self.packets(PATIENCE)
        equal("packets seen", len(found), 1)
        return found[0]
