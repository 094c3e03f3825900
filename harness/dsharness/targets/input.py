# SPDX-License-Identifier: GPL-2.0
"""Standard input of the command in a guest, in pieces that the guest asks for. An empty piece is the end.

Only so much is under way as the guest has asked for: a serial line loses what its reader does not take in time, and a command that
reads nothing takes nothing from those that follow it.
"""

from __future__ import annotations

import os
import select
import time
from abc import ABC, abstractmethod
from pathlib import Path

from ..errors import HarnessError

EAGER_SECONDS, EAGER_PAUSE, PAUSE = 0.1, 0.001, 0.02
"""How long after a piece the next request is awaited eagerly, and the pauses between two looks then and otherwise, in seconds."""

MOST_AT_ONCE = 32 << 20
AT_ONCE_SECONDS = 0.1
"""Bytes of input that a guest boots with at most, and how long the next of them may take."""


class Input(ABC):
    """Passes on what `source`, a file descriptor of the harness, provides."""

    piece: int
    """Most bytes of a piece."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._served = 0
        self._last = -EAGER_SECONDS

    @abstractmethod
    def _send(self, data: bytes) -> None:
        """Pass on one piece."""

    @property
    def pause(self) -> float:
        """How long to wait until the guest may have asked again, in seconds."""
        return EAGER_PAUSE if time.monotonic() - self._last < EAGER_SECONDS else PAUSE

    def serve(self, requests: int) -> None:
        """Send a piece if the guest has made more requests than were served, and if there is input or its end."""
        if requests == self._served or not self._is_readable(0):
            return
        data = self._read()
        self._served += 1
        self._last = time.monotonic()
        self._send(data)

    def _is_readable(self, seconds: float) -> bool:
        """Return true if there is input or its end within `seconds`."""
        return bool(select.select([self._source], [], [], seconds)[0])

    def _read(self) -> bytes:
        try:
            return os.read(self._source, self.piece)
        except OSError as error:
            raise HarnessError(f"standard input cannot be read: {error.strerror}") from error

    @abstractmethod
    def close(self) -> None:
        """Release what the pieces pass through."""


class Serial(Input):
    """A file with the input that is there at once, for the guest to boot with, and a FIFO that is a serial line in the guest.

    A piece is a line with its size, then its bytes. An emulated serial line passes some 50 KB a second: hence the file.
    """

    piece = 32768
    """With its size less than a FIFO holds, and than the kernel keeps for a serial line."""

    def __init__(self, source: int, fifo: Path, head: Path) -> None:
        super().__init__(source)
        self.head = head
        self.ended = False
        """Whether the file has the whole input."""
        with head.open("wb") as file:
            while not self.ended and file.tell() < MOST_AT_ONCE and self._is_readable(AT_ONCE_SECONDS):
                file.write(data := self._read())
                self.ended = not data
        os.mkfifo(fifo, 0o600)
        self._fifo = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)

    def _send(self, data: bytes) -> None:
        os.write(self._fifo, b"%d\n%s" % (len(data), data))

    def close(self) -> None:
        os.close(self._fifo)


class Files(Input):
    """A folder that the guest sees, with a file for each piece: 1, 2 and so on. The guest removes them.

    A line of UML is no choice: it passes single bytes, and stops for ever once its reader has let it fill.
    """

    piece = 1 << 20

    def __init__(self, source: int, folder: Path) -> None:
        super().__init__(source)
        self._folder = folder
        folder.mkdir()

    def _send(self, data: bytes) -> None:
        part = self._folder / "part"
        part.write_bytes(data)
        part.rename(self._folder / str(self._served))

    def close(self) -> None:
        """Leave the files: they go with the job's folder."""
