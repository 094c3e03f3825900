# SPDX-License-Identifier: GPL-2.0
"""A target: it runs a command where the modules of one build can be loaded."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import HarnessError
from ..kernel.build import Build

GUEST_MEMORY_MIB = 512
"""Default memory of a guest, in MiB. The guest uses no more of the host's memory than it touches."""

Sink = Callable[[bytes], None]
"""Takes output as it arrives, in pieces of any size."""


class GuestError(HarnessError):
    """A guest crashed, hung or did not boot. The message has the last lines of its console and the path of its log."""


@dataclass
class GuestResult:
    """What a command left behind."""

    status: int
    """Exit status of the command; 128 + n if signal n killed it."""
    stdout: bytes
    """Empty if a sink took it; stderr, too."""
    stderr: bytes
    console: Path | None
    """Log of the guest's console, kept; None on the host."""


class Target(ABC):
    """A kernel that runs commands, with the modules built for it.

    The guest ends with the thread that started it.
    """

    name: str

    def __init__(self, build: Build, accel: str | None = None) -> None:
        self.build = build
        self.kernel = build.kernel
        self.accel = accel
        """Accelerator of QEMU: "kvm", "tcg" or "icount"; None for other targets."""
        self.memory_mib = GUEST_MEMORY_MIB
        """Memory of the next guest, in MiB. The host ignores it."""
        self.parameters: tuple[str, ...] = ()
        """Additional parameters for the kernel of the next guest. The host ignores them."""
        self.cpu: int | None = None
        """The host's CPU that guests are bound to, so that they keep their caches; None for any CPU."""
        self.warnings: list[str] = []
        """Warnings about the machine that results of its guests must include, as far as they are known."""

    def prepare_run(self) -> None:
        """Check that a script may load the modules. HarnessError if they are loaded, which they are in no guest."""

    @abstractmethod
    def run(
        self,
        argv: Sequence[str],
        *,
        files: Sequence[Path] = (),
        timeout: float = 300,
        on_stdout: Sink | None = None,
        on_stderr: Sink | None = None,
        stdin: int | None = None,
    ) -> GuestResult:
        """Run a command in the folder of the .ko files, with `files` beside them. `timeout` is in seconds.

        `stdin` is a file descriptor with its standard input, which is not a terminal; None for an empty one. The result does not keep
        output that a sink has taken.

        GuestError if the guest crashes, hangs or does not boot, or if the time is over.
        """

    @abstractmethod
    def shell(self, *, files: Sequence[Path] = ()) -> int:
        """Run an interactive shell on the terminal of the harness. Return its exit status."""


def check_files(files: Sequence[Path]) -> None:
    """HarnessError unless all files fit into one folder, side by side."""
    names: dict[str, Path] = {}
    for file in files:
        if not file.is_file():
            raise HarnessError(f"--with {file}: there is no such file")
        if other := names.setdefault(file.name, file):
            if other is not file:
                raise HarnessError(f"--with {file}: {other} has the same name")
