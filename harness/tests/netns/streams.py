# SPDX-License-Identifier: GPL-2.0
"""TCP from one machine to another, each byte compared."""

from __future__ import annotations

import hashlib
import os
import socket
import time

from checks import PATIENCE, Failure, equal, true
from datagrams import pattern
from lab import Machine
from packets import AF, INNER

Option = tuple[int, int, bytes]
BLOCK = 1 << 16


def transfer(
    source: Machine, sink: Machine, inner: int, size: int,
    *, address: str | None = None, option: Option | None = None, beside: int | None = None,
) -> None:  # fmt: skip
    """Send `size` bytes by TCP; Failure unless they are what arrives.

    The sink listens at `address`, else at b's inner one. `option` is for the sender's socket. A second stream, of the family
    `beside`, runs at the same time.
    """
    families = [inner] if beside is None else [inner, beside]
    listeners = []
    for family in families:
        with sink:
            listeners.append(socket.create_server((address or INNER[family][1], 0), family=AF[family]))
        listeners[-1].settimeout(PATIENCE)
    children = [_sender(source, listener, size, option) for listener in listeners]
    wanted = hashlib.sha256(pattern(BLOCK) * (size // BLOCK)).hexdigest()
    try:
        receivers = [listener.accept()[0] for listener in listeners]
        found = _receive(receivers)
    except TimeoutError as error:
        raise Failure(f"TCP over IPv{inner} inside stands still") from error
    finally:
        for child in children:
            os.kill(child, 9)
            os.waitpid(child, 0)
        for listener in listeners:
            listener.close()
    equal("checksums of what arrived", found, [wanted] * len(families))


def _sender(source: Machine, listener: socket.socket, size: int, option: Option | None) -> int:
    """Start a process that sends. Return its id."""
    child = os.fork()
    if child:
        return child
    with source, socket.socket(listener.family, socket.SOCK_STREAM) as sender:
        if option:
            sender.setsockopt(*option)
        sender.settimeout(60)
        sender.connect(listener.getsockname()[:2])
        block = pattern(BLOCK)
        for _ in range(size // BLOCK):
            sender.sendall(block)
    os._exit(0)


def _receive(receivers: list[socket.socket]) -> list[str]:
    """Take turns in reading the streams to their ends. Return their checksums."""
    sums = {receiver: hashlib.sha256() for receiver in receivers}
    open_ones = list(receivers)
    for receiver in receivers:
        receiver.settimeout(30)
    while open_ones:
        for receiver in list(open_ones):
            data = receiver.recv(BLOCK)
            sums[receiver].update(data)
            if not data:
                receiver.close()
                open_ones.remove(receiver)
    return [sums[receiver].hexdigest() for receiver in receivers]


class Stream:
    """A TCP connection that goes on while a case changes what is below it. Each byte is compared."""

    def __init__(self, source: Machine, sink: Machine, inner: int) -> None:
        """Connect the source to the sink's inner address."""
        with sink:
            listener = socket.create_server((INNER[inner][1], 0), family=AF[inner])
        with source:
            self._sender = socket.create_connection(listener.getsockname()[:2], PATIENCE)
        self._receiver, _ = listener.accept()
        listener.close()
        for end in (self._sender, self._receiver):
            end.setblocking(False)
        self._sent = self._received = 0

    def move(self, size: int) -> None:
        """Move `size` further bytes. Failure when the stream stands still, or a byte is not what was sent."""
        wanted, deadline = self._received + size, time.monotonic() + 20
        while self._received < wanted:
            idle = not (self._send() + self._receive())
            true(f"a stream goes on, after {self._received} bytes", time.monotonic() < deadline)
            if idle:
                time.sleep(0.001)

    def _send(self) -> int:
        try:
            done = self._sender.send(_block_at(self._sent))
        except BlockingIOError:
            return 0
        self._sent += done
        return done

    def _receive(self) -> int:
        try:
            data = self._receiver.recv(BLOCK)
        except BlockingIOError:
            return 0
        equal(f"bytes {self._received} and on of a stream", data == _block_at(self._received)[: len(data)], True)
        self._received += len(data)
        return len(data)


def _block_at(place: int) -> bytes:
    """The bytes of a stream from a place on."""
    return pattern(BLOCK + 251)[place % 251 :][:BLOCK]
