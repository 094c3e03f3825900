# SPDX-License-Identifier: GPL-2.0
"""TCP through the tunnel: segments are many at a time, and each byte arrives."""

from __future__ import annotations

import hashlib
import os
import socket

from checks import PATIENCE, Failure, equal, true
from commands import ip
from datagrams import pattern
from lab import Cable, clear
from packets import AF, INNER
from registry import case, combined


@combined
def stream(inner: int, outer: int) -> None:
    """TCP, whose segments are cut only behind the tunnel: each byte arrives."""
    cable = Cable(outer)
    before = cable.a.counters("tun0")
    size = 4 << 20
    transfer(cable, inner, size)
    sent = cable.a.counters("tun0") - before
    true("the tunnel counts at least the payload", sent.tx_bytes > size)
    true(f"segments are sent many at a time, not in {sent.tx_packets} packets", sent.tx_packets < size / 1500 / 2)
    equal("errors", (sent.tx_errors, sent.tx_dropped), (0, 0))


@case
def stream_with_checksums_turned_round() -> None:
    """The other choice of checksums than the default."""
    for outer, options in ((4, "csum"), (6, "zerocsum6tx zerocsum6rx")):
        cable = Cable(outer, options)
        sniffer = cable.b.sniffer("veth0")
        cable.check()
        equal(f"over IPv{outer}, checksummed", bool(sniffer.packets()[0].checksum), outer == 4)
        for inner in (4, 6):
            transfer(cable, inner, 1 << 20)
        clear()


@case
def stream_without_offloads() -> None:
    """The tunnel segments and checksums when the underlay does neither."""
    cable = Cable()
    for machine in (cable.a, cable.b):
        with machine:
            ip("link set veth0 gso_max_size 1500\nlink set veth0 gso_max_segs 1")
    transfer(cable, 4, 1 << 20)
    transfer(cable, 6, 1 << 20)


def transfer(cable: Cable, inner: int, size: int) -> None:
    """Send `size` bytes from a to b by TCP; Failure unless they are what arrives."""
    block = pattern(1 << 16)
    with cable.b:
        listener = socket.create_server((INNER[inner][1], 0), family=AF[inner])
    listener.settimeout(PATIENCE)
    child = os.fork()
    if not child:
        with cable.a, socket.create_connection(listener.getsockname()[:2], PATIENCE) as sender:
            sender.settimeout(60)
            for _ in range(size // len(block)):
                sender.sendall(block)
        os._exit(0)
    found, wanted = hashlib.sha256(), hashlib.sha256(block * (size // len(block)))
    try:
        receiver, _ = listener.accept()
        receiver.settimeout(30)
        with receiver:
            while data := receiver.recv(1 << 16):
                found.update(data)
    except TimeoutError as error:
        raise Failure(f"TCP over IPv{inner} inside stands still") from error
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    equal("checksum of what arrived", found.hexdigest(), wanted.hexdigest())
