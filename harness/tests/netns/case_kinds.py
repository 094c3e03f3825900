# SPDX-License-Identifier: GPL-2.0
"""Both drivers in one kernel: udptun in C and udptun_rust in Rust."""

from __future__ import annotations

import json

from checks import Skip, equal, true
from commands import GOOD, ip, refusal, run, tunctl
from kinds import RUST, UDPTUN
from lab import Cable, Machine
from packets import INNER, OUTER
from registry import case, combined
from streams import transfer

BOTH = (UDPTUN, RUST)


def need_both() -> None:
    """Load both modules. Skip if this kernel has no Rust."""
    for kind in BOTH:
        if run("modprobe", kind, status=None).status:
            raise Skip(f"the module {kind} is not built for this kernel")


@combined
def kinds_talk_to_each_other(inner: int, outer: int) -> None:
    """One end is in C, the other in Rust: datagrams and a stream both ways."""
    need_both()
    cable = Cable(outer, f"kind {BOTH[0]}")
    with cable.b:
        tunctl("del tun0")
    cable.make(1, f"kind {BOTH[1]}")
    cable.check(inner)
    transfer(cable.a, cable.b, inner, 1 << 20)
    transfer(cable.b, cable.a, inner, 1 << 20, address=INNER[inner][0])


@case
def kinds_are_shown_together() -> None:
    """Show lists the tunnels of both kinds by their index; each kind deletes its own port's tunnel."""
    need_both()
    cable = Cable(options=f"kind {BOTH[0]}")
    with cable.a:
        for number, kind in enumerate(reversed(BOTH), start=1):
            tunctl(f"add tun{number} kind {kind} local {OUTER[4][0]} remote 10.0.0.77 port {7100 + number}")
        shown = [(tunnel["ifname"], tunnel["kind"]) for tunnel in json.loads(tunctl("-j show").stdout)]
        equal("kinds", shown, [("tun0", BOTH[0]), ("tun1", BOTH[1]), ("tun2", BOTH[0])])
        for line, kind in zip(tunctl("show").stdout.splitlines(), (*BOTH, BOTH[0])):
            equal(f"words of {kind}", line.split()[1:3] == ["kind", kind], kind != BOTH[0])
        ip("link del tun1")
        equal("left", [tunnel["ifname"] for tunnel in json.loads(tunctl("-j show").stdout)], ["tun0", "tun2"])
    cable.check()


@case
def kinds_share_no_port() -> None:
    """Each driver has sockets of its own: the port of one is taken for the other."""
    need_both()
    cable = Cable(options=f"kind {BOTH[0]}")
    with cable.a:
        words = f"local {OUTER[4][0]} remote 10.0.0.77 port 7000"
        refusal(f"add tun9 kind {BOTH[1]} {words}", "The local port is in use by another socket", 2)


@case
def kinds_refuse_what_rust_leaves_out() -> None:
    """Each option that the driver in Rust lacks: a sentence that names it, and no device; nor can a device be changed."""
    need_both()
    a = Machine("a")
    with a:
        for words, sentence in {
            "dev lo": "no underlay device (dev)", "sport hash": "no range of source ports (sport)", "fwmark 5": "no mark (fwmark)",
            "external": "no external mode",
        }.items():  # fmt: skip
            refusal(f"add tun9 kind {RUST} {GOOD} {words}", sentence, 2)
            true("no device is left", not a.has("tun9"))
        tunctl(f"add tun0 kind {RUST} {GOOD}")
        before = tunctl("show tun0").stdout
        refusal("set tun0 ttl 5", "cannot be changed: delete it and add another one", 2)
        equal("tun0", tunctl("show tun0").stdout, before)
