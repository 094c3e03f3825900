# SPDX-License-Identifier: GPL-2.0
"""rtnetlink messages of our own, for what the guest's programs do not know or would not send."""

from __future__ import annotations

import socket
import struct

NEWLINK = 16
REQUEST, ACK, EXCL, CREATE = 1, 4, 0x200, 0x400
IFINFO = "=BxHiII"
"""struct ifinfomsg: family, type, index, flags, change."""


def attribute(kind: int, data: bytes) -> bytes:
    """A netlink attribute."""
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def request(attributes: bytes, flags: int = 0, index: int = 0) -> tuple[int, str]:
    """Send RTM_NEWLINK, for the device of this index. Return the error, or 0, and the kernel's sentence."""
    body = struct.pack(IFINFO, 0, 0, index, 0, 0) + attributes
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as channel:
        for option in (10, 11):  # NETLINK_CAP_ACK, NETLINK_EXT_ACK
            channel.setsockopt(270, option, 1)
        channel.send(struct.pack("=IHHII", 16 + len(body), NEWLINK, REQUEST | ACK | flags, 1, 0) + body)
        answer = channel.recv(65536)
    error, sentence = -struct.unpack_from("=i", answer, 16)[0], ""
    offset = 36
    while offset < len(answer):
        length, what = struct.unpack_from("=HH", answer, offset)
        if what == 1:
            sentence = answer[offset + 4 : offset + length].rstrip(b"\0").decode()
        offset += (length + 3) & ~3
    return error, sentence
