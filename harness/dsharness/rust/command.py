# SPDX-License-Identifier: GPL-2.0
"""Time the containers and the tunnel in Rust beside their twins in C, in one guest of the newest stock kernel, by counts of instructions.

The first run makes a build root with rustc and the kernel crate in the cache, which takes about 5 minutes. The table compares each
container in Rust with the same container in C, by the kernel's gcc and by a clang with the LLVM of rustc, and with a twin in C whose
API works as Rust's must (list_owned): so the cost of the language and the cost of the API are separate rows. A second table compares
udptun_rust with udptun: what a packet costs more than over the bare link, in tx, rx and path, for each payload and burst.

--target uml counts cycles, in a UML kernel of the same source, which the first such run builds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import command
from ..results import datapath
from ..sweep import plan as sweep
from . import plan


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench rust`."""
    parser = subparsers.add_parser("rust", help="compare the containers and the tunnel in Rust with those in C", description=__doc__)
    parser.add_argument("--sizes", nargs="+", default=sweep.DEFAULT_SIZES, metavar="N", help="elements (500 1000 2000 4000)")
    parser.add_argument("--tries", metavar="T", help=f"tries of each cell ({plan.TRIES}; {sweep.DEFAULT_TRIES} in {plan.CYCLES})")
    sweep.add_container_options(parser)
    parser.add_argument("--datapath", action=argparse.BooleanOptionalAction, help="compare the tunnels, too (yes, unless --container is given)")
    parser.add_argument("--payloads", nargs="+", metavar="OCTETS", help=f"octets of a packet ({' '.join(datapath.PAYLOADS)})")
    parser.add_argument("--burst", nargs="+", metavar="PACKETS", help=f"packets between two softirqs ({' '.join(datapath.BURSTS)})")
    parser.add_argument("--from", dest="file", type=Path, metavar="FILE", help="show and draw a result file of this command; run nothing")
    parser.add_argument("--output", type=Path, metavar="FILE", help="result file (results/rust-<time>.json)")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="where to draw (plots/)")
    parser.set_defaults(target=plan.TARGET, device=None)
    command.declare(parser, "rust.drive:run", needs=plan.needs, check=plan.checked_plan)
