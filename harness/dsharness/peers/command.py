# SPDX-License-Identifier: GPL-2.0
"""Time packets over 1, 100 and 10,000 tunnels that end in one port, each packet in a random one.

Each kind of tunnel has as many devices (bareudp: routes) at both ends, and the receiver finds the tunnel of a packet among them. A guest
sets up one kind and number after another: 10,000 take it a minute or two. Packets come alone, in bursts of 1. The result file has
names like udptun/rx/1400/burst:1/peers:100.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import command
from ..results import datapath
from ..sweep import plan as sweep
from ..targets import guestoptions
from . import plan


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench peers`."""
    parser = subparsers.add_parser("peers", help="time packets over 1 to 10,000 tunnels on one port", description=__doc__)
    parser.add_argument("--peers", nargs="+", default=plan.NUMBERS, metavar="N", help=f"tunnels ({' '.join(plan.NUMBERS)})")
    parser.add_argument("--device", nargs="+", metavar="NAME", help=f"of {', '.join(plan.KINDS)} (all but those that the kernel lacks)")
    parser.add_argument("--payload", default=str(datapath.USUAL_PAYLOAD), metavar="OCTETS", help=f"octets of a packet ({datapath.USUAL_PAYLOAD})")
    parser.add_argument("--tries", metavar="T", help=f"tries of each cell ({plan.TRIES}; {plan.TRIES_ICOUNT} under icount)")
    parser.add_argument("--target", default="uml", help="uml or qemu (uml)")
    parser.add_argument("--kernel", help="kernel version, 6.1 or a full release (the target's default)")
    parser.add_argument("--accel", help="qemu only: auto, kvm, tcg or icount (auto)")
    parser.add_argument("--timeout", default="3600", metavar="SECONDS", help="end the guest after this time (3600)")
    guestoptions.add_options(parser)
    parser.add_argument("--output", type=Path, metavar="FILE", help="result file (results/peers-<target>-<time>.json)")
    command.declare(parser, "peers.drive:run", needs=lambda made: sweep.needs(made.sweep), check=plan.checked_plan)
