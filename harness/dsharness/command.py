# SPDX-License-Identifier: GPL-2.0
"""A command: its options, their check, the packages that it needs, and the function that runs it.

The module that declares a command loads on a bare Debian, without numpy or rich. The options are checked first, then the packages
are installed, and only then is the module that runs the command imported.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Sequence
from typing import Any

from . import packages, paths


def declare(
    parser: argparse.ArgumentParser,
    run: str | Callable[[Any], int],
    *,
    needs: Sequence[str] | Callable[[Any], Sequence[str]] = (),
    writes_output: bool = True,
    check: Callable[[argparse.Namespace], Any] | None = None,
) -> None:
    """Declare how the command of `parser` runs.

    `run` is a function, or "package.module:function" below dsharness if importing it requires `needs`. It takes the result of
    `check`, a plan for instance, or the parsed options if there is no check, and returns the exit status. `needs` are groups of
    packages.txt, or a function that returns them for the result of `check`: all that the command may need, so that the user is asked
    once. `writes_output` says whether it writes below build/, results/ or plots/, which must then be writable. `check` raises UsageError
    for an option that is not allowed.
    """
    parser.add_argument("--yes", action="store_true", help="install missing packages without asking")
    parser.set_defaults(run=run, needs=needs, writes_output=writes_output, check=check)


def execute(args: argparse.Namespace) -> int:
    """Check the options, install the packages that the command needs, run the command. Return its exit status.

    UsageError for an option that is not allowed, before anything is installed. HarnessError for what the user can repair.
    """
    checked = args.check(args) if args.check else args
    if args.writes_output:
        paths.require_output()
    if args.yes:
        packages.consent()
    packages.ensure(*(args.needs(checked) if callable(args.needs) else args.needs))
    run: Callable[[Any], int] = _imported(args.run) if isinstance(args.run, str) else args.run
    return run(checked)


def _imported(name: str) -> Callable[[Any], int]:
    module, _, function = name.partition(":")
    found: Callable[[Any], int] = getattr(importlib.import_module(f"{__package__}.{module}"), function)
    return found
