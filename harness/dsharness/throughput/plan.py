# SPDX-License-Identifier: GPL-2.0
"""The plan of the throughput by traffic and offloads, from the options of the command line, checked."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import options, targets
from ..kernel import kernels
from ..results import datapath
from ..targets import accel, guestnet, guestoptions
from ..targets.guestoptions import GuestOptions

MAX_ROUNDS = 1000
TRAFFIC_NAMES = ("tcp-1", "tcp-8", "tcp-64", "tcp-small", "tcp-both", "udp-gso")
"""Names of traffic.TRAFFIC, which needs more packages than this module may."""


@dataclass(frozen=True)
class ThroughputPlan:
    """What to run, checked."""

    target: str
    kernels: tuple[str | None, ...]
    """One guest each; None is the target's default."""
    accel: str | None
    devices: tuple[str, ...]
    named: bool
    """Whether the devices were asked for by name."""
    traffic: tuple[str, ...]
    offloads: bool
    """Whether every setting of the offloads is measured, or the default one alone."""
    rounds: int = 1
    """How often each is measured."""
    output: Path | None = None
    """The result file; None: results/throughput-<target>-<time>.json."""
    guest: GuestOptions = GuestOptions()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a ThroughputPlan."""
    parser.add_argument("--target", help="uml, qemu or host (qemu)")
    parser.add_argument("--kernel", nargs="+", metavar="VERSION", help="kernel versions, 6.1 or a full release each (the target's default)")
    parser.add_argument("--accel", help="qemu only: auto, kvm, tcg or icount (icount)")
    parser.add_argument("--device", nargs="+", metavar="NAME", help=f"of {', '.join(datapath.TUNNELS)} (all); {guestnet.BY_NAME}")
    parser.add_argument("--traffic", nargs="+", metavar="KIND", help=f"of {', '.join(TRAFFIC_NAMES)} (all)")
    parser.add_argument("--no-offloads", action="store_true", help="measure the kinds of traffic alone, not the matrix of offloads")
    parser.add_argument("--rounds", default="1", metavar="N", help="measure each N times, in a random order if N > 1 (1)")
    guestoptions.add_options(parser)


def checked_plan(args: argparse.Namespace) -> ThroughputPlan:
    """Return the options as a ThroughputPlan. UsageError names the option, its value and what is allowed."""
    target = options.choice("target", args.target, kernels.TARGETS) or "qemu"
    accelerator = options.choice("accel", args.accel, accel.CHOICES) or ("icount" if target == "qemu" else None)
    guest = guestoptions.checked(args)
    releases: tuple[str | None, ...] = tuple(options.words(args.kernel)) if args.kernel else (None,)
    for release in releases:
        targets.check(target, release, accelerator, guest=guest)
    return ThroughputPlan(
        target=target,
        kernels=releases,
        accel=accelerator,
        devices=_devices(args, releases),
        named=args.device is not None,
        traffic=tuple(name for name in TRAFFIC_NAMES if name in options.names("traffic", args.traffic, TRAFFIC_NAMES)),
        offloads=not args.no_offloads,
        rounds=options.whole("rounds", args.rounds, 1, MAX_ROUNDS),
        output=options.json_file("output", getattr(args, "output", None)),
        guest=guest,
    )


def _devices(args: argparse.Namespace, releases: Sequence[str | None]) -> tuple[str, ...]:
    """Return the tunnels that all kernels of the run may have."""
    found = [datapath.named_kinds(args.device, datapath.TUNNELS, release) for release in releases]
    return tuple(kind for kind in found[0] if all(kind in one for one in found))


def needs(plan: ThroughputPlan) -> tuple[str, ...]:
    """Return the groups of packages that the measurement needs."""
    groups = (group for kernel in plan.kernels for group in targets.prerequisites(plan.target, kernel, network=True))
    return tuple(dict.fromkeys(("plot", *groups)))
