# SPDX-License-Identifier: GPL-2.0
"""The host itself: the running kernel, for who wants his own hardware's numbers. Never chosen unless asked for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from .. import proc
from ..errors import TIMED_OUT, HarnessError
from .base import GuestError, GuestResult, Sink, Target, check_files

POLL_SECONDS = 0.05
MODULES = Path("/proc/modules")
MODULES_DISABLED = Path("/proc/sys/kernel/modules_disabled")
LOCKDOWN = Path("/sys/kernel/security/lockdown")
INSTEAD = "the targets uml and qemu need none of that"


def require() -> None:
    """HarnessError, naming the obstacle, unless modules can be loaded into the running kernel by this user."""
    if not MODULES.exists():
        raise HarnessError(f"target host: the running kernel has no loadable modules ({INSTEAD})")
    if os.geteuid() != 0:
        raise HarnessError(f"target host loads modules into the running kernel: only root may ({INSTEAD})")
    if _read(MODULES_DISABLED) == "1":
        raise HarnessError(f"target host: {MODULES_DISABLED} is 1, no module can be loaded until a reboot ({INSTEAD})")
    lockdown = _read(LOCKDOWN)
    if lockdown and "[none]" not in lockdown:
        raise HarnessError(f"target host: the running kernel is locked down, {lockdown}, unsigned modules fail ({INSTEAD})")


class Host(Target):
    """Runs commands beside the built modules. Nothing is installed: make modules_install does that."""

    name = "host"

    def run(
        self,
        argv: Sequence[str],
        *,
        files: Sequence[Path] = (),
        timeout: float = 300,
        on_stdout: Sink | None = None,
        on_stderr: Sink | None = None,
    ) -> GuestResult:
        output = {"stdout": bytearray(), "stderr": bytearray()}
        sinks = {"stdout": on_stdout, "stderr": on_stderr}
        deadline = time.monotonic() + timeout
        with self._folder(files) as folder, _started(argv, folder) as process, selectors.DefaultSelector() as selector:
            for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr)):
                assert pipe is not None
                selector.register(pipe, selectors.EVENT_READ, name)
            # A background process that the command left may keep its output open, or go on writing: the command's own end
            # counts. What it said last lies in the pipes then, and one reading of each takes all that a pipe holds.
            ended = False
            while not ended:
                ended = process.poll() is not None
                if not ended and time.monotonic() > deadline:
                    raise GuestError(f"the command did not end within {timeout:g} s", TIMED_OUT)
                for key, _ in selector.select(0 if ended else POLL_SECONDS):
                    data = os.read(key.fd, fcntl.fcntl(key.fd, fcntl.F_GETPIPE_SZ))
                    output[key.data] += data
                    if not data:
                        selector.unregister(key.fileobj)
                    elif sink := sinks[key.data]:
                        sink(data)
        status = process.returncode if process.returncode >= 0 else 128 - process.returncode
        return GuestResult(status, bytes(output["stdout"]), bytes(output["stderr"]), console=None)

    def shell(self, *, files: Sequence[Path] = ()) -> int:
        with self._folder(files) as folder:
            previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
            try:
                return subprocess.run(["bash", "-i"], cwd=folder, env=_environment(), check=False).returncode
            finally:
                signal.signal(signal.SIGINT, previous)

    @contextlib.contextmanager
    def _folder(self, files: Sequence[Path]) -> Iterator[Path]:
        """Where commands run: the folder of the modules, or a copy of it with the files put in."""
        check_files(files)
        if not files:
            yield self.build.ko_dir
            return
        with tempfile.TemporaryDirectory(prefix="dsbench-") as copy:
            for file in (*self.build.ko_dir.iterdir(), *files):
                shutil.copy(file, copy)
            yield Path(copy)


def _started(argv: Sequence[str], folder: Path) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """The command; a shell starts it, as in the guests, so that a missing one is reported alike."""
    return proc.child(
        ["/bin/sh", "-c", 'exec "$@"', "sh", *argv],
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _environment() -> dict[str, str]:
    return {**os.environ, "DSBENCH_TARGET": "host"}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
