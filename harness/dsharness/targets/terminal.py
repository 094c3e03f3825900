# SPDX-License-Identifier: GPL-2.0
"""The terminal of an interactive guest: a pseudo terminal between the user's terminal and the guest's.

The guest never touches the user's terminal, so the harness can always restore it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import sys
import termios
import tty
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from .. import streams

ESCAPE = b"\x1d"
"""^]: ends the guest immediately, as in telnet."""

CHUNK = 4096
END_OF_INPUT = b"\x04"


class Terminal:
    """Transfers bytes between standard input and output and `guest_end`; raw after open()."""

    def __init__(self) -> None:
        self._stdin = sys.stdin.fileno()
        self._stdout = sys.stdout.fileno()
        self._own, self.guest_end = pty.openpty()
        os.set_blocking(self._own, False)
        self._opened = False
        self._listening = False
        self._pending = b""
        self._saved: list[Any] | None = None
        self._handler: Any = None

    def __enter__(self) -> "Terminal":
        tty.setraw(self.guest_end)
        self._resize()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._saved is not None:
            signal.signal(signal.SIGWINCH, self._handler)
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._stdin, termios.TCSADRAIN, self._saved)
        os.close(self._own)
        os.close(self.guest_end)

    @property
    def guest_path(self) -> Path:
        """The guest's end by name."""
        return Path(os.ttyname(self.guest_end))

    @property
    def kind(self) -> str:
        """Name of the user's terminal in terminfo."""
        return os.environ.get("TERM") or "dumb"

    @property
    def window(self) -> str:
        """Rows and columns of the user's terminal: "24 80"."""
        columns, rows = shutil.get_terminal_size()
        return f"{rows} {columns}"

    def open(self) -> None:
        """Start to pass input on. Until then ^C interrupts the harness."""
        if self._opened:
            return
        self._opened = self._listening = True
        if os.isatty(self._stdin):
            self._saved = termios.tcgetattr(self._stdin)
            self._handler = signal.signal(signal.SIGWINCH, self._resize)
            tty.setraw(self._stdin)

    def pump(self, seconds: float) -> None:
        """Transfer pending bytes in both directions, waiting up to `seconds`. KeyboardInterrupt on ESCAPE."""
        inputs = [self._own]
        if self._listening and not self._pending:
            inputs.append(self._stdin)
        outputs = [self._own] if self._pending else []
        readable, writable, _ = select.select(inputs, outputs, [], seconds)
        if self._own in readable:
            self._pass_output()
        if self._stdin in readable:
            self._take_input()
        if writable:
            self._pending = self._pending[os.write(self._own, self._pending) :]

    def _pass_output(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._own, CHUNK):
                streams.pass_on(self._stdout, data)

    def _take_input(self) -> None:
        data = os.read(self._stdin, CHUNK)
        if self._saved is not None and ESCAPE in data:
            raise KeyboardInterrupt
        self._listening = bool(data)
        self._pending = data or END_OF_INPUT

    def _resize(self, number: int = 0, frame: FrameType | None = None) -> None:
        """Set the guest's end to the size of the user's window."""
        columns, rows = shutil.get_terminal_size()
        fcntl.ioctl(self.guest_end, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
