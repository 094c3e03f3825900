# SPDX-License-Identifier: GPL-2.0
"""Many tunnels: in one namespace, on one port."""

from __future__ import annotations

import re
import socket
import struct
import time
from pathlib import Path

from case_messages import attribute, newlink
from checks import Skip, equal, true
from commands import ip, refusal, tunctl
from lab import Cable, Machine
from packets import OUTER, PORT, inner_packet
from registry import case

PATIENCE = 60.0
"""Seconds for a namespace to go, on a busy machine."""

DEBUG_KERNEL = Path("/sys/kernel/debug/kmemleak").exists()
MANY = 1_000 if DEBUG_KERNEL else 10_000
"""The debug kernel keeps a record of each allocation: its guest has not the memory for more."""
NEEDED_KIB = 500 << 10
"""For 10,000 devices, which take 39 KiB each."""


@case
def two_hundred_go_with_their_namespace() -> None:
    """Each has a port, every other one is in another namespace, up; all go with the namespace of the sockets."""
    cable, c = Cable(), Machine("c")
    with cable.a:
        tunctl("del tun0")
        for number in range(200):
            add(number, f"10.1.0.{number + 1}", PORT + number)
        ip("\n".join(f"link set tun{number} up" for number in range(200)))
        ip("\n".join(f"link set tun{number} netns c" for number in range(0, 200, 2)))
    cable.a.delete()
    # The end of the veth in b goes with a, which goes when nothing uses it.
    deadline = time.monotonic() + PATIENCE
    while cable.b.has("veth0") or any(c.has(f"tun{number}") for number in range(200)):
        true("a namespace with 200 tunnels goes", time.monotonic() < deadline)
        time.sleep(0.05)


@case
def ten_thousand_on_a_port() -> None:
    """Each gets its own packets; none can be made twice. On the debug kernel there are fewer."""
    if memory := available_kib(needed=NEEDED_KIB):
        raise Skip(f"{MANY} devices need {NEEDED_KIB >> 10} MiB of memory, {memory >> 10} MiB are available")
    cable = Cable()
    with cable.a:
        tunctl("del tun0")
        for number in range(MANY):
            add(number, remote(number), PORT)
        refusal(f"add tunnel local {OUTER[4][0]} remote {remote(MANY // 2)} port {PORT}", "Another tunnel uses", 2)
    chosen = (0, 1, 255, 256, 471, MANY - 1)
    with cable.a:
        ip("\n".join(f"link set tun{number} up" for number in chosen))
    with cable.b:
        ip("\n".join(f"addr add {remote(number)}/32 dev veth0" for number in chosen))
    for turn in (1, 2):
        for number in chosen:
            cable.inject(inner_packet(4), source=remote(number))
        time.sleep(0.1)
        equal("packets of each", [cable.a.counters(f"tun{number}").rx_packets for number in chosen], [turn] * len(chosen))
    with cable.a:
        ip(f"link del tun{chosen[2]}")
        cable.inject(inner_packet(4), source=remote(chosen[2]))
        time.sleep(0.1)
        ip("link del group 9")
        equal("tunnels that are left", [name for _, name in socket.if_nameindex() if re.match(r"tun\d", name)], [])


def remote(number: int) -> str:
    """The address of one of the peers."""
    return socket.inet_ntoa(struct.pack("!I", 0x0A010000 + number))


def add(number: int, to: str, port: int) -> None:
    """Make a tunnel, in group 9, faster than by udptunctl."""
    data = attribute(1, socket.inet_aton(OUTER[4][0])) + attribute(3, socket.inet_aton(to)) + attribute(5, struct.pack("!H", port))
    equal(f"error of tun{number}", newlink(f"tun{number}", data, attribute(27, struct.pack("=I", 9))), (0, ""))


def available_kib(needed: int) -> int:
    """The memory that is left, in KiB, if it is less than `needed`; else 0."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            available = int(line.split()[1])
            return 0 if available >= needed else available
    return 0
