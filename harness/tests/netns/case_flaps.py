# SPDX-License-Identifier: GPL-2.0
"""Underlays that go down, or lose their addresses, and come back."""

from __future__ import annotations

from checks import true
from commands import KIND, ip
from kinds import is_left_out
from lab import Cable
from packets import OUTER
from registry import over_both
from streams import Stream


@over_both
def underlay_flaps(outer: int) -> None:
    """The underlay goes down and comes up, at either end, with `dev` and without; TCP goes on."""
    cable = Cable(outer)
    stream = Stream(cable.a, cable.b, 4)
    for options in ("",) if is_left_out(KIND, "dev veth0") else ("nodev", "dev veth0"):
        if options:
            cable.set(options)
        for side, machine in enumerate((cable.a, cable.b)):
            stream.move(1 << 18)
            with machine:
                ip("link set veth0 down")
            before = machine.counters("tun0").tx_carrier
            lost(cable)
            true("what has no route is counted", machine.counters("tun0").tx_carrier > before)
            with machine:
                ip("link set veth0 up")
                restore(outer, side)
            cable.a.ready("veth0")
            cable.b.ready("veth0")
            stream.move(1 << 18)
    cable.check()


@over_both
def address_flaps(outer: int) -> None:
    """The local address is removed and added again, at either end; TCP goes on."""
    cable = Cable(outer)
    stream = Stream(cable.a, cable.b, 4)
    for side, machine in enumerate((cable.a, cable.b)):
        stream.move(1 << 18)
        with machine:
            ip(f"addr del {OUTER[outer][side]}/{24 if outer == 4 else 64} dev veth0")
        lost(cable)
        with machine:
            restore(outer, side)
        stream.move(1 << 18)
    cable.check()


def lost(cable: Cable) -> None:
    """Send datagrams from both ends that do not arrive."""
    for end in cable.pair(4):
        with end:
            for _ in range(3):
                end.send(b"lost")


def restore(outer: int, side: int) -> None:
    """Give veth0 its address again, in the namespace that we are in. IPv6 has removed it with the device."""
    if outer == 4:
        ip(f"addr replace {OUTER[4][side]}/24 dev veth0")
    else:
        ip(f"addr replace {OUTER[6][side]}/64 dev veth0 nodad")
