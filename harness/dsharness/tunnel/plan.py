# SPDX-License-Identifier: GPL-2.0
"""The plan of the tunnels' evaluation: where, what and how often, from the options of the command line, checked."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from .. import options, targets
from ..errors import UsageError
from ..kernel import kernels, option
from ..kernel.own import Spec
from ..results import datapath
from ..targets import accel, guestnet, guestoptions
from ..targets.guestoptions import GuestOptions

DEFAULT_ROUNDS = "5"
MAX_ROUNDS = 1000
MAX_SECONDS = 3600
MAX_SEED = (1 << 32) - 1

DESTINATION = re.compile(r"[A-Za-z0-9_.@][A-Za-z0-9_.@:%-]*")

@dataclass(frozen=True)
class Peer:
    """The machine at the other end. `address` is its IPv4 address on the link, None to look it up."""

    destination: str
    address: str | None
    ssh_config: Path | None


@dataclass(frozen=True)
class TunnelPlan:
    """What to run, checked. `target` has no meaning with a peer."""

    target: str
    kernel: Spec | None
    accel: str | None
    peer: Peer | None
    devices: tuple[str, ...]
    named: bool
    """Whether the devices were asked for by name."""
    rounds: int
    seconds: int
    seed: int
    output: Path | None = None
    """The result file; None: results/tunnel-<target>-<time>.json."""
    guest: GuestOptions = GuestOptions()


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a TunnelPlan."""
    parser.add_argument("--target", help="uml, qemu or host (uml)")
    option.add(parser, "kernel version, 6.1 or a full release (the target's default)")
    parser.add_argument("--accel", help="qemu only: auto, kvm, tcg or icount (auto)")
    parser.add_argument("--peer-host", metavar="USER@HOST", help="measure between this machine and that one instead")
    parser.add_argument("--peer-address", metavar="IPV4", help="its address on the link (the one of HOST)")
    parser.add_argument("--ssh-config", type=Path, metavar="FILE", help="ssh's configuration file (the user's)")
    parser.add_argument("--device", nargs="+", metavar="NAME", help=f"of {', '.join(datapath.TUNNELS)} (all); {guestnet.BY_NAME}")
    guestoptions.add_options(parser)
    parser.add_argument("--rounds", default=DEFAULT_ROUNDS, metavar="N", help=f"samples of each ({DEFAULT_ROUNDS})")
    parser.add_argument("--seconds", default="1", metavar="S", help="how long a measurement lasts (1)")
    parser.add_argument("--seed", default="1", metavar="S", help="seed of the order (1)")


def checked_plan(args: argparse.Namespace) -> TunnelPlan:
    """Return the options as a TunnelPlan. UsageError names the option, its value and what is allowed."""
    peer = _peer(args)
    target, accelerator = options.choice("target", args.target, kernels.TARGETS) or "uml", options.choice("accel", args.accel, accel.CHOICES)
    guest = guestoptions.checked(args)
    kernel = option.one(args)
    targets.check(target, kernel, accelerator, guest=guest)
    if peer:
        guest.refuse("host")
    return TunnelPlan(
        target=target,
        kernel=kernel,
        accel=accelerator,
        peer=peer,
        devices=datapath.named_kinds(args.device, datapath.TUNNELS, kernel),
        named=args.device is not None,
        rounds=options.whole("rounds", args.rounds, 1, MAX_ROUNDS),
        seconds=options.whole("seconds", args.seconds, 1, MAX_SECONDS),
        seed=options.whole("seed", args.seed, 0, MAX_SEED),
        output=options.json_file("output", getattr(args, "output", None)),
        guest=guest,
    )


def needs(plan: TunnelPlan) -> tuple[str, ...]:
    """Return the groups of packages that the evaluation needs, without those of what may be absent."""
    return ("plot", *(("base", "tunnel") if plan.peer else targets.prerequisites(plan.target, plan.kernel, network=True)))


def _peer(args: argparse.Namespace) -> Peer | None:
    if args.peer_host is None:
        for option, value in (("peer-address", args.peer_address), ("ssh-config", args.ssh_config)):
            if value is not None:
                raise UsageError(f"--{option} is {str(value)!r}: it is allowed with --peer-host only")
        return None
    for option in ("target", "kernel", "accel"):
        if (value := getattr(args, option)) is not None:
            raise UsageError(f"--{option} is {value!r}: leave it out, --peer-host measures the running kernels")
    if not DESTINATION.fullmatch(args.peer_host):
        raise UsageError(f"--peer-host is {args.peer_host!r}: allowed is USER@HOST, as ssh takes it")
    if args.peer_address is not None and not _is_ipv4(args.peer_address):
        raise UsageError(f"--peer-address is {args.peer_address!r}: allowed is an IPv4 address such as 192.0.2.1")
    if args.ssh_config is not None and not args.ssh_config.is_file():
        raise UsageError(f"--ssh-config is {str(args.ssh_config)!r}: there is no such file")
    return Peer(args.peer_host, args.peer_address, args.ssh_config and args.ssh_config.absolute())


def _is_ipv4(text: str) -> bool:
    return bool(re.fullmatch(r"(\d{1,3})(\.\d{1,3}){3}", text)) and all(int(part) < 256 for part in text.split("."))
