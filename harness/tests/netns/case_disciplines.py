# SPDX-License-Identifier: GPL-2.0
"""Queueing disciplines on the tunnel, which has no queue of its own."""

from __future__ import annotations

from checks import true
from commands import ip, tc, tunctl
from lab import Cable
from packets import INNER, PORT
from registry import case
from streams import transfer

SIZE = 1 << 20


@case
def queueing_disciplines() -> None:
    """fq, which paces, cake, which splits segments, and netem, which delays, reorders and loses packets: each byte arrives."""
    cable = Cable()
    for words in ("fq", "fq maxrate 400mbit", "cake unlimited", "cake bandwidth 400mbit", "netem delay 1ms 1ms reorder 25% loss 1%"):
        for machine in (cable.a, cable.b):
            with machine:
                tc(f"qdisc replace dev tun0 root {words}")
        for inner in (4, 6):
            before = cable.a.counters("tun0").tx_packets
            transfer(cable.a, cable.b, inner, SIZE)
            true(f"{words} has let packets pass", cable.a.counters("tun0").tx_packets > before)
    for machine in (cable.a, cable.b):
        with machine:
            tc("qdisc del dev tun0 root")
    cable.check()


@case
def queueing_disciplines_on_both() -> None:
    """Queueing disciplines on tunnels, on tunnels in tunnels and on the underlay: their locks are taken one below the other."""
    cable = Cable()
    for side, machine in enumerate((cable.a, cable.b)):
        with machine:
            tunctl(f"add tun1 local {INNER[4][side]} remote {INNER[4][1 - side]} port {PORT}")
            ip(f"addr add 192.168.6.{side + 1}/24 dev tun1\nlink set tun1 up")
            for device in ("tun1", "tun0", "veth0"):
                tc(f"qdisc add dev {device} root fq_codel")
    transfer(cable.a, cable.b, 4, SIZE, address="192.168.6.2")
