# SPDX-License-Identifier: GPL-2.0
"""Commands, in the namespace that we are in."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from checks import Failure, Skip, equal, true
from packets import PORT

KIND = os.environ.get("KIND", "udptun")
"""Kind of the devices that the cases make, and name of its module."""
GOOD = f"local 10.0.0.1 remote 10.0.0.2 port {PORT}"
"""A tunnel that nothing is wrong with."""


@dataclass(frozen=True)
class Ran:
    """What a command left."""

    status: int
    stdout: str
    stderr: str


def run(*argv: str, stdin: str = "", status: int | None = 0) -> Ran:
    """Run a command in the namespace that we are in. Failure when it does not exit with `status` (None: any)."""
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=60)
    if status is not None and done.returncode != status:
        raise Failure(f"{' '.join(argv)}: status {done.returncode} instead of {status}: {done.stderr.strip() or stdin}")
    return Ran(done.returncode, done.stdout, done.stderr)


def ip(commands: str) -> None:
    """Run these lines by ip, in the namespace that we are in."""
    run("ip", "-batch", "-", stdin="\n".join(line.strip() for line in commands.strip().splitlines()) + "\n")


def tc(words: str) -> None:
    """Run tc, in the namespace that we are in. Skip where the guest has none."""
    if not any(Path(folder, "tc").exists() for folder in os.get_exec_path()):
        raise Skip("this guest has no tc")
    run("tc", *words.split())


def tunctl(words: str, status: int | None = 0) -> Ran:
    """Run udptunctl in the namespace that we are in. A device that it adds is of our kind."""
    command, *rest = words.split()
    if command == "add" and rest and "kind" not in rest:
        rest[1:1] = [] if KIND == "udptun" else ["kind", KIND]
    return run("udptunctl", command, *rest, status=status)


def refusal(words: str, sentence: str, status: int | None = None) -> None:
    """Failure unless udptunctl prints this one sentence."""
    done = tunctl(words, None)
    true(f"{words}: is refused", done.status not in (0, None))
    true(f"{words}: {done.stderr.strip()!r} has {sentence!r} in it", sentence in done.stderr)
    equal(f"{words}: lines of the refusal", len(done.stderr.strip().splitlines()), 1)
    if status is not None:
        equal(f"{words}: status", done.status, status)
