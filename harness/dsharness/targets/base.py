# SPDX-License-Identifier: GPL-2.0
"""What a target is: something that runs a command where the modules of one build can be loaded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import HarnessError
from ..kernel.build import Build

GUEST_MEMORY_MIB = 512
"""What a guest has unless its work needs more. It takes no more of the host's than it touches."""

Sink = Callable[[bytes], None]
"""Takes output as it arrives, in pieces of any size."""


class GuestError(HarnessError):
    """A guest that crashed, hung or never booted. The message has its console's last lines and the log's path."""


@dataclass
class GuestResult:
    """What a command left behind."""

    status: int
    """Its exit status; 128 + n when signal n killed it."""
    stdout: bytes
    stderr: bytes
    console: Path | None
    """The log of the guest's console, kept; None on the host."""


class Target(ABC):
    """A kernel that runs commands, with the modules that were built for it.

    Call it from the main thread: the guest ends when the thread that started it does.
    """

    name: str

    def __init__(self, build: Build, accel: str | None = None) -> None:
        self.build = build
        self.kernel = build.kernel
        self.accel = accel
        """How QEMU runs the guest: "kvm", "tcg" or "icount"; None elsewhere."""
        self.memory_mib = GUEST_MEMORY_MIB
        """Of the next guest; the host has what it has."""
        self.parameters: tuple[str, ...] = ()
        """What the kernel of the next guest is told besides what it takes to boot; the host's has booted."""
        self.cpu: int | None = None
        """The host's CPU that guests keep to, so that they do not leave their caches; None: any."""
        self.warnings: list[str] = []
        """What results of its guests must tell of the machine, as far as that is known by now."""

    @abstractmethod
    def run(
        self,
        argv: Sequence[str],
        *,
        files: Sequence[Path] = (),
        timeout: float = 300,
        on_stdout: Sink | None = None,
        on_stderr: Sink | None = None,
    ) -> GuestResult:
        """Run a command in the folder of the .ko files, with `files` beside them; `timeout` in seconds.

        GuestError when the guest crashes, hangs or never boots, or when the time is over.
        """

    @abstractmethod
    def shell(self, *, files: Sequence[Path] = ()) -> int:
        """The same, interactive on the terminal of the harness; the exit status of the shell."""


def check_files(files: Sequence[Path]) -> None:
    """HarnessError unless all of them can be put into one folder, side by side."""
    names: dict[str, Path] = {}
    for file in files:
        if not file.is_file():
            raise HarnessError(f"--with {file}: there is no such file")
        if other := names.setdefault(file.name, file):
            if other is not file:
                raise HarnessError(f"--with {file}: {other} has the same name")
