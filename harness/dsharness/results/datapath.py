# SPDX-License-Identifier: GPL-2.0
"""The datapath in a sweep: kinds of devices, payloads, and the outcome of setting the devices up in the guest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import options, paths, texts
from ..errors import HarnessError, UsageError
from ..kernel import kernels, rustmodules

SCRIPT = paths.HARNESS / "guest" / "datapath.sh"

BARE = "veth"
"""The bare link, which every tunnel runs over: the floor of a tunnel's cost."""
UDPTUN, RUST = OWN = ("udptun", rustmodules.TUNNEL)
"""The tunnel drivers of this project: in C, and in Rust for the kernel with Rust alone. The others are their peers."""
TUNNELS = (*OWN, "vxlan", "geneve", "geneve_l3", "bareudp", "fou", "wireguard")
"""The kinds of tunnels, for all of the harness: datapath.sh has a make_KIND for each, tunnel/devices.py a Device."""
DEVICES = (BARE, *TUNNELS)
ENCRYPTING = "wireguard"
"""Shown beside the other tunnels, never compared with them."""

PAYLOADS = ("64", "512", "1400", "64400")
MAX_PAYLOAD = 64_400
"""Largest payload of dsbench_tunnel.ko, 46 segments in one GSO packet."""
MOST_PAYLOADS = 16
USUAL_PAYLOAD = 1400
"""A full packet of a network with an MTU of 1500: the payload that stands for all where only one is shown. Larger payloads leave
in segments.
"""
PACKETS = 32
"""Packets of a try. dsbench_tunnel.ko sends fewer GSO packets, and as many as a longer burst has."""
SEGMENT = 1400
"""A larger payload is a GSO packet: a burst of its own, so no burst contains any."""
BURSTS = ("1", "8", "64")
"""Packets between two softirqs. Rows without a burst have those of dsbench_tunnel.ko: 1 for tx and path, a whole try for rx."""
MAX_BURST = 64
MOST_BURSTS = 8
NO_BURSTS = "0"
"""In place of numbers: no rows with bursts."""

PROTOCOLS = ("udp", "tcp")
PACKET_SETTINGS: Mapping[str, int | str] = {"hash": 1, "sink_gro": 1, "protocol": "udp"}
"""Parameters of dsbench_tunnel.ko that decide how packets are made and received, with the usual values. All rows of a run share them."""
_EARLIER: Mapping[str, int | str] = {**PACKET_SETTINGS, "hash": 0}
"""What results were measured with before they said so."""


@dataclass(frozen=True)
class Topology:
    """The devices that datapath.sh set up, their options, and the reasons why the others are absent."""

    present: tuple[str, ...]
    absent: dict[str, str]
    options: dict[str, str] = field(default_factory=dict)


def kinds_of(kinds: Sequence[str], kernel: object) -> tuple[str, ...]:
    """Return those of `kinds` that may exist on a kernel, by the user's name for it."""
    return tuple(kind for kind in kinds if kind != RUST or kernel in kernels.WITH_RUST)


def named_kinds(named: Sequence[str] | None, kinds: Sequence[str], kernel: object) -> tuple[str, ...]:
    """Return the devices that --device names, in the order of `kinds`; all that may exist on the kernel if the option is not given.

    UsageError for one that is not in `kinds`, or that the kernel cannot have.
    """
    allowed = kinds_of(kinds, kernel)
    if named is not None and RUST in kinds and RUST not in allowed and RUST in options.words(named):
        raise UsageError(f"--device is {RUST!r}: its module is in Rust, and allowed with --kernel {' or '.join(kernels.WITH_RUST)} only")
    found = options.names("device", named, allowed)
    return tuple(kind for kind in allowed if kind in found)


def parse_topology(lines: Sequence[str]) -> Topology:
    """Parse the output of `datapath.sh up`. HarnessError for a line that it never prints."""
    present: list[str] = []
    absent: dict[str, str] = {}
    options: dict[str, str] = {}
    for line in lines:
        what, _, rest = line.partition(" ")
        kind, _, reason = rest.partition(" ")
        if what == "device":
            present.append(kind.split(":")[0])
        elif what == "absent" and reason:
            absent[kind] = reason
        elif what == "options" and reason:
            options[kind] = reason
        else:
            raise HarnessError(f"the datapath's topology is damaged: it has the line {texts.quoted(line)}")
    return Topology(tuple(present), absent, options)


def packet_settings(said: Sequence[str]) -> dict[str, int | str]:
    """Return the settings of a report's lines, each NAME=VALUE. HarnessError for one that is none of PACKET_SETTINGS."""
    found: dict[str, int | str] = {}
    for line in said:
        name, _, value = line.partition("=")
        if name not in PACKET_SETTINGS or not value:
            raise HarnessError(f"/proc/dsbench is damaged: it has the packets' setting {texts.quoted(line)}")
        found[name] = int(value) if value in ("0", "1") else value
    return found


def with_packet_settings(context: dict[str, Any]) -> dict[str, Any]:
    """Return the context of a result with the settings that it was measured with, if it has devices and does not say."""
    return {**_EARLIER, **context} if context.get("devices") else context


def usual(payloads: Sequence[int]) -> int:
    """Return the payload that stands for these where only one is shown."""
    return min(payloads, key=lambda octets: abs(octets - USUAL_PAYLOAD))


def payload(octets: float) -> str:
    """Return a payload for people: "1400 B", "64400 B GSO" if it is one packet for the stack only."""
    return f"{octets:.0f} B GSO" if octets > SEGMENT else f"{octets:.0f} B"


def bursts_of(octets: int, bursts: Sequence[int]) -> Sequence[int]:
    """Return those bursts in which packets of this payload are sent."""
    return bursts if octets <= SEGMENT else ()
