# SPDX-License-Identifier: GPL-2.0
"""A router between the peers that translates the outer addresses."""

from __future__ import annotations

import ethtool
from checks import Skip, equal, true
from commands import ip, run, tc, tunctl
from lab import Cable, Machine
from packets import INNER, PORT
from registry import case
from streams import transfer

A, B, BEHIND = "10.0.1.1", "10.0.2.2", "10.0.2.9"


@case
def nat_of_the_underlay() -> None:
    """The peer sees the router's address; UDP checksums follow the translation. TCP and datagrams arrive, both ways.

    a veth0 ── veth0 r veth1 (10.0.1.1 becomes 10.0.2.9) ── veth0 b
    """
    a, r, b = Machine("a"), Machine("r"), Machine("b")
    ip("link add veth0 netns a type veth peer name veth0 netns r\nlink add veth1 netns r type veth peer name veth0 netns b")
    for machine, device, address in ((a, "veth0", A), (r, "veth0", "10.0.1.9"), (r, "veth1", BEHIND), (b, "veth0", B)):
        with machine:
            ip(f"addr add {address}/24 dev {device}\nlink set {device} up")
            # As on a wire: what passes the router has checksums.
            ethtool.set_feature(device, "tx-checksum-ip-generic", False)
    with a:
        ip("route add default via 10.0.1.9")
    with r:
        r.sysctl("net/ipv4/ip_forward 1")
        tc("qdisc add dev veth1 clsact")
        if "Failed to load TC action module" in run("tc", "actions", "add", "action", "nat", "egress", A, BEHIND, status=None).stderr:
            raise Skip("this kernel has no NAT action; the stock kernels have one")
        tc(f"filter add dev veth1 egress matchall action nat egress {A}/32 {BEHIND}")
        tc(f"filter add dev veth1 ingress matchall action nat ingress {BEHIND}/32 {A}")
    cable = Cable.of(a, b)
    for csum in ("nocsum", "csum"):
        for side, machine, local, remote in ((0, a, A, B), (1, b, B, BEHIND)):
            with machine:
                tunctl(f"add tun0 local {local} remote {remote} port {PORT} {csum}")
            cable.address(side)
        sniffer = b.sniffer("veth0")
        cable.check()
        equal(f"{csum}: checksummed", bool(sniffer.packets()[0].checksum), csum == "csum")
        for source, sink, address in ((a, b, INNER[4][1]), (b, a, INNER[4][0])):
            before = sink.counters("tun0")
            transfer(source, sink, 4, 1 << 20, address=address)
            true("bytes in the tunnel", (sink.counters("tun0") - before).rx_bytes > 1 << 20)
        for machine in (a, b):
            with machine:
                tunctl("del tun0")
