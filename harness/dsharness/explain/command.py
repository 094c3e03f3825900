# SPDX-License-Identifier: GPL-2.0
"""Show which functions the instructions of an element, a lookup or a packet go to.

CELL is a name from a result, such as maple/fill/1000, udptun/path/1400 or udptun/path/1400/burst:64. Each part may be a pattern: 'xarray/*' are all operations
of the XArray. Without a size it has 1000 elements, or packets of 1400 bytes. The cell runs under QEMU on a stock kernel, where a plugin
counts every instruction between two readings of the clock. So the figures are exact, and repeat.

--against shows which functions gained and lost instructions: since a revision of git, on another kernel, or compared with another
container or device. With --annotate it also shows the functions of both sides next to each other.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import command
from ..errors import CRASHED, TIMED_OUT
from ..kernel import option
from ..sweep import plan as sweep
from . import plan

EPILOG = f"""\
examples:
  dsbench explain xarray/find/1000                    where its instructions go
  dsbench explain xarray/find/1000 --against HEAD     which function gained some by the changes in the working tree
  dsbench explain maple --against 6.1                 the same modules on two kernels
  dsbench explain udptun/path/1400 --against geneve   two devices
  dsbench explain rust_list/fill --against list --kernel rust    a container in Rust, and in C
  dsbench explain rust_list/find --against list --kernel rust --annotate list_find --annotate table::find    the loops of both
  dsbench explain udptun_rust/path --against udptun --kernel rust    a driver in Rust, and in C

exit status:
  0 all cells are explained    1 it cannot be done    2 wrong usage    130 interrupted
  {CRASHED} the guest crashed    {TIMED_OUT} it did not come to the end in time
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench explain`."""
    parser = subparsers.add_parser(
        "explain",
        help="show which functions the instructions of an element go to",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("cells", nargs="+", metavar="CELL", help="cell, or pattern: CONTAINER[/OP[/N[/burst:PACKETS]]]")
    option.add(parser, "stock kernel, 6.1, 6.12, newest, rust or a full release (6.12)")
    parser.add_argument("--against", metavar="WHAT", help="compare with a container, a device, a kernel, or a revision of the modules")
    parser.add_argument("--annotate", action="append", metavar="FUNCTION", help="disassemble it, with how often each instruction ran")
    parser.add_argument("--single", action="store_true", help="lines that a single insertion, lookup or erasure touches: its cold cost")
    parser.add_argument("--cache", metavar="LEVELS", help="misses of a model with LRU sets: size and ways of each level, 32k:8,2M:16")
    parser.add_argument("--warm", action="store_true", help="the model keeps its lines between tries (each window begins empty)")
    parser.add_argument("--plot", action="store_true", help="draw the functions of each cell as a stacked bar into plots/")
    parser.add_argument("--folded", type=Path, metavar="FILE", help="write folded stacks, for flame graphs")
    parser.add_argument("--revision", metavar="REV", help="revision of the modules (the working tree)")
    parser.add_argument("--target", help="qemu, the only one that can")
    parser.add_argument("--accel", help="icount, the only one that can")
    parser.add_argument("--tries", default=str(plan.DEFAULT_TRIES), metavar="T", help=f"tries, of which the median one is shown ({plan.DEFAULT_TRIES})")
    sweep.add_key_options(parser)
    sweep.add_packet_options(parser)
    parser.add_argument("--timeout", default=plan.TIMEOUT_SECONDS, metavar="SECONDS", help=f"end a guest then ({plan.TIMEOUT_SECONDS})")
    command.declare(parser, "explain.drive:run", needs=plan.needs, check=plan.checked_plan)
