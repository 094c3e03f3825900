# SPDX-License-Identifier: GPL-2.0
"""Child processes that never outlive the harness.

Each runs in a session of its own, so that one signal reaches all of its descendants. `setpriv --pdeathsig` ends it even if the
harness itself is killed.
"""

from __future__ import annotations

import collections
import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .errors import HarnessError

GRACE_SECONDS = 3.0
TAIL_LINES = 20

ENGLISH = {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"}
"""Variables by which programs print the words that the harness looks for."""

Arg = str | os.PathLike[str]

_children: set[subprocess.Popen[bytes]] = set()


@dataclass(frozen=True)
class Finished:
    """Result of a child: its exit status (negative: the signal that killed it) and the last lines of its output."""

    status: int
    tail: tuple[str, ...]

    @property
    def last(self) -> str:
        """The last line, or the status if there is none."""
        return next((line.strip() for line in reversed(self.tail) if line.strip()), f"status {self.status}")


def build_environment() -> dict[str, str]:
    """Return the environment for compilers: no variables of a make that called the harness, no private Python, messages in English."""
    kept = {name: value for name in ("HOME", "TMPDIR") if (value := os.environ.get(name))}
    return {
        **kept,
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
        "KBUILD_BUILD_USER": "dsbench",
        "KBUILD_BUILD_HOST": "dsbench",
    }


def english() -> dict[str, str]:
    """Return the user's environment with messages in English and texts in UTF-8: for programs whose output the harness reads."""
    return {**os.environ, **ENGLISH}


def tied(argv: Sequence[Arg]) -> list[str]:
    """Return `argv` so that the kernel ends it when its parent, this process, dies.

    The parent may die before setpriv has asked for the signal. So a shell then checks that it is still there.
    """
    check = '[ "$PPID" = "$0" ] || exit 143; exec "$@"'
    return ["setpriv", "--pdeathsig", "TERM", "--", "sh", "-c", check, str(os.getpid()), *(os.fspath(arg) for arg in argv)]


def killable(argv: Sequence[Arg]) -> list[str]:
    """Return `argv` so that a request to end kills it with all its descendants: for programs that may be unable to end themselves.

    A UML kernel that receives its signal while the guest computes can wait forever for a lock that the guest holds. It creates a
    session of its own, whose group has its number.
    """
    kill = 'kill -s KILL -- -$! 2>/dev/null; kill -s KILL 0'
    return ["sh", "-c", f"trap '{kill}' TERM; \"$@\" & wait $!", "sh", *(os.fspath(arg) for arg in argv)]


@contextlib.contextmanager
def child(argv: Sequence[Arg], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a child for the duration of the block. Every exit from the block ends its whole session and waits for it."""
    with subprocess.Popen(tied(argv), start_new_session=True, **options) as process:
        _children.add(process)
        try:
            yield process
        finally:
            _children.discard(process)
            end_group(process)


def end_children() -> None:
    """End all children that run now, those of other threads, too, which see that they have ended."""
    for process in list(_children):
        if process.poll() is None:
            end_group(process)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End a session leader and its descendants, first by SIGTERM, and reap it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=GRACE_SECONDS)


def stream(
    argv: Sequence[Arg],
    *,
    log: Path | None = None,
    on_line: Callable[[str], None] | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: IO[bytes] | int | None = subprocess.DEVNULL,
) -> Finished:
    """Run a command to its end. Each line of its output goes to `log` (appended) and `on_line`."""
    tail: collections.deque[str] = collections.deque(maxlen=TAIL_LINES)
    with contextlib.ExitStack() as stack:
        sink: IO[str] | None = stack.enter_context(log.open("a", encoding="utf-8")) if log else None
        process = stack.enter_context(
            child(argv, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd, env=env)
        )
        assert process.stdout is not None
        for raw in process.stdout:
            line = raw.decode(errors="replace").rstrip("\n")
            tail.append(line)
            if sink:
                print(line, file=sink)
            if on_line:
                on_line(line)
        process.wait()
    return Finished(process.returncode, tuple(tail))


def check(argv: Sequence[Arg], *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Return the standard output of a short command. HarnessError with the last line of its error output if it fails."""
    with child(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd, env=env
    ) as process:
        out, complaint = process.communicate()
    if process.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines() or [f"status {process.returncode}"]
        raise HarnessError(f"{os.fspath(argv[0])} failed: {lines[-1]}")
    return out.decode(errors="replace")
