# SPDX-License-Identifier: GPL-2.0
"""Traffic that goes on while a case does something else."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator

from checks import Failure, eventually
from lab import Cable, Machine
from packets import AF, INNER


@contextlib.contextmanager
def running(*jobs: Callable[[], None]) -> Iterator[None]:
    """Run jobs over and over, each in a process of its own, while the block is executed. What fails in them is tried again."""
    children = [_start(job) for job in jobs]
    try:
        yield
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _start(job: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    while True:
        with contextlib.suppress(OSError, Failure):
            job()


def flood(machine: Machine, inner: int, target: str, pause: float = 0.0) -> Callable[[], None]:
    """A job that sends datagrams, of all sizes, as fast as it can; after a hundred of them it pauses, in seconds."""

    def job() -> None:
        with machine, socket.socket(AF[inner], socket.SOCK_DGRAM) as sender:
            for size in range(1, 4000, 37):
                sender.sendto(bytes(size), (target, 9))
        time.sleep(pause)

    return job


def floods(cable: Cable, pause: float = 0.0) -> list[Callable[[], None]]:
    """Jobs that send IPv4 and IPv6 both ways. Those that pause, in seconds, leave room in the queues for other traffic."""
    return [
        flood(machine, inner, INNER[inner][1 - side], pause)
        for side, machine in enumerate((cable.a, cable.b))
        for inner in (4, 6)
    ]


def flowing(cable: Cable) -> None:
    """Wait until there is traffic."""
    start = cable.a.counters("tun0").rx_packets
    eventually("there is traffic", lambda: cable.a.counters("tun0").rx_packets > start + 10)
