# SPDX-License-Identifier: GPL-2.0
"""The command line: a module for each command, whose `add_parser` declares its options and the function that runs it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NoReturn

from . import command, limits, options, paths, signals, streams, ui
from .ab import command as ab
from .commands import clean, doctor, execcmd, hostload, install, kunit, lint, shell
from .compare import command as compare
from .crosscheck import command as crosscheck
from .curve import command as curve
from .errors import HarnessError, UsageError
from .explain import command as explain
from .gate import command as gate
from .headline import command as headline
from .kernel import build, tools, trees
from .mutants import command as mutants
from .peers import command as peers
from .plot import command as plot
from .quality import command as quality
from .quality import repeatcommand as repeat
from .rust import command as rust
from .seedtables import command as seedtables
from .sweep import command as sweep
from .throughput import command as throughput
from .tunnel import command as tunnel

GROUPS: dict[str, tuple[ModuleType, ...]] = {
    "measure": (sweep, curve, peers, tunnel, throughput, crosscheck),
    "compare": (compare, ab, gate, explain, rust, repeat, quality),
    "draw": (plot, headline, seedtables),
    "run by hand": (execcmd, shell, hostload),
    "build and check": (build, tools, kunit, mutants, lint),
    "this machine": (doctor, install, clean),
}
"""The modules that declare commands, under the headings of --help."""

INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints are single sentences, as UsageError."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line, in argparse's words."""
        raise UsageError(f"{message} ({self.prog} --help lists the options)")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:  # the types of the base class are overloads
        """Parse as argparse does. UsageError names the first word that no option and no argument takes, and the option that is near."""
        found, rest = self.parse_known_args(args, namespace)
        if not rest:
            return found
        known = next((action.choices[found.command] for action in self._actions if isinstance(action, argparse._SubParsersAction)), self)
        word = next((word for word in rest if word.startswith("-")), rest[0])
        if not word.startswith("-"):
            known.error(f"{word!r} is one argument too many")
        name = word.partition("=")[0]
        takes_command = any(action.dest == "argv" for action in known._actions)
        before = ": options of COMMAND stand behind --" if takes_command else ""
        known.error(f"option {name} is unknown{before}{options.suggestion(name, known._option_string_actions)}")


class _Listing:
    """Takes the commands' parsers in place of argparse's own list, and keeps their summaries for --help, by group."""

    def __init__(self, subparsers: "argparse._SubParsersAction[_Parser]") -> None:
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
    top = _Parser(
        prog="dsbench",
        usage="dsbench COMMAND [OPTION ...]",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"dsbench {_version()}", help="show the version and exit")
    listing = _Listing(top.add_subparsers(prog="dsbench", dest="command", metavar="COMMAND", required=True, help=argparse.SUPPRESS))
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
    raise UsageError(f"command {name!r} is unknown{options.suggestion(name, names)} (dsbench --help lists all)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. A foreseen failure is one sentence on standard error and a non-zero status."""
    signals.install()
    try:
        _require_folder()
        words = sys.argv[1:] if argv is None else argv
        top, names = _parser_and_names()
        _refuse_unknown(words, names)
        args = top.parse_args(words)
        limits.require_open_files()
        if problem := paths.forget_bad_tmpdir():
            ui.warn(problem)
        return command.execute(args)
    except HarnessError as error:
        print(f"dsbench: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # in a command that passes bytes on: their reader has left, as `head` does
        return 128 + signal.SIGPIPE
    except OSError as error:
        # A full disk or an unwritable folder, which the checks before could not foresee.
        print(f"dsbench: {error.filename or 'input or output'}: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dsbench: interrupted", file=sys.stderr)
        return INTERRUPTED
    except signals.EndedError as ended:
        print(f"dsbench: ended by {ended.name}", file=sys.stderr)
        return ended.status


def start() -> int:
    """Run the program: main() with standard streams that can take whatever it prints. Return its exit status."""
    streams.prepare()
    try:
        status = main()
    except SystemExit as done:  # of argparse, after --help
        status = done.code if isinstance(done.code, int) else int(done.code is not None)
    return streams.close(status)


def _require_folder() -> None:
    """HarnessError if the current folder is gone: no path of the command line can be found then."""
    try:
        os.getcwd()
    except FileNotFoundError:
        raise HarnessError("the current folder has been removed: change to another one") from None
