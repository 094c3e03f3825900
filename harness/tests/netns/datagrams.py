# SPDX-License-Identifier: GPL-2.0
"""What single datagrams come to."""

from __future__ import annotations

import errno
import select
import socket
import time

from checks import Failure, equal


def pattern(size: int) -> bytes:
    """Bytes that differ from one place to the next."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def exchange(sender: socket.socket, receiver: socket.socket, data: bytes) -> None:
    """Send a datagram; Failure unless it arrives as it was."""
    sender.send(data)
    try:
        found = receiver.recv(1 << 17)
    except TimeoutError as error:
        raise Failure(f"a datagram of {len(data)} bytes did not arrive") from error
    if found != data:
        raise Failure(f"a datagram of {len(data)} bytes arrived changed")


def silent(receiver: socket.socket, wait: float = 0.1) -> None:
    """Failure when something arrives."""
    if select.select([receiver], [], [], wait)[0]:
        raise Failure(f"{receiver.recv(1 << 17)[:64]!r} arrived")


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
