# SPDX-License-Identifier: GPL-2.0
"""The datapath's part of a sweep: kinds of devices, payloads, and what came of setting them up in the guest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .. import paths
from ..errors import HarnessError

SCRIPT = paths.HARNESS / "guest" / "datapath.sh"

BARE = "veth"
"""The bare link: what every tunnel runs over, and the floor of its cost."""
TUNNELS = ("udptun", "vxlan", "geneve", "bareudp", "fou", "wireguard")
"""The kinds of tunnels, for all of the harness: datapath.sh has a make_KIND for each, tunnel/devices.py a Device."""
DEVICES = (BARE, *TUNNELS)
ENCRYPTING = "wireguard"
"""Shown beside the others, never compared with them."""

PAYLOADS = ("64", "512", "1400", "64400")
MAX_PAYLOAD = 64_400
"""The largest that dsbench_tunnel.ko sends, 46 segments in one GSO packet."""
MOST_PAYLOADS = 16
USUAL_PAYLOAD = 1400
"""A full packet of a network with an MTU of 1500: the payload to show where only one is shown; larger
ones leave in segments."""
PACKETS = 32
"""Packets of a try; GSO packets, fewer, as dsbench_tunnel.ko says."""


@dataclass(frozen=True)
class Topology:
    """What datapath.sh says: the devices that there are, and why there are not the others."""

    present: tuple[str, ...]
    absent: dict[str, str]


def parse_topology(lines: Sequence[str]) -> Topology:
    """Parse the lines of `datapath.sh up`. HarnessError for a line that it never prints."""
    present: list[str] = []
    absent: dict[str, str] = {}
    for line in lines:
        what, _, rest = line.partition(" ")
        kind, _, reason = rest.partition(" ")
        if what == "device":
            present.append(kind.split(":")[0])
        elif what == "absent" and reason:
            absent[kind] = reason
        else:
            raise HarnessError(f"the datapath's topology is damaged: it has the line {line!r}")
    return Topology(tuple(present), absent)


def usual(payloads: Sequence[int]) -> int:
    """The payload, of these, to show where only one is shown."""
    return min(payloads, key=lambda octets: abs(octets - USUAL_PAYLOAD))


def payload(octets: float) -> str:
    """A payload for the eye: "1400 B", "64400 B GSO" where it is one packet only for the stack."""
    return f"{octets:.0f} B GSO" if octets > USUAL_PAYLOAD else f"{octets:.0f} B"
