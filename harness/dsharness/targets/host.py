# SPDX-License-Identifier: GPL-2.0
"""The host: the running kernel, for measurements on the user's own hardware. It runs only when it is asked for."""

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
from ..kernel.build import Build
from . import hostlock
from .base import GuestError, GuestResult, Sink, Target, check_files

POLL_SECONDS = 0.05
CORE = "dsbench"
MODULES = Path("/proc/modules")
MODULES_DISABLED = Path("/proc/sys/kernel/modules_disabled")
LOCKDOWN = Path("/sys/kernel/security/lockdown")
INSTEAD = "the targets uml and qemu need none of that"


def require() -> None:
    """HarnessError with the obstacle, unless this user can load modules into the running kernel."""
    if not MODULES.exists():
        raise HarnessError(f"target host: the running kernel has no loadable modules ({INSTEAD})")
    if os.geteuid() != 0:
        raise HarnessError(f"target host loads modules into the running kernel: only root may ({INSTEAD})")
    if _read(MODULES_DISABLED) == "1":
        raise HarnessError(f"target host: {MODULES_DISABLED} is 1, no module can be loaded until a reboot ({INSTEAD})")
    lockdown = _read(LOCKDOWN)
    if lockdown and "[none]" not in lockdown:
        raise HarnessError(f"target host: the running kernel is locked down, {lockdown}, unsigned modules fail ({INSTEAD})")


def loaded() -> list[str]:
    """Return the loaded modules of dsbench, users before the modules that they use, as rmmod needs them."""
    with contextlib.suppress(FileNotFoundError):
        names = [line.split()[0] for line in MODULES.read_text(encoding="ascii").splitlines()]
        return sorted((name for name in names if name == CORE or name.startswith(f"{CORE}_")), key=lambda name: name == CORE)
    return []


def require_unloaded() -> None:
    """HarnessError if modules of dsbench are loaded: they are the user's, and nothing else may remove them."""
    if present := loaded():
        raise HarnessError(f"{', '.join(present)} loaded already: make unload removes them")


class Host(Target):
    """Runs commands beside the built modules. It installs nothing; make modules_install does."""

    name = "host"

    def __init__(self, build: Build) -> None:
        super().__init__(build)
        hostlock.claim()

    def prepare_run(self) -> None:
        require_unloaded()

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
        output = {"stdout": bytearray(), "stderr": bytearray()}
        sinks = {"stdout": on_stdout, "stderr": on_stderr}
        deadline = time.monotonic() + timeout
        with self._folder(files) as folder, _started(argv, folder, stdin) as process, selectors.DefaultSelector() as selector:
            for name, pipe in (("stdout", process.stdout), ("stderr", process.stderr)):
                assert pipe is not None
                selector.register(pipe, selectors.EVENT_READ, name)
            # A background process of the command may keep its output open. The command's own end counts: its last output is in
            # the pipes by then, and one read of each pipe takes all of it.
            ended = False
            while not ended:
                ended = process.poll() is not None
                if not ended and time.monotonic() > deadline:
                    raise GuestError(f"the command did not end within {timeout:g} s", TIMED_OUT)
                for key, _ in selector.select(0 if ended else POLL_SECONDS):
                    data = os.read(key.fd, fcntl.fcntl(key.fd, fcntl.F_GETPIPE_SZ))
                    if not data:
                        selector.unregister(key.fileobj)
                    elif sink := sinks[key.data]:
                        sink(data)
                    else:
                        output[key.data] += data
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
        """Provide the folder that commands run in: that of the modules, or a copy of it with the files added."""
        check_files(files)
        if not files:
            yield self.build.ko_dir
            return
        with tempfile.TemporaryDirectory(prefix="dsbench-") as copy:
            for file in (*self.build.ko_dir.iterdir(), *files):
                shutil.copy(file, copy)
            yield Path(copy)


def _started(argv: Sequence[str], folder: Path, stdin: int | None) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """Return the command, started by a shell as in the guests, so that a missing command is reported alike."""
    return proc.child(
        ["/bin/sh", "-c", 'exec "$@"', "sh", *argv],
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL if stdin is None else stdin,
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
