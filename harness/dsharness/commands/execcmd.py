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
from pathlib import Path

from .. import command, options, streams, targets
from ..errors import CRASHED, TIMED_OUT, UsageError
from ..kernel import kernels, option
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
    parser.add_argument("--target", type=_target, default="uml", metavar="T", help=f"where to run: {', '.join(kernels.TARGETS)} (default: uml)")
    option.add(parser, "6.1, 6.12, newest or a full release (default: the target's)")
    parser.add_argument(
        "--accel", type=_accel, metavar="A",
        help="qemu: kvm for real cycles, icount for counted instructions, or tcg (default: auto, kvm where it works, else icount)",
    )  # fmt: skip
    parser.add_argument(
        "--cpus", type=_cpus, default=1, metavar="N", help=f"qemu: CPUs of the guest, up to {MAX_CPUS} (default: 1)"
    )
    parser.add_argument(
        "--with", dest="files", type=Path, nargs="+", action="extend", default=[], metavar="FILE",
        help="put files, another module say, beside the .ko files",
    )  # fmt: skip
    parser.add_argument(
        "--network", action="store_true",
        help="have udptunctl and ip's plugin for udptun in the guest, too; qemu: also ip, python3 and the kernel's own tunnels (uml has the host's)",
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
        usage="%(prog)s [--target T] [--kernel K | --kernel-dir DIR] [--accel A] [--cpus N] [--network] [--with FILE ...] [--memory SIZE]"
        " [--append 'PARAMETER ...'] [--module NAME ...] [--timeout SECONDS] -- COMMAND ...",
    )
    add_target_options(parser)
    parser.add_argument(
        "--timeout", type=_seconds, default=DEFAULT_SECONDS, metavar="SECONDS",
        help=f"how long the command may take once the guest has booted (default: {DEFAULT_SECONDS:g})",
    )  # fmt: skip
    parser.add_argument("argv", nargs="+", metavar="COMMAND", help="the command and its arguments, after --")
    command.declare(parser, run, needs=needs, check=checked_place)


def checked_place(args: argparse.Namespace) -> argparse.Namespace:
    """Return the options of add_target_options(). UsageError for one that is not allowed."""
    for file in args.files:
        if not file.is_file():
            raise UsageError(f"--with {file}: there is no such file")
    args.kernel = option.one(args)
    targets.check(args.target, args.kernel, args.accel, cpus=args.cpus, guest=guestoptions.checked(args))
    return args


def needs(args: argparse.Namespace) -> tuple[str, ...]:
    """Return the groups of packages that the target needs."""
    return targets.prerequisites(args.target, args.kernel, network=args.network)


def run(args: argparse.Namespace) -> int:
    """Run the command. Return its exit status."""
    guest = guestoptions.checked(args)
    target = targets.get(args.target, args.kernel, args.accel, network=args.network, cpus=args.cpus, guest=guest)
    try:
        result = target.run(
            args.argv,
            files=args.files,
            timeout=args.timeout,
            on_stdout=lambda data: streams.pass_on(1, data),
            on_stderr=lambda data: streams.pass_on(2, data),
            stdin=_input(),
        )
    except BrokenPipeError:  # whoever read has seen enough, as in `exec … | head`
        return 128 + signal.SIGPIPE
    return result.status


def _target(text: str) -> str:
    return options.choice("target", text, kernels.TARGETS)


def _accel(text: str) -> str:
    return options.choice("accel", text, accel.CHOICES)


def _input() -> int | None:
    """Return standard input, to pass it on; None if it is closed, empty by nature, or a terminal, for which there is `shell`."""
    try:
        source = os.fstat(0)
    except OSError:
        return None
    return None if os.isatty(0) or (stat.S_ISCHR(source.st_mode) and source.st_rdev == os.stat(os.devnull).st_rdev) else 0


def _cpus(text: str) -> int:
    return options.whole("cpus", text, 1, MAX_CPUS)


def _seconds(text: str) -> float:
    return options.seconds("timeout", text)
