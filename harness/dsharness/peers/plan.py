# SPDX-License-Identifier: GPL-2.0
"""The plan of dsbench peers, from the options of the command line, checked."""

from __future__ import annotations

import argparse
import dataclasses
from dataclasses import dataclass

from .. import options
from ..errors import UsageError
from ..results import datapath
from ..sweep import plan as sweep
from ..targets import guestoptions

NUMBERS = ("1", "100", "10000")
MOST_PEERS = 65_536
MOST_NUMBERS = 16
KINDS = tuple(kind for kind in datapath.DEVICES if kind != datapath.ENCRYPTING)
TRIES, TRIES_ICOUNT = 40, 10
LEAST_WARMUP, LEAST_WARMUP_ICOUNT = 100, 5
WARMUP_A_TUNNEL = 0.2
"""Warm-up in ms: packets find the caches of their tunnels filled, as in a stream. In 0.2 ms about five packets are sent and received."""
BURST = "1"
"""Packets between two softirqs: one, since GRO would merge those of a burst over one tunnel, and not those over many."""
KIB_EACH, LEAST_MIB = 120, 512
"""Memory of the guest: of the two devices of a tunnel, and of the rest."""


def warmup(number: int, *, icount: bool) -> int:
    """Return the ms of tries that do not count, before those with this number of tunnels."""
    return max(LEAST_WARMUP_ICOUNT if icount else LEAST_WARMUP, round(number * WARMUP_A_TUNNEL))


@dataclass(frozen=True)
class PeersPlan:
    """What to measure, checked."""

    sweep: sweep.Plan
    """Its place, and the guest's options. Its datapath has the kinds of devices and the payload."""
    numbers: tuple[int, ...]
    """Numbers of tunnels, smallest first."""
    tries: int | None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of devices, the bare link first."""
        return self.sweep.datapath.devices if self.sweep.datapath else ()

    @property
    def stages(self) -> dict[str, tuple[str, int]]:
        """Name of each run -> kind and number of tunnels, in order."""
        return {f"{kind}:{number}": (kind, number) for number in self.numbers for kind in self.kinds}


def checked_plan(args: argparse.Namespace) -> PeersPlan:
    """Return the options as a plan. UsageError names the option, its value and what is allowed."""
    numbers = sorted({options.whole("peers", word, 1, MOST_PEERS) for word in options.words(args.peers)})
    if not 1 <= len(numbers) <= MOST_NUMBERS:
        raise UsageError(f"--peers names {len(numbers)} numbers: allowed are 1 to {MOST_NUMBERS} of them")
    if args.target == "host":
        raise UsageError("--target is 'host': allowed are uml and qemu, whose guests get thousands of devices")
    named = datapath.named_kinds(args.device, KINDS, args.kernel)
    where = ["--target", args.target, *(word for name in ("kernel", "accel") if getattr(args, name) for word in (f"--{name}", getattr(args, name)))]
    usual = sweep.plan_of(*where, "--timeout", args.timeout, "--device", *named, "--payloads", args.payload, "--burst", BURST)
    guest = guestoptions.checked(args)
    memory = guest.memory_mib or LEAST_MIB + numbers[-1] * KIB_EACH // 1024
    return PeersPlan(
        sweep=dataclasses.replace(
            usual, guest=dataclasses.replace(guest, memory_mib=memory), output=options.json_file("output", args.output)
        ),
        numbers=tuple(numbers),
        tries=options.whole("tries", args.tries, 1, sweep.MAX_TRIES),
    )
