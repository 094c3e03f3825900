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
from dataclasses import dataclass
from pathlib import Path

from .. import paths, proc, texts, ui
from ..errors import CRASHED, TIMED_OUT, HarnessError
from .base import GuestError, GuestResult, Sink, Target, check_files
from .input import Input
from .terminal import Terminal

INIT = paths.HARNESS / "guest" / "init"
POLL_SECONDS = 0.02
POWER_OFF_SECONDS = 5.0
CONSOLE_LINES = 15
BLOCK = 1 << 20
FREED_AT_ONCE = 64 << 20
"""Bytes of output that are read at once, and whose disk space is given back at once."""
CONSOLES_KEPT = 20
"""Number of consoles to keep for each target and kernel; a boot removes older ones."""

_guests = itertools.count(1)
"""Numbers the guests: two of them in one second need different consoles."""

FATAL = re.compile(r"(?:Kernel panic|BUG: |Oops|kernel BUG at |general protection fault|init: |qemu-system).*")
EXIT_STATUS = re.compile(rb"[0-9]{1,3}")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[^\n\t\x20-\x7e\xa0-\U0010ffff]")

@dataclass(frozen=True)
class Job:
    """The job of one guest, as a folder that harness/guest/init understands."""

    folder: Path
    console: Path
    terminal: Terminal | None = None
    input: Input | None = None

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


class Growing:
    """A file that the guest appends to. Its content goes to the sink, or is kept if there is none."""

    def __init__(self, path: Path, sink: Sink | None = None) -> None:
        self._path = path
        self._sink = sink
        self._taken = 0
        self._freed = 0
        self.content = bytearray()

    def read(self) -> None:
        """Take all data that the file has now."""
        with self._path.open("rb") as file:
            end = os.fstat(file.fileno()).st_size
            file.seek(self._taken)
            while self._taken < end and (block := file.read(min(BLOCK, end - self._taken))):
                self._taken += len(block)
                if self._sink:
                    self._sink(block)
                else:
                    self.content += block
        if self._sink and self._taken - self._freed >= FREED_AT_ONCE:
            self._free()

    def _free(self) -> None:
        """Give back the disk space of data that the sink has. The guest appends at its own offset, so the size must stay."""
        argv = ["fallocate", "--punch-hole", f"--offset={self._freed}", f"--length={self._taken - self._freed}", str(self._path)]
        subprocess.run(argv, check=False, capture_output=True)  # some file systems cannot: then the data stays until the end
        self._freed = self._taken


class Report:
    """How far the guest is."""

    def __init__(self, path: Path) -> None:
        self.ready = False
        self.status: int | None = None
        self.requests = 0
        """How many pieces of input the guest has asked for."""
        self._file = Growing(path, self._take)
        self._rest = b""

    def update(self) -> None:
        """Read new lines. A line counts once it is complete. GuestError for an exit without a status."""
        self._file.read()

    def _take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            words = line.split()
            if words == [b"ready"]:
                self.ready = True
            elif words == [b"input"]:
                self.requests += 1
            elif words[:1] == [b"exit"]:
                if len(words) != 2 or not EXIT_STATUS.fullmatch(words[1]):
                    shown = texts.quoted(line.decode(errors="replace"))
                    raise GuestError(f"the guest's report is damaged: it has the line {shown}", CRASHED)
                self.status = int(words[1])


Pump = Callable[[Report], None]
"""Transfers pending output and input, and waits for up to POLL_SECONDS. It gets the guest's report."""


class _StumbleError(GuestError):
    """The emulator failed before the guest had booted."""


class Guest(Target):
    """A target that boots a guest for each command, and powers it off afterwards."""

    boot_seconds: float
    """Time limit for a guest's boot, in seconds."""

    @abstractmethod
    def _input(self, source: int, folder: Path) -> Input:
        """Return the way of standard input into the guest, by way of `folder`, that of the job."""

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
        stdin: int | None = None,
    ) -> GuestResult:
        with self._job("exec", files, None, stdin) as job:
            (job.folder / "command").write_bytes(os.fsencode(f"exec {shlex.join(argv)}\n"))
            outputs = Growing(job.stdout, on_stdout), Growing(job.stderr, on_stderr)

            def pump(report: Report) -> None:
                for output in outputs:
                    output.read()
                if job.input:
                    job.input.serve(report.requests)
                time.sleep(job.input.pause if job.input else POLL_SECONDS)

            status = self._boot(job, pump, timeout)
            stdout, stderr = (bytes(output.content) for output in outputs)
            return GuestResult(status, stdout, stderr, job.console)

    def shell(self, *, files: Sequence[Path] = ()) -> int:
        with Terminal() as terminal, self._job("shell", files, terminal) as job:

            def pump(report: Report) -> None:
                if report.ready:
                    terminal.open()
                terminal.pump(POLL_SECONDS)

            return self._boot(job, pump, math.inf)

    @contextlib.contextmanager
    def _job(self, mode: str, files: Sequence[Path], terminal: Terminal | None, stdin: int | None = None) -> Iterator[Job]:
        check_files(files)
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(self._folder())
            source = self._input(stdin, Path(folder)) if stdin is not None else None
            if source:
                stack.callback(source.close)
            job = Job(Path(folder), self._console(), terminal, source)
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
        report = Report(job.status)
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
            pump(report)
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
