# SPDX-License-Identifier: GPL-2.0
"""Netlink messages of our own, for what the guest's programs do not know or would not send."""

from __future__ import annotations

import socket
import struct

from checks import Failure, Skip

ROUTE, GENERIC = 0, 16
NEWLINK, NEWTFILTER = 16, 44
REQUEST, ACK, EXCL, CREATE = 1, 4, 0x200, 0x400
IFINFO = "=BxHiII"
"""struct ifinfomsg: family, type, index, flags, change."""
TCMSG = "=BxxxiIII"
"""struct tcmsg: family, index, handle, parent, info."""

_ERROR = 2
_CONTROL, _GETFAMILY, _FAMILY_ID, _FAMILY_NAME = 16, 3, 1, 2


def attribute(kind: int, data: bytes) -> bytes:
    """A netlink attribute."""
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def attributes(data: bytes) -> dict[int, bytes]:
    """The attributes in these bytes."""
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        found[kind] = data[4:length]
        data = data[(length + 3) & ~3 :]
    return found


def request(attributes: bytes, flags: int = 0, index: int = 0) -> tuple[int, str]:
    """Send RTM_NEWLINK, for the device of this index. Return the error, or 0, and the kernel's sentence."""
    return call(ROUTE, NEWLINK, struct.pack(IFINFO, 0, 0, index, 0, 0) + attributes, flags)[:2]


def call(protocol: int, kind: int, body: bytes, flags: int = 0) -> tuple[int, str, list[bytes]]:
    """Send a message. Return the error, or 0, the kernel's sentence, and the bodies of its answers."""
    answers = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as channel:
        for option in (10, 11):  # NETLINK_CAP_ACK, NETLINK_EXT_ACK
            channel.setsockopt(270, option, 1)
        channel.send(struct.pack("=IHHII", 16 + len(body), kind, REQUEST | ACK | flags, 1, 0) + body)
        while True:
            data = channel.recv(65536)
            while data:
                length, kind = struct.unpack_from("=IH", data)
                message, data = data[16:length], data[(length + 3) & ~3 :]
                if kind == _ERROR:
                    sentence = attributes(message[20:]).get(1, b"").rstrip(b"\0").decode()
                    return -struct.unpack_from("=i", message)[0], sentence, answers
                answers.append(message)


def family(name: str) -> int:
    """Return the number of a generic netlink family. Skip if the kernel lacks it."""
    error, _, answers = generic(_CONTROL, _GETFAMILY, attribute(_FAMILY_NAME, name.encode() + b"\0"))
    if error:
        raise Skip(f"this kernel has no {name}")
    return int(struct.unpack("=H", attributes(answers[0][4:])[_FAMILY_ID])[0])


def generic(number: int, command: int, body: bytes, flags: int = 0) -> tuple[int, str, list[bytes]]:
    """Send a command to a generic netlink family, by its number. Return as call()."""
    return call(GENERIC, number, struct.pack("=BBxx", command, 1) + body, flags)


def accepted(what: str, answer: tuple[int, str, list[bytes]]) -> list[bytes]:
    """Return the bodies of the kernel's answers. Failure if it has refused the message."""
    error, sentence, answers = answer
    if error:
        raise Failure(f"{what}: error {error} {sentence}")
    return answers
