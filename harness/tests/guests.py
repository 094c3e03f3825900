# SPDX-License-Identifier: GPL-2.0
"""Runs the scripts of many tests in one guest, and reads the table of /proc/dsbench.

A test declares its script and takes the script's standard output:

    @script("insmod dsbench.ko n=50 && cat /proc/dsbench")
    def test_something(output: str) -> None:
        assert rows(output)

Its module has `pytest_plugins = ["guests"]` and a fixture `target`. The first of these tests boots a guest, which runs the
scripts of all selected tests of that module and target; scripts.sh restores the guest's state after each script. A test
fails if its script hangs, ends the guest, makes the kernel complain, leaves something behind or has another exit status
than declared. The tests whose scripts can't run any more name the test at fault.

results/samples.py does not read the table here: tests check the kernel's words ("-", "below_resolution"), several tables
in one output, and tables among other output, which results/samples.py rejects as damaged.
"""

from __future__ import annotations

import inspect
import math
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import TypeVar

import pytest
from dsharness.targets import GuestError, Target

CONTAINERS = ("list", "hashtable", "rbtree", "xarray", "maple", "rhashtable", "llist", "idr", "sorted_array")
OPS = ("fill", "find", "for_each", "erase")
FLOORS = ("empty", "walk", "random", "chase")
ABSENT = frozenset({("llist", "find"), ("sorted_array", "erase")})
CELLS = sorted({(container, op) for container in CONTAINERS for op in OPS} - ABSENT)
"""The rows of a run of all containers and operations."""

RUN = "/sys/kernel/debug/dsbench/run"
SAMPLES = "/sys/kernel/debug/dsbench/samples"
RESULTS = "/sys/kernel/debug/dsbench/results"
PARAMETERS = "/sys/module/dsbench/parameters"

TROUBLE = ("BUG:", "WARNING:", "Oops", "Call Trace", "soft lockup", "blocked for more than", "scheduling while atomic")
"""Words in the kernel's log that fail every test."""

DRIVER = Path(__file__).with_name("scripts.sh")
BROKEN = Path(__file__).with_name("broken")
MARK = re.compile(rb"\n@script (\d+) (\w+) ?(\d*)\n")
SECONDS = 120.0
"""Time limit of a script and the clean-up after it, in seconds of the host."""

F = TypeVar("F", bound=Callable[..., None])


@dataclass(frozen=True)
class Script:
    """The script of one test."""

    text: str | Callable[..., str]
    """A POSIX shell script, or a function that makes it of those parameters of the test that it names."""
    status: int
    """Expected exit status."""
    timeout: float
    """Time limit of the script and the clean-up after it, in seconds of the host."""
    broken: bool
    """Whether the script loads a module of broken/."""
    files: tuple[Path, ...]
    """Files that the script finds in its folder."""

    def of(self, item: pytest.Function) -> str:
        """The text for this case of the test."""
        if isinstance(self.text, str):
            return self.text
        return self.text(**{name: item.callspec.params[name] for name in inspect.signature(self.text).parameters})


def script(
    text: str | Callable[..., str], *, status: int = 0, timeout: float = SECONDS, broken: bool = False, files: Sequence[Path] = ()
) -> Callable[[F], F]:
    """Declare the script of a test."""

    def declare(test: F) -> F:
        setattr(test, "script", Script(text, status, timeout, broken, tuple(files)))
        return test

    return declare


@pytest.fixture(scope="module")
def sessions() -> dict[int, "Session"]:
    """The sessions of a test module, by the identity of their target."""
    return {}


@pytest.fixture
def output(
    request: pytest.FixtureRequest, target: Target, sessions: dict[int, "Session"], tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Standard output of the script of this test, whose session runs if it has not run yet."""
    if id(target) not in sessions:
        sessions[id(target)] = Session(target, _scripts_beside(request.node))
        sessions[id(target)].run(tmp_path_factory.mktemp("session"))
    session = sessions[id(target)]
    text = session.output(request.node.name)
    request.node.user_properties.append(("guest_seconds", round(session.seconds(request.node.name), 2)))
    return text


def _scripts_beside(node: pytest.Function) -> dict[str, tuple[Script, str]]:
    """The scripts of the selected tests that share the guest of this test."""
    items = (item for item in node.session.items if isinstance(item, pytest.Function) and item.module is node.module)
    return {
        item.name: (declared, declared.of(item))
        for item in items
        if (declared := getattr(item.function, "script", None)) and _target_of(item) == _target_of(node)
    }


def _target_of(item: pytest.Function) -> object:
    """The parameter of the fixture `target`; None if it has none."""
    return item.callspec.params.get("target") if hasattr(item, "callspec") else None


@dataclass
class Part:
    """What one script left, as far as it came."""

    begun: bool = False
    out: str = ""
    """Standard output."""
    log: str = ""
    """Standard error, then the kernel's log."""
    status: int | None = None
    clean: bool = False
    """Whether the guest was brought back to its first state."""
    left: str = ""
    """The differences, if it was not."""


@dataclass
class Session:
    """One guest, and the scripts that it runs one after the other."""

    target: Target
    scripts: dict[str, tuple[Script, str]]
    """Name of the test -> its script, and the text of the script."""
    ended: str = ""
    """Why the guest ended early."""
    _out: bytearray = field(default_factory=bytearray)
    _log: bytearray = field(default_factory=bytearray)
    _times: list[float] = field(default_factory=list)
    """When each script began, and when the guest was gone."""

    def run(self, folder: Path) -> None:
        """Boot the guest, run all scripts and power the guest off. `folder` is empty; the session's files go there."""
        files = {DRIVER, *(file for declared, _ in self.scripts.values() for file in declared.files)}
        if any(declared.broken for declared, _ in self.scripts.values()):
            files |= broken_modules(self.target, folder)
        texts = []
        for number, (_, text) in enumerate(self.scripts.values(), 1):
            texts.append(folder / f"{number}.script")
            texts[-1].write_text(f"{text}\n", encoding="utf-8")
        argv = ["sh", f"./{DRIVER.name}", *(text.name for text in texts)]
        try:
            with Alarm() as alarm:
                self.target.run(
                    argv, files=[*files, *texts], timeout=math.inf,
                    on_stdout=lambda chunk: self._take(chunk, alarm), on_stderr=self._log.extend,
                )  # fmt: skip
        except (GuestError, LateError) as error:
            self.ended = str(error)
        self._times.append(time.monotonic())

    def output(self, name: str) -> str:
        """Standard output of the script of this test. The test fails if the script failed or did not run."""
        boot, *parts = self._parts()
        if not boot.begun:
            pytest.fail(f"the guest did not boot: {self.ended}", pytrace=False)
        check_log(boot.log)
        part = parts[list(self.scripts).index(name)]
        if not part.begun:
            fault = next(test for test, other in zip(self.scripts, parts, strict=True) if not other.clean)
            pytest.fail(f"not run: {fault} ended the guest or left it in another state", pytrace=False)
        said = f"{part.out}\n{part.log}"
        if part.left:
            pytest.fail(f"the script left the guest in another state:\n{part.left}\n{said}", pytrace=False)
        if not part.clean:
            pytest.fail(f"the script, or the clean-up after it, ended the guest: {self.ended}\n{said}", pytrace=False)
        want = self.scripts[name][0].status
        assert part.status == want, f"status {part.status} instead of {want}:\n{said}"
        check_log(part.log)
        return part.out

    def seconds(self, name: str) -> float:
        """Duration of the script of this test and of the clean-up after it, in seconds of the host."""
        number = list(self.scripts).index(name)
        return self._times[number + 1] - self._times[number]

    def _take(self, chunk: bytes, alarm: "Alarm") -> None:
        """Take standard output. The time limit of a script starts with its first mark."""
        self._out += chunk
        begun = sum(found[2] == b"begin" for found in MARK.finditer(self._out))
        if begun > len(self._times):
            self._times += [time.monotonic()] * (begun - len(self._times))
            seconds = list(self.scripts.values())[begun - 1][0].timeout
            alarm.set(seconds, f"the script did not end within {seconds:g} s")

    def _parts(self) -> list[Part]:
        """The part of the boot, and those of the scripts."""
        parts = [Part() for _ in range(1 + len(self.scripts))]
        for number, word, value, text in _marked(self._out):
            part = parts[number]
            part.begun = True
            match word:
                case "begin":
                    part.out = text
                case "status":
                    part.status = int(value)
                case "clean":
                    part.clean = True
                case "left":
                    part.left = text
        for number, _, _, text in _marked(self._log):
            parts[number].log += text
        return parts


def _marked(stream: bytearray) -> Iterator[tuple[int, str, str, str]]:
    """Each mark of scripts.sh as number, word and value, with the text after it."""
    words = MARK.split(bytes(stream))[1:]
    for number, word, value, text in zip(*(words[start::4] for start in range(4)), strict=True):
        yield int(number), word.decode(), value.decode(), text.decode(errors="replace")


def check_log(log: str) -> None:
    """Fail unless the kernel's log is free of trouble."""
    for trouble in TROUBLE:
        assert trouble not in log, log


class LateError(Exception):
    """A time limit has passed."""


class Alarm:
    """Raises LateError in the main thread, which is the one that watches a guest."""

    def __enter__(self) -> "Alarm":
        self._text = ""
        self._before = signal.signal(signal.SIGALRM, self._ring)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)

    def set(self, seconds: float, text: str) -> None:
        """Raise LateError with this text after `seconds` from now, instead of the time set before."""
        self._text = text
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        raise LateError(self._text)


def broken_modules(target: Target, folder: Path) -> set[Path]:
    """Build the containers with planted faults in `folder`, against the project's modules, as a user builds his own."""
    for source in BROKEN.iterdir():
        (folder / source.name).write_bytes(source.read_bytes())
    sources = target.build.ko_dir.parent / "src"
    subprocess.run(
        ["make", "-C", str(target.kernel.kdir), f"ARCH={target.kernel.arch}", f"M={folder}",
         f"DSBENCH_INCLUDE={sources}/include", f"KBUILD_EXTRA_SYMBOLS={sources}/modules/Module.symvers",
         "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"],
        check=True, capture_output=True,
    )  # fmt: skip
    return set(folder.glob("*.ko"))


@dataclass(frozen=True)
class Row:
    """One row of /proc/dsbench."""

    container: str
    op: str
    n: int
    tries: int
    disturbed: int
    min: float
    p50: float
    max: float
    per_element: str
    x_floor: str
    burst: int


def rows(text: str) -> list[Row]:
    """The rows of the containers."""
    return table(text, (*CONTAINERS, "broken", "lossy", "oracle"))


def floors(text: str) -> list[Row]:
    """The rows of the floors."""
    return table(text, ("floor",))


def table(text: str, names: Sequence[str]) -> list[Row]:
    """The rows that begin with one of these names. Fails unless each has a word for every column."""
    found = []
    columns: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if words[:2] == ["container", "op"]:
            columns = words
        elif words and words[0] in names:
            row = dict(zip(columns, words, strict=True))
            n, tries, disturbed = (int(row[name]) for name in ("n", "tries", "disturbed"))
            times = float(row["min"]), float(row["p50"]), float(row["max"])
            found.append(Row(row["container"], row["op"], n, tries, disturbed, *times, row["per_element"], row["x_floor"], int(row["burst"])))
    return found


def header(text: str, key: str) -> list[str]:
    """The values of all header lines with that key."""
    start = f"# {key}: "
    return [line.removeprefix(start) for line in text.splitlines() if line.startswith(start)]
