# SPDX-License-Identifier: GPL-2.0
"""Netlink messages of our own: what udptunctl would not send."""

from __future__ import annotations

import socket
import struct

from checks import equal, true
from commands import KIND
from lab import Machine
from netlink import CREATE, EXCL, attribute, request
from packets import PORT
from registry import case


LAST = 20
"""IFLA_UDPTUN_MAX"""


@case
def refused_messages() -> None:
    """What udptunctl would not send: unknown and ill-sized attributes, numbers out of range."""
    a = Machine("a")
    local, remote = (attribute(kind, socket.inet_aton(text)) for kind, text in ((1, "10.0.0.1"), (3, "10.0.0.2")))
    good = local + remote + attribute(5, struct.pack("!H", PORT))
    wrong = {
        "unknown attribute": good + attribute(40, b"\0"),
        "the attribute after the last": good + attribute(LAST + 1, b"\0"),
        "ttl of 2 bytes": good + attribute(7, b"\1\1"),
        "port of 0": local + remote + attribute(5, b"\0\0"),
        "tos of 2": good + attribute(8, b"\2"),
        "range of 3 bytes": good + attribute(16, b"\1\1\2"),
        "range of 5 bytes": good + attribute(16, b"\1\1\2\2\3"),
        "range that ends before it begins": good + attribute(16, struct.pack("!HH", 9, 8)),
        "range from 0": good + attribute(16, struct.pack("!HH", 0, 8)),
        "range to 0": good + attribute(16, struct.pack("!HH", 9, 0)),
        "mask without a mark": good + attribute(18, struct.pack("=I", 1)),
        "mode of 2": good + attribute(19, b"\2"),
        "read-only attribute": good + attribute(20, b"\0"),
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


def newlink(name: str, data: bytes, *more: bytes) -> tuple[int, str]:
    """Make a device of our kind by a message of our own; the error and the kernel's sentence."""
    ifname, linkinfo, kind, info_data = 3, 18, 1, 2
    information = attribute(kind, f"{KIND}\0".encode()) + attribute(info_data, data)
    name_attribute = attribute(ifname, name.encode() + b"\0")
    return request(name_attribute + b"".join(more) + attribute(linkinfo, information), CREATE | EXCL)
