# SPDX-License-Identifier: GPL-2.0
"""Messages and progress, on standard error: standard output belongs to results.

On a terminal, the innermost step is one live line with its elapsed time. Elsewhere (a log, CI) it is a line at its start, a line
now and then, and a line at its end.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from types import TracebackType

REDRAW_SECONDS = 0.2
PLAIN_SECONDS = 15.0
LEAST_SHARE = 0.01
"""Minimum share done before the remaining time is estimated."""

_lock = threading.RLock()
_running: list["Progress"] = []


def say(text: str) -> None:
    """Print a line without disturbing the live one."""
    with _lock:
        _erase()
        print(text, file=sys.stderr, flush=True)


def warn(text: str) -> None:
    """Print a warning, which should say what to do."""
    say(f"warning: {text}")


def duration(seconds: float) -> str:
    """Return a duration for people: "0.4 s", "12 s", "3 min 05 s"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


class Progress:
    """Progress of a job: `with Progress("compiling", total=700) as p: p.update(12, "mm/slab.o")`.

    Without a total, only the elapsed time is shown. With `estimate`, the total counts parts of about equal duration that mean nothing
    to the reader, so the share and the remaining time are shown. Updates are safe from any thread.
    """

    def __init__(self, what: str, total: int | None = None, unit: str = "", *, estimate: bool = False) -> None:
        self.what = what
        self.total = total
        self.unit = unit
        self.estimate = estimate
        self.done = 0
        self.note = ""
        self._began = time.monotonic()
        self._shown = self._began
        self._over = threading.Event()
        self._painter = threading.Thread(target=self._repaint, daemon=True)

    def __enter__(self) -> "Progress":
        self._began = self._shown = time.monotonic()
        with _lock:
            _running.append(self)
            if not _live():
                say(f"{self.what} ...")
        self._painter.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._painter.join()
        with _lock:
            _erase()
            _running.remove(self)
            verdict = "done in" if kind is None else "interrupted after" if kind is KeyboardInterrupt else "stopped after"
            say(f"{self.what}: {verdict} {duration(time.monotonic() - self._began)}")

    def update(self, done: int, note: str = "") -> None:
        """Set the number of finished parts; `note` describes the newest."""
        with _lock:
            self.done = done
            self.note = note

    def advance(self, note: str = "", count: int = 1) -> None:
        """One more is finished, or `count`."""
        with _lock:
            self.done += count
            self.note = note

    def _repaint(self) -> None:
        while not self._over.wait(REDRAW_SECONDS):
            with _lock:
                if _running[-1] is self and not self._over.is_set():
                    self._show()

    def _show(self) -> None:
        now = time.monotonic()
        if _live():
            _erase()
            columns = shutil.get_terminal_size().columns
            sys.stderr.write(self._line()[: columns - 1])
            sys.stderr.flush()
        elif now - self._shown >= PLAIN_SECONDS:
            self._shown = now
            say(self._line())

    def _line(self) -> str:
        seconds = time.monotonic() - self._began
        elapsed = duration(seconds)
        parts = [f"{self.what}: "]
        share = min(self.done / self.total, 1.0) if self.total else 0.0
        if self.total and self.estimate:
            left = f", about {duration(seconds * (1 - share) / share)} left" if share >= LEAST_SHARE else ""
            parts.append(f"{share:4.0%}, ")
            elapsed += left
        elif self.total:
            parts.append(f"{share:4.0%} ({self.done}/{self.total}{' ' if self.unit else ''}{self.unit}), ")
        elif self.done:
            parts.append(f"{self.done}{' ' if self.unit else ''}{self.unit}, ")
        parts.append(elapsed)
        if self.note:
            parts.append(f"  {self.note}")
        return "".join(parts)


@contextlib.contextmanager
def step(what: str) -> Iterator[None]:
    """Show the name and the elapsed time of a job of unknown length."""
    with Progress(what):
        yield


def _live() -> bool:
    return sys.stderr.isatty()


def _erase() -> None:
    if _running and _live():
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()
