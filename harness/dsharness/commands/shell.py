# SPDX-License-Identifier: GPL-2.0
"""Run an interactive shell in a guest, in the folder of the modules. `exit` powers the guest off, ^] ends a hung guest at once."""

from __future__ import annotations

import argparse

from .. import command, targets
from ..targets import guestoptions
from .execcmd import add_target_options, checked_place, needs


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench shell`."""
    parser = subparsers.add_parser("shell", help="an interactive shell in a guest", description=__doc__)
    add_target_options(parser)
    command.declare(parser, run, needs=needs, check=checked_place)


def run(args: argparse.Namespace) -> int:
    """Run the shell. Return its exit status."""
    guest = guestoptions.checked(args)
    target = targets.get(args.target, args.kernel, args.accel, network=args.network, cpus=args.cpus, guest=guest)
    return target.shell(files=args.files)
