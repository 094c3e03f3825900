# SPDX-License-Identifier: GPL-2.0
"""Metadata by Open vSwitch: flows of its datapath name the receiver, and select received packets by their sender."""

from __future__ import annotations

import json

import ovs
from case_external import TOS, TTL, by_metadata, external
from commands import ip, run
from datagrams import silent
from packets import INNER, OUTER
from registry import combined

TUNNEL_PORT = 1


@combined
def external_by_ovs(inner: int, outer: int) -> None:
    """A tunnel is a port of a bridge: flows give packets their metadata, and take packets of one sender alone.

    a dp0 ── bridge ── tun0 ── b tun0
    """
    cable = external(outer)
    local, remote = OUTER[outer]
    near, far = INNER[inner]
    with cable.a:
        ip(f"addr del {near}/{32 if inner == 4 else 128} dev tun0")
        index = ovs.bridge("dp0")
        (shown,) = json.loads(run("ip", "-j", "link", "show", "dp0").stdout)
        ip(f"link set dp0 mtu 1400 up\naddr add {near}/{24 if inner == 4 else 64} dev dp0 {'' if inner == 4 else 'nodad'}")
        run(*f"ip neigh add {far} lladdr 02:00:00:00:00:01 dev dp0 nud permanent".split())
        ovs.add_port(index, "tun0", TUNNEL_PORT)
        ovs.into_tunnel(index, inner, TUNNEL_PORT, ovs.receiver(outer, remote, TOS, TTL))
        ovs.out_of_tunnel(index, inner, TUNNEL_PORT, ovs.sender(outer, remote, local, 64), bytes.fromhex(shown["address"].replace(":", "")))
    left, right = by_metadata(cable, inner)
    with cable.b:
        run("udptunctl", "set", "tun0", "ttl", "63")
    right.send(b"with another TTL than the flow has")
    silent(left)
