# SPDX-License-Identifier: GPL-2.0
"""Latency and throughput of the bare link, udptun and its in-tree peers, as in the paper's evaluation."""

# The command line only: it must load without numpy, which is installed only after the options were checked.

from __future__ import annotations

import argparse
import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import command, packages, paths, ui
from ..errors import CRASHED, TIMED_OUT, HarnessError, UsageError
from ..kernel import kernels
from ..targets import accel, guestnet
from .devices import NAMES, UDPTUN

DEFAULT_ROUNDS = "5"
MAX_ROUNDS = 1000
MAX_SECONDS = 3600
MAX_SEED = (1 << 32) - 1

DESTINATION = re.compile(r"[A-Za-z0-9_.@][A-Za-z0-9_.@:%-]*")

EPILOG = f"""\
how it is done:
  The link is a veth pair between two network namespaces of a guest, where udptun and the peers that its kernel has
  (vxlan, geneve, bareudp, fou with ipip, wireguard) are all set up. Every round measures each of them and the bare
  link once with each tool, in a new random order. A run of sockperf gives its median round trip, one of netperf (which
  is used where it is installed; it is not in Debian main) its mean one, one of iperf3 what the receiver got. A round
  takes about 5 s a device. All samples, the figures and the tests are kept in results/tunnel-<target>-<time>.json.

two real machines, --peer-host USER@HOST:
  The same from here to there, over the network that joins them, which is the bare link then. Before:
  - root on both: run this as root, and log in as root, without a password (a key, an agent)
  - on both: iproute2, iperf3, sockperf and wireguard-tools; udptun (make modules_install, for that machine's kernel)
    and build/udptunctl in the PATH as udptunctl; what one of them lacks is named as absent
  - firewalls that let pass between them TCP 5201, 11111 and 12865, UDP 4789, 5555, 6081, 6635, 7000 and 51820
  - nothing else that uses 198.18.0.0/16 or interfaces named dsb-*; one evaluation at a time
  The interfaces and servers made there are removed at the end, also when it is interrupted.

exit status: 0 done    1 it cannot be done    2 wrong usage    130 interrupted
  {CRASHED} the guest crashed    {TIMED_OUT} it did not boot, or come to the end, in time
Rounds that were finished before are kept, marked complete=false.
"""


@dataclass(frozen=True)
class Peer:
    """The machine at the other end. `address`: its IPv4 address on the link, None to look it up."""

    destination: str
    address: str | None
    ssh_config: Path | None


@dataclass(frozen=True)
class Plan:
    """What to run, checked. `target` has no meaning where there is a peer."""

    target: str
    kernel: str | None
    accel: str | None
    peer: Peer | None
    devices: tuple[str, ...]
    named: bool
    """Whether they were asked for one by one."""
    rounds: int
    seconds: int
    seed: int


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`dsbench tunnel`."""
    parser = subparsers.add_parser(
        "tunnel", help="latency and throughput of udptun and its peers", description=__doc__, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add_options(parser)
    parser.add_argument("--output", type=Path, metavar="FILE", help="result file (results/tunnel-<target>-<time>.json)")
    command.declare(parser, run)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that make a Plan. They are texts here: checked_plan() has the better sentences."""
    parser.add_argument("--target", help="uml, qemu or host (uml)")
    parser.add_argument("--kernel", help="kernel version, 6.1 or a full release (the target's default)")
    parser.add_argument("--accel", help="qemu only: auto, kvm, tcg or icount (auto)")
    parser.add_argument("--peer-host", metavar="USER@HOST", help="measure between this machine and that one instead")
    parser.add_argument("--peer-address", metavar="IPV4", help="its address on the link (the one of HOST)")
    parser.add_argument("--ssh-config", type=Path, metavar="FILE", help="ssh's configuration file (the user's)")
    parser.add_argument("--device", nargs="+", metavar="NAME", help=f"of {', '.join(NAMES)} (all); {guestnet.BY_NAME}")
    parser.add_argument("--rounds", default=DEFAULT_ROUNDS, metavar="N", help=f"samples of each ({DEFAULT_ROUNDS})")
    parser.add_argument("--seconds", default="1", metavar="S", help="how long a measurement lasts (1)")
    parser.add_argument("--seed", default="1", metavar="S", help="seed of the order (1)")


def checked_plan(args: argparse.Namespace) -> Plan:
    """The options as a Plan. UsageError names the option, its value and what is allowed."""
    output: Path | None = getattr(args, "output", None)
    if output and output.suffix != ".json":
        raise UsageError(f"--output is {str(output)!r}: allowed are names that end in .json")
    peer = _peer(args)
    if args.target is not None and args.target not in kernels.TARGETS:
        raise UsageError(f"--target is {args.target!r}: allowed are {', '.join(kernels.TARGETS)}")
    if args.accel is not None and args.accel not in accel.CHOICES:
        raise UsageError(f"--accel is {args.accel!r}: allowed are {', '.join(accel.CHOICES)}")
    return Plan(
        target=args.target or "uml",
        kernel=args.kernel,
        accel=args.accel,
        peer=peer,
        devices=_devices(args.device),
        named=args.device is not None,
        rounds=_whole("rounds", args.rounds, 1, MAX_ROUNDS),
        seconds=_whole("seconds", args.seconds, 1, MAX_SECONDS),
        seed=_whole("seed", args.seed, 0, MAX_SEED),
    )


def run(args: argparse.Namespace) -> int:
    """Measure, then show the tables, where the results lie, and what to do next."""
    plan = checked_plan(args)
    packages.ensure("plot", "tunnel")
    try:
        packages.ensure("tunnel-extra")
    except HarnessError as error:
        ui.warn(f"what needs them is left out: {error}")
    from . import drive, table  # they need numpy and scipy, which are there only now

    path, evaluation = drive.evaluate(plan, args.output)
    table.show(evaluation)
    ui.say(f"results: {_short(path)} and {path.with_suffix('.csv').name}")
    if plan.rounds < 10:
        ui.say(f"next: more --rounds, {4 * plan.rounds} say, tell smaller distances from chance")
    return 0


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


def _devices(values: Sequence[str] | None) -> tuple[str, ...]:
    """The devices in the order of NAMES."""
    if values is None:
        return NAMES
    words = {word for value in values for word in re.split(r"[\s,]+", value) if word}
    for word in sorted(words):
        if word not in NAMES:
            raise UsageError(f"--device is {word!r}: allowed are {', '.join(NAMES)}")
    if not words:
        raise UsageError(f"--device is empty: allowed are {', '.join(NAMES)}")
    return tuple(name for name in NAMES if name in words)


def _whole(option: str, text: str, lowest: int, highest: int) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,20}", text) or not lowest <= int(text) <= highest:
        raise UsageError(f"--{option} is {text!r}: allowed are whole numbers from {lowest} to {highest}")
    return int(text)


def _short(path: Path) -> Path:
    """The path as seen from here, where it lies below."""
    with contextlib.suppress(ValueError):
        return path.relative_to(Path.cwd())
    return path
