# SPDX-License-Identifier: GPL-2.0
"""The command line: one module a subcommand, each with `add_parser(subparsers)` and `run(args) -> int`."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from . import command
from .ab import command as ab
from .commands import clean, doctor, execcmd, hostload, install, kunit, lint, shell
from .compare import command as compare
from .crosscheck import command as crosscheck
from .curve import command as curve
from .errors import HarnessError
from .gate import command as gate
from .kernel import build, tools
from .plot import command as plot
from .quality import command as quality
from .quality import repeatcommand as repeat
from .seedtables import command as seedtables
from .sweep import command as sweep
from .tunnel import command as tunnel

COMMANDS = (
    doctor, sweep, curve, seedtables, plot, compare, ab, gate, repeat, quality, crosscheck, tunnel, execcmd, shell, build, hostload, kunit,
    lint, tools, install, clean,
)  # fmt: skip

INTERRUPTED = 130


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="dsbench",
        description="Times the kernel's containers on real kernel code: builds, boots, sweeps, plots.",
        epilog="Each command says more by --help.",
    )
    subparsers = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for one in COMMANDS:
        one.add_parser(subparsers)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; every foreseen failure is one sentence on standard error and a non-zero status."""
    # A script's background job is started with SIGINT ignored; who sends it one means it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    try:
        args = parser().parse_args(argv)
        status = command.execute(args)
        sys.stdout.flush()
        return status
    except HarnessError as error:
        print(f"dsbench: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has had enough of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        # A full disk, a folder that cannot be written: what the checks before could not foresee.
        print(f"dsbench: {error.filename or 'input or output'}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dsbench: interrupted", file=sys.stderr)
        return INTERRUPTED


def _leave(number: int, frame: FrameType | None) -> None:
    """Leave by an exception, so that every child is ended on the way out."""
    raise SystemExit(128 + number)
