# SPDX-License-Identifier: GPL-2.0
"""Standard input, output and error, in whatever state the caller left them: closed, full, without a reader, or in an old encoding.

A command always does its work to the end. Output that cannot be written is dropped; close() then reports standard output once.
Files are UTF-8 in every locale. The console gets the locale's encoding, with a replacement for each character that it lacks.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import locale
import os
import select
import signal
import sys
from typing import TYPE_CHECKING, TextIO

from .errors import HarnessError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

REPLACEMENTS = {"…": "...", "±": "+-", "×": "x", "÷": "/", "µ": "u", "σ": "sigma", "↑": "^"}
"""Texts in ASCII for our own characters. All others become "?"."""
REPLACED = "dsbench.replaced"
"""The name of the error handler for codecs that uses them."""
UTF_8 = "utf-8"


class _Raw(io.FileIO):
    """A descriptor that takes all output. It keeps the first error, and drops what follows."""

    error: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        size = memoryview(data).nbytes
        if self.error:
            return size
        try:
            while (count := super().write(data)) is None:  # non-blocking, too
                select.select([], [self], [])
            return count
        except OSError as error:
            self.error = error
            return size


def prepare() -> None:
    """Replace the standard streams of this process. The program calls it first, before anything opens a file."""
    _open_closed()
    codecs.register_error(REPLACED, _replaced)
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        raw = _Raw(descriptor, "w", closefd=False)
        buffer = io.BufferedWriter(raw)
        setattr(sys, name, io.TextIOWrapper(buffer, console_encoding(), REPLACED, line_buffering=raw.isatty() or descriptor == 2))


def console_encoding() -> str:
    """Return the encoding of the locale. The C locale does not name one, and most of its terminals are UTF-8 today."""
    name = locale.nl_langinfo(locale.CODESET)
    with contextlib.suppress(LookupError):
        found = codecs.lookup(name).name
        return UTF_8 if found == "ascii" else found
    return UTF_8


def shown(text: str, encoding: str) -> str:
    """Return the text as a console with this encoding shows it, so that its width can be measured."""
    return text if encoding.startswith("utf") else text.encode(encoding, REPLACED).decode(encoding)


def close(status: int) -> int:
    """Write what is buffered. Return the exit status: that of the command, unless its output was lost."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    lost = _error(sys.stdout)
    if status or not lost:
        return status
    if isinstance(lost, BrokenPipeError):  # The reader has seen enough, as `head` has.
        return 128 + signal.SIGPIPE
    print(f"dsbench: {unwritable('standard output', lost)}", file=sys.stderr, flush=True)
    return 1


def pass_on(descriptor: int, data: bytes) -> None:
    """Write bytes to a descriptor of this process as they are. BrokenPipeError if nobody reads them, HarnessError for another reason."""
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:  # another process has made the file non-blocking
            select.select([], [descriptor], [])
        except BrokenPipeError:
            raise
        except OSError as error:
            raise HarnessError(unwritable({1: "standard output", 2: "standard error"}.get(descriptor, "output"), error)) from error


def unwritable(what: str, error: OSError) -> str:
    """Return the sentence for output that is lost."""
    return f"{what} is closed" if error.errno == errno.EBADF else f"{what} cannot be written: {error.strerror}"


def _open_closed() -> None:
    """Open the standard descriptors that the caller closed, or the next open file would become one.

    Standard output is opened for reading only, so that writing still fails. Nothing is lost without standard input or error.
    """
    for descriptor, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            opened = os.open(os.devnull, mode)  # takes the lowest free number
            os.set_inheritable(opened, True)


def _error(stream: TextIO) -> OSError | None:
    raw = getattr(stream.buffer, "raw", None)
    return raw.error if isinstance(raw, _Raw) else None


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(REPLACEMENTS.get(letter, "?") for letter in lost), error.end
