# SPDX-License-Identifier: GPL-2.0
"""What a packet costs while two CPUs send and receive through one tunnel: in a guest with two CPUs under icount, where ns are instructions.

    python3 counted.py    prints "WHERE NUMBER": instructions a packet, of sender, both ends of the tunnel and receiver

Two flows run on one CPU, and on two at once. The CPUs take turns, so that they hardly ever wait for each other.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Sequence

from case_offloads import UDP_GRO, merging
from commands import KIND, run

BATCH, SIZE, ROUNDS = 40, 100, 100
"""Datagrams that a flow sends, one by one, before it receives them; their bytes; and how often."""
REPEATED = 3
Pair = tuple[socket.socket, socket.socket]


def flow(pair: Pair, cpu: int, begin: int) -> None:
    """Send and receive on this CPU, once the pipe `begin` is closed."""
    os.sched_setaffinity(0, {cpu})
    os.read(begin, 1)
    left, right = pair
    for _ in range(ROUNDS):
        for _ in range(BATCH):
            left.send(bytes(SIZE))
        missing = BATCH * SIZE
        while missing > 0:
            missing -= len(right.recv(1 << 16))


def per_packet(pairs: Sequence[Pair], cpus: Sequence[int]) -> float:
    """Run a flow on each of these CPUs, all at once. Return ns a packet, which are instructions of all CPUs together."""
    reading, writing = os.pipe()
    children = []
    for pair, cpu in zip(pairs, cpus, strict=True):
        child = os.fork()
        if not child:
            os.close(writing)
            flow(pair, cpu, reading)
            os._exit(0)
        children.append(child)
    time.sleep(0.05)
    begin = time.monotonic_ns()
    os.close(writing)
    for child in children:
        os.waitpid(child, 0)
    os.close(reading)
    return (time.monotonic_ns() - begin) / (len(pairs) * ROUNDS * BATCH)


def main() -> None:
    """Measure, the two in turns, and print."""
    run("modprobe", KIND)
    cable = merging()
    pairs = []
    for _ in range(2):
        left, right = cable.pair(4)
        right.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        pairs.append((left, right))
    os.sched_setaffinity(0, {0})
    per_packet(pairs, (0, 1))
    for _ in range(REPEATED):
        print(f"one {per_packet(pairs, (0, 0)):.1f}", flush=True)
        print(f"both {per_packet(pairs, (0, 1)):.1f}", flush=True)


if __name__ == "__main__":
    main()
