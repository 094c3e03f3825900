# SPDX-License-Identifier: GPL-2.0
"""Measure latency and throughput of the bare link, udptun and its in-tree peers, as in the paper's evaluation."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import command
from ..errors import CRASHED, TIMED_OUT
from . import plan

EPILOG = f"""\
how it is done:
  The link is a veth pair between two network namespaces of a guest, where udptun, udptun_rust (with --kernel rust) and
  the peers that its kernel has (vxlan, geneve, bareudp, fou with ipip, wireguard) are all set up. Every round measures each of them and the bare
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


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench tunnel`."""
    parser = subparsers.add_parser(
        "tunnel", help="measure latency and throughput of udptun and its peers", description=__doc__, epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    plan.add_options(parser)
    parser.add_argument("--output", type=Path, metavar="FILE", help="result file (results/tunnel-<target>-<time>.json)")
    command.declare(parser, "tunnel.drive:run", needs=plan.needs, check=plan.checked_plan)
