# SPDX-License-Identifier: GPL-2.0
"""The command line: a module for each command, whose `add_parser` declares its options and the function that runs it."""

from __future__ import annotations

import argparse
import difflib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType, ModuleType
from typing import Any

from . import command, paths
from .ab import command as ab
from .commands import clean, doctor, execcmd, hostload, install, kunit, lint, shell
from .compare import command as compare
from .crosscheck import command as crosscheck
from .curve import command as curve
from .errors import HarnessError, UsageError
from .explain import command as explain
from .gate import command as gate
from .kernel import build, tools, trees
from .mutants import command as mutants
from .plot import command as plot
from .quality import command as quality
from .quality import repeatcommand as repeat
from .seedtables import command as seedtables
from .sweep import command as sweep
from .tunnel import command as tunnel

GROUPS: dict[str, tuple[ModuleType, ...]] = {
    "measure": (sweep, curve, tunnel, crosscheck),
    "compare": (compare, ab, gate, explain, repeat, quality),
    "draw": (plot, seedtables),
    "run by hand": (execcmd, shell, hostload),
    "build and check": (build, tools, kunit, mutants, lint),
    "this machine": (doctor, install, clean),
}
"""The modules that declare commands, under the headings of --help."""

INTERRUPTED = 130


class _Listing:
    """Takes the commands' parsers in place of argparse's own list, and keeps their summaries for --help, by group."""

    def __init__(self, subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
        self._subparsers = subparsers
        self.groups: dict[str, dict[str, str]] = {}

    def begin(self, group: str) -> None:
        """Put the commands that follow into a group."""
        self._summaries = self.groups.setdefault(group, {})

    def add_parser(self, name: str, *, help: str, **options: Any) -> argparse.ArgumentParser:
        """Add a command. Its options must be spelt out: an abbreviation would change its meaning with the next option."""
        self._summaries[name] = help
        return self._subparsers.add_parser(name, allow_abbrev=False, **options)

    @property
    def names(self) -> list[str]:
        """The names of all commands."""
        return [name for summaries in self.groups.values() for name in summaries]

    def __str__(self) -> str:
        width = max(map(len, self.names)) + 2
        blocks = [
            "\n".join([f"{group}:", *(f"  {name:<{width}}{summary}" for name, summary in summaries.items())])
            for group, summaries in self.groups.items()
        ]
        return "\n\n".join(blocks)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    return _parser_and_names()[0]


def _parser_and_names() -> tuple[argparse.ArgumentParser, list[str]]:
    top = argparse.ArgumentParser(
        prog="dsbench",
        usage="dsbench COMMAND [OPTION ...]",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"dsbench {_version()}", help="show the version and exit")
    listing = _Listing(top.add_subparsers(dest="command", metavar="COMMAND", required=True, help=argparse.SUPPRESS))
    for group, modules in GROUPS.items():
        listing.begin(group)
        for module in modules:
            module.add_parser(listing)
    top.description = f"Time the kernel's containers and tunnels on real kernel code: build, boot, measure, compare, draw.\n\n{listing}"
    top.epilog = "dsbench COMMAND --help lists the options of a command."
    return top, listing.names


def _version() -> str:
    """Return the version of the modules, and what git calls this state of the project."""
    text = (paths.ROOT / "modules/core/version.h").read_text(encoding="utf-8")
    number = text.partition('DSBENCH_VERSION\t"')[2].partition('"')[0]
    revision = trees.described()
    return number if revision == "unknown" else f"{number} ({revision})"


def _refuse_unknown(argv: Sequence[str], names: Sequence[str]) -> None:
    """UsageError for a command that does not exist, with the nearest one that does."""
    name = argv[0] if argv else ""
    if not name or name.startswith("-") or name in names:
        return
    near = difflib.get_close_matches(name, names, 1)
    raise UsageError(f"command {name!r} is unknown{f': did you mean {near[0]}?' if near else ''} (dsbench --help lists all)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. A foreseen failure is one sentence on standard error and a non-zero status."""
    # A shell starts background jobs with SIGINT ignored. An explicit SIGINT must end the command all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGHUP, _leave)
    try:
        words = sys.argv[1:] if argv is None else argv
        top, names = _parser_and_names()
        _refuse_unknown(words, names)
        args = top.parse_args(words)
        status = command.execute(args)
        sys.stdout.flush()
        return status
    except HarnessError as error:
        print(f"dsbench: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # The reader of standard output has closed it, as `head` does.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        # A full disk or an unwritable folder, which the checks before could not foresee.
        print(f"dsbench: {error.filename or 'input or output'}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dsbench: interrupted", file=sys.stderr)
        return INTERRUPTED


def _leave(number: int, frame: FrameType | None) -> None:
    """Exit by an exception, so that all children are ended on the way out."""
    raise SystemExit(128 + number)
