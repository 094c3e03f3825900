# SPDX-License-Identifier: GPL-2.0
"""Run a command in a guest, in the folder of the modules.

The guest boots for the command and powers off after it. The modules are also in /lib/modules, where modprobe finds them. Standard
output, standard error and the exit status are the command's. So is standard input, unless it is a terminal: `shell` is for those.
"""

from __future__ import annotations

import argparse
import os
import signal
import stat
import sys
from pathlib import Path

from .. import command, targets
from ..errors import CRASHED, TIMED_OUT, UsageError
from ..kernel import kernels
from ..targets import accel, guestoptions

DEFAULT_SECONDS = 300.0
MAX_CPUS = 64

EPILOG = f"""\
exit status: the command's (128 + n when signal n killed it, 127 when there is none of that name); of dsbench itself:
  1 it cannot be done    2 wrong usage    130 interrupted
  {CRASHED} the guest crashed or powered off before the command ended
  {TIMED_OUT} the guest did not boot, or the command did not end, in time

example: dsbench exec --target uml -- sh -c 'insmod dsbench.ko n=4000 tries=100 && cat /proc/dsbench'
"""


def add_target_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that select a target and its content."""
    parser.add_argument("--target", choices=kernels.TARGETS, default="uml", help="where to run (default: uml)")
    parser.add_argument("--kernel", metavar="VERSION", help="6.1, 6.12, newest or a full release (default: the target's)")
    parser.add_argument(
        "--accel",
        choices=accel.CHOICES,
        help="qemu: real cycles under kvm, counted instructions under icount (default: auto, kvm where it works)",
    )
    parser.add_argument(
        "--cpus", type=_cpus, default=1, metavar="N", help=f"qemu: CPUs of the guest, up to {MAX_CPUS} (default: 1)"
    )
    parser.add_argument(
        "--with", dest="files", type=Path, nargs="+", action="extend", default=[], metavar="FILE",
        help="put files, another module say, beside the .ko files",
    )  # fmt: skip
    parser.add_argument(
        "--network", action="store_true",
        help="have udptunctl in the guest, too; qemu: also ip, python3 and the kernel's own tunnels (uml has the host's)",
    )  # fmt: skip
    guestoptions.add_options(parser)


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `dsbench exec`."""
    parser = subparsers.add_parser(
        "exec",
        help="run a command in a guest",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [--target T] [--kernel K] [--accel A] [--cpus N] [--network] [--with FILE ...] [--memory SIZE]"
        " [--append 'PARAMETER ...'] [--module NAME ...] [--timeout SECONDS] -- COMMAND ...",
    )
    add_target_options(parser)
    parser.add_argument(
        "--timeout", type=_seconds, default=DEFAULT_SECONDS, metavar="SECONDS",
        help=f"how long the command may take once the guest has booted (default: {DEFAULT_SECONDS:g})",
    )  # fmt: skip
    parser.add_argument("argv", nargs="+", metavar="COMMAND", help="the command and its arguments, after --")
    command.declare(parser, run)


def run(args: argparse.Namespace) -> int:
    """Run the command. Return its exit status."""
    for file in args.files:
        if not file.is_file():
            raise UsageError(f"--with {file}: there is no such file")
    guest = guestoptions.checked(args)
    target = targets.get(args.target, args.kernel, args.accel, network=args.network, cpus=args.cpus, guest=guest)
    try:
        result = target.run(
            args.argv,
            files=args.files,
            timeout=args.timeout,
            on_stdout=lambda data: _write(sys.stdout.fileno(), data),
            on_stderr=lambda data: _write(sys.stderr.fileno(), data),
            stdin=_input(),
        )
    except BrokenPipeError:  # whoever read has seen enough, as in `exec … | head`
        return 128 + signal.SIGPIPE
    return result.status


def _input() -> int | None:
    """Return standard input, to pass it on; None if it is closed, empty by nature, or a terminal, for which there is `shell`."""
    try:
        source = os.fstat(0)
    except OSError:
        return None
    return None if os.isatty(0) or (stat.S_ISCHR(source.st_mode) and source.st_rdev == os.stat(os.devnull).st_rdev) else 0


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _cpus(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text[:9]) <= MAX_CPUS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of CPUs from 1 to {MAX_CPUS}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds
