# SPDX-License-Identifier: GPL-2.0
"""Measure the throughput of the bare link, udptun and its in-tree peers by kind of traffic and by offloads, in Mbit/s and instructions a byte."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import command
from ..errors import CRASHED, TIMED_OUT
from . import plan

EPILOG = f"""\
how it is done:
  The link is a veth pair between two network namespaces of a guest with one CPU, which both ends keep busy. Under icount,
  the default, a second is 10^9 instructions: seconds a byte are instructions a byte, of sender and receiver together.
  traffic   1, 8 and 64 TCP streams, writes of 128 bytes, streams in both directions, by iperf3; one UDP flow with GSO and GRO
  offloads  TCP, one stream, for each combination of
    checksum  zero: no outer UDP checksum; on: the underlay adds it; software: the CPU adds it. wireguard always has one
    TSO       the underlay takes large packets, tunnelled ones, too; off: the kernel cuts them before
    GRO       the underlay and the tunnel at the receiver merge packets
  A kernel takes about 4 minutes; all results are kept in results/throughput-<target>-<time>.json and .csv.

exit status: 0 done    1 it cannot be done    2 wrong usage    130 interrupted
  {CRASHED} the guest crashed    {TIMED_OUT} it did not boot, or come to the end, in time
What was measured before is kept, marked complete=false.
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench throughput`."""
    parser = subparsers.add_parser(
        "throughput", help="measure tunnels by kind of traffic and by offloads", description=__doc__, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    plan.add_options(parser)
    parser.add_argument("--output", type=Path, metavar="FILE", help="result file (results/throughput-<target>-<time>.json)")
    command.declare(parser, "throughput.drive:run", needs=plan.needs, check=plan.checked_plan)
