#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""One UDP flow with GSO at the sender and GRO at the receiver, for dsbench throughput.

    udpflow.py serve PORT
    udpflow.py send ADDRESS PORT MIB SIZE    SIZE: bytes of a datagram

The sender hands the kernel up to 64 KiB at once (UDP_SEGMENT). It waits for the receiver after each WINDOW, so that the socket's
buffer never overflows, and prints bytes, datagrams that it asked for, and seconds as JSON. A lost datagram ends it with a sentence.
"""

from __future__ import annotations

import json
import socket
import sys
import time

UDP_SEGMENT, UDP_GRO, SO_RCVBUFFORCE = 103, 104, 33
WINDOW = 1 << 20
"""Bytes that are sent before the receiver has to answer."""
PATIENCE_SECONDS = 5.0
MOST = 65507
"""Bytes of the largest UDP payload over IPv4."""
BEGIN = b"begin"


def serve(port: int) -> None:
    """Count the bytes of one sender after the other; "begin" starts a count, each WINDOW is answered with the count."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 * WINDOW)
        receiver.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        receiver.bind(("0.0.0.0", port))
        buffer = bytearray(1 << 16)
        count, answered = 0, 0
        while True:
            length, sender = receiver.recvfrom_into(buffer)
            if buffer[:length] == BEGIN:
                count, answered, length = 0, -1, 0
            count += length
            if count // WINDOW > answered:
                answered = count // WINDOW
                receiver.sendto(str(count).encode(), sender)


def send(address: str, port: int, mebibytes: int, size: int) -> None:
    """Send, and print what it took. SystemExit with a sentence if the receiver does not answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(PATIENCE_SECONDS)
        sender.connect((address, port))
        try:
            sender.send(BEGIN)
            sender.recv(64)
            sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
            begin = time.monotonic()
            sent, received, goal = 0, 0, mebibytes * WINDOW
            block = bytes(MOST // size * size)
            while received < goal:
                while sent < min(received // WINDOW * WINDOW + WINDOW, goal):
                    sent += sender.send(block)
                received = int(sender.recv(64))
            seconds = time.monotonic() - begin
        except OSError as error:
            sys.exit(f"the receiver at {address} does not answer: {error}")
    print(json.dumps({"bytes": received, "datagrams": -(-sent // size), "seconds": seconds}))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]))
    elif sys.argv[1] == "send":
        send(sys.argv[2], *map(int, sys.argv[3:6]))
    else:
        print(sys.version.split()[0])
