# SPDX-License-Identifier: GPL-2.0
"""No child outlives the harness, whichever way that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dsharness import proc
from dsharness.errors import HarnessError

HARNESS = Path(__file__).resolve().parents[1]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").split()[2] != "Z"
    except FileNotFoundError:
        return False


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def written(file: Path) -> int:
    """The number that a shell writes there when it is so far."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if file.exists() and (text := file.read_text(encoding="ascii")).endswith("\n"):
            return int(text)
        time.sleep(0.02)
    raise AssertionError(f"{file} was not written")


def test_stream_passes_each_line_and_keeps_the_status(tmp_path: Path) -> None:
    lines: list[str] = []
    log = tmp_path / "log"
    result = proc.stream(["sh", "-c", "echo one; echo two >&2; exit 3"], log=log, on_line=lines.append)
    assert (result.status, result.tail, result.last) == (3, ("one", "two"), "two")
    assert lines == ["one", "two"]
    assert log.read_text(encoding="utf-8") == "one\ntwo\n"


def test_check_reports_the_last_complaint() -> None:
    assert proc.check(["echo", "yes"]) == "yes\n"
    with pytest.raises(HarnessError, match="^sh failed: the reason$"):
        proc.check(["sh", "-c", "echo noise >&2; echo the reason >&2; exit 1"])


def test_an_exception_ends_the_grandchildren_too(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with pytest.raises(KeyboardInterrupt):
        with proc.child(["sh", "-c", f"sleep 300 & echo $! > {pid}; wait"]):
            grandchild = written(pid)
            raise KeyboardInterrupt
    assert gone(grandchild)


def test_a_child_that_ignores_sigterm_is_killed() -> None:
    with proc.child(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"], stdout=subprocess.PIPE) as child:
        assert child.stdout and child.stdout.readline() == b"ready\n"
    assert child.returncode == -signal.SIGKILL


def test_a_killed_harness_takes_its_child_along(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = f"from dsharness import proc; proc.stream(['sh', '-c', 'echo $$ > {pid}; exec sleep 300'])"
    with subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(HARNESS)}) as harness:
        child = written(pid)
        harness.kill()
    assert gone(child)


def test_a_child_whose_parent_died_before_it_could_ask_for_the_signal_does_not_start(tmp_path: Path) -> None:
    started = tmp_path / "started"
    argv = proc.tied(["touch", started])
    argv[argv.index(str(os.getpid()))] = str(os.getppid())  # the parent that it was meant for is another process
    assert subprocess.run(argv, check=False).returncode == 143 and not started.exists()
    assert subprocess.run(proc.tied(["touch", started]), check=False).returncode == 0 and started.exists()


def test_builds_see_nothing_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEFLAGS", "-j --jobserver-auth=3,4")
    monkeypatch.setenv("ARCH", "arm64")
    environment = proc.build_environment()
    assert not {"MAKEFLAGS", "ARCH"} & set(environment)
    assert environment["PATH"].endswith("/usr/sbin:/usr/bin:/sbin:/bin")
