# SPDX-License-Identifier: GPL-2.0
"""Targets that boot a kernel of their own: the job for a guest, and the watch over a running guest.

All output of a guest arrives in growing files: its console, the command's output, and the report of harness/guest/init. Reading
files needs no thread and loses nothing when the guest dies.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .. import paths, proc, ui
from ..errors import CRASHED, TIMED_OUT, HarnessError
from .base import GuestError, GuestResult, Sink, Target, check_files
from .terminal import Terminal

INIT = paths.HARNESS / "guest" / "init"
POLL_SECONDS = 0.02
POWER_OFF_SECONDS = 5.0
CONSOLE_LINES = 15
CONSOLES_KEPT = 20
"""Number of consoles to keep for each target and kernel; a boot removes older ones."""

_guests = itertools.count(1)
"""Numbers the guests: two of them in one second need different consoles."""

FATAL = re.compile(r"(?:Kernel panic|BUG: |Oops|kernel BUG at |general protection fault|init: |qemu-system).*")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[^\n\t\x20-\x7e\xa0-\U0010ffff]")

Pump = Callable[[bool], None]
"""Transfers pending output and input, for about POLL_SECONDS. Its argument says whether the guest has booted."""


@dataclass(frozen=True)
class Job:
    """The job of one guest, as a folder that harness/guest/init understands."""

    folder: Path
    console: Path
    terminal: Terminal | None = None

    @property
    def stdout(self) -> Path:
        return self.folder / "stdout"

    @property
    def stderr(self) -> Path:
        return self.folder / "stderr"

    @property
    def status(self) -> Path:
        """Path of the report of the guest's init."""
        return self.folder / "status"

    @property
    def described(self) -> tuple[Path, ...]:
        """Files of the folder that the guest reads."""
        return (self.folder / "settings", self.folder / "command", self.folder / "files")


@dataclass
class Growing:
    """A file that the guest appends to."""

    path: Path
    sink: Sink | None = None
    content: bytearray = field(default_factory=bytearray)

    def read(self) -> bytes:
        """Read new data, and pass it on to the sink, too."""
        with self.path.open("rb") as file:
            file.seek(len(self.content))
            new = file.read()
        self.content += new
        if new and self.sink:
            self.sink(new)
        return new


@dataclass
class Report:
    """How far the guest is."""

    file: Growing
    ready: bool = False
    status: int | None = None

    def update(self) -> None:
        """Read new lines. A line counts once it is complete."""
        self.file.read()
        lines = bytes(self.file.content).splitlines(keepends=True)
        for words in (line.split() for line in lines if line.endswith(b"\n")):
            if words == [b"ready"]:
                self.ready = True
            elif len(words) == 2 and words[0] == b"exit":
                self.status = int(words[1])


class _StumbleError(GuestError):
    """The emulator failed before the guest had booted."""


class Guest(Target):
    """A target that boots a guest for each command, and powers it off afterwards."""

    boot_seconds: float
    """Time limit for a guest's boot, in seconds."""

    @abstractmethod
    def _settings(self, job: Job) -> dict[str, str]:
        """Return the additional lines of /job/settings."""

    @abstractmethod
    def _argv(self, job: Job) -> list[str]:
        """Return the command line that boots the guest."""

    def run(
        self,
        argv: Sequence[str],
        *,
        files: Sequence[Path] = (),
        timeout: float = 300,
        on_stdout: Sink | None = None,
        on_stderr: Sink | None = None,
    ) -> GuestResult:
        with self._job("exec", files, None) as job:
            (job.folder / "command").write_bytes(os.fsencode(f"exec {shlex.join(argv)}\n"))
            outputs = Growing(job.stdout, on_stdout), Growing(job.stderr, on_stderr)

            def pump(ready: bool) -> None:
                for output in outputs:
                    output.read()
                time.sleep(POLL_SECONDS)

            status = self._boot(job, pump, timeout)
            stdout, stderr = (bytes(output.content) for output in outputs)
            return GuestResult(status, stdout, stderr, job.console)

    def shell(self, *, files: Sequence[Path] = ()) -> int:
        with Terminal() as terminal, self._job("shell", files, terminal) as job:

            def pump(ready: bool) -> None:
                if ready:
                    terminal.open()
                terminal.pump(POLL_SECONDS)

            return self._boot(job, pump, math.inf)

    @contextlib.contextmanager
    def _job(self, mode: str, files: Sequence[Path], terminal: Terminal | None) -> Iterator[Job]:
        check_files(files)
        with self._folder() as folder:
            job = Job(Path(folder), self._console(), terminal)
            for output in (job.stdout, job.stderr, job.status, job.console):
                output.touch()
            beside = job.folder / "files"
            beside.mkdir()
            for file in files:
                shutil.copy(file, beside)
            settings = {"target": self.name, "mode": mode, **self._settings(job)}
            if terminal:
                settings |= {"TERM": terminal.kind, "window": terminal.window}
            lines = (f"{key}={shlex.quote(value)}\n" for key, value in settings.items())
            (job.folder / "settings").write_text("".join(lines), encoding="utf-8")
            yield job

    @contextlib.contextmanager
    def _folder(self) -> Iterator[str]:
        try:
            made = tempfile.TemporaryDirectory(prefix="dsbench-", ignore_cleanup_errors=True)
        except OSError as error:
            raise HarnessError(f"no folder for the guest's files can be made: {error.strerror} (TMPDIR names another place)") from error
        with made as folder:
            yield folder

    def _console(self) -> Path:
        logs, kind = paths.logs(), f"{self.name}-{self.kernel.release}"
        earlier = sorted(logs.glob(f"{kind}-{'[0-9]' * 8}-{'[0-9]' * 6}-*.console"))
        for console in earlier[: 1 - CONSOLES_KEPT]:
            if not _is_anothers(console):
                console.unlink(missing_ok=True)
        return logs / f"{kind}-{time.strftime('%Y%m%d-%H%M%S')}-{next(_guests):03}-{os.getpid()}.console"

    def _stumbled(self, console: Sequence[str]) -> bool:
        """Return true if a guest that ended during its boot hit a fault of its machine that `_take_turns` avoids."""
        return False

    def _take_turns(self) -> str:
        """Change the machine so that no guest hits the fault again. Return the change as a sentence without its full stop."""
        raise NotImplementedError

    def _boot(self, job: Job, pump: Pump, timeout: float) -> int:
        """Boot the guest, a second time if necessary, and follow it to its end. Return the exit status of its command."""
        try:
            return self._boot_once(job, pump, timeout)
        except _StumbleError:
            first = job.console.rename(job.console.with_stem(f"{job.console.stem}-stumbled"))
            job.console.touch()
            self.warnings.append(self._take_turns())
            ui.warn(f"the {self.name} guest fell over its emulator while it booted ({first}); once more: {self.warnings[-1]}")
            return self._boot_once(job, pump, timeout)

    def _boot_once(self, job: Job, pump: Pump, timeout: float) -> int:
        report = Report(Growing(job.status))
        with self._start(job) as process:
            with ui.step(f"booting {self.name} {self.kernel.release}") if sys.stderr.isatty() else contextlib.nullcontext():
                self._follow(process, job, report, pump, self.boot_seconds, lambda: report.ready)
            self._follow(process, job, report, pump, timeout, lambda: report.status is not None)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(POWER_OFF_SECONDS)
        assert report.status is not None
        return report.status

    def _follow(
        self,
        process: subprocess.Popen[bytes],
        job: Job,
        report: Report,
        pump: Pump,
        seconds: float,
        reached: Callable[[], bool],
    ) -> None:
        """Watch until `reached` is true. GuestError if the guest ends first, or after `seconds`."""
        deadline = time.monotonic() + seconds
        ended = False
        while True:
            report.update()  # Before the output: init reports the end only once all output is there.
            pump(report.ready)
            if reached():
                return
            if ended:
                raise self._crashed(job, report, process.returncode)
            if time.monotonic() > deadline:
                raise self._late(job, report, seconds)
            ended = process.poll() is not None  # and once more round, for what it said last

    @contextlib.contextmanager
    def _start(self, job: Job) -> Iterator[subprocess.Popen[bytes]]:
        bound = [] if self.cpu is None else ["taskset", "--cpu-list", str(self.cpu)]
        with (
            job.console.open("ab") as log,
            proc.child(
                proc.killable([*bound, *self._argv(job)]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=job.folder,
                pass_fds=[job.terminal.guest_end] if job.terminal else [],
            ) as process,
        ):
            yield process

    def _reason(self, console: Sequence[str]) -> str:
        """Return why the guest ended, from its console; "" if it does not say."""
        return next((found[0] for line in console if (found := FATAL.search(line))), "")

    def _crashed(self, job: Job, report: Report, status: int) -> GuestError:
        console = console_lines(job.console)
        reason = self._reason(console) or _of_status(status)
        when = "before its command did" if report.ready else "while it booted"
        kind = _StumbleError if not report.ready and self._stumbled(console) else GuestError
        return self._error(f"the {self.name} guest ended {when}: {reason}", CRASHED, job, kind)

    def _late(self, job: Job, report: Report, seconds: float) -> GuestError:
        what = "the command did not end" if report.ready else f"the {self.name} guest did not boot"
        return self._error(f"{what} within {seconds:g} s", TIMED_OUT, job)

    def _error(self, what: str, exit_code: int, job: Job, kind: type[GuestError] = GuestError) -> GuestError:
        last = console_lines(job.console)[-CONSOLE_LINES:]
        shown = "\n".join(f"  | {line}" for line in last) or "  | (nothing)"
        return kind(f"{what}; the last lines of its console, {job.console}:\n{shown}", exit_code)


def _of_status(status: int) -> str:
    """Return what the exit status of a guest's process tells where its console tells nothing."""
    if status in (-signal.SIGKILL, 128 + signal.SIGKILL):
        return "it was killed, by the kernel if memory was short (dmesg), or by its container"
    return f"no reason given, its status was {status}"


def _is_anothers(console: Path) -> bool:
    """Return true if another running dsbench wrote this console and may still read it."""
    maker = console.stem.rpartition("-")[2]
    return maker != str(os.getpid()) and Path("/proc", maker).exists()


def console_lines(log: Path) -> list[str]:
    """Return the lines of the console without control sequences."""
    text = CONTROL.sub("", log.read_text(encoding="utf-8", errors="replace"))
    return [line.rstrip() for line in text.splitlines() if line.strip()]
