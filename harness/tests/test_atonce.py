# SPDX-License-Identifier: GPL-2.0
"""Guests side by side: all run at once, and none outlives the failure of another one. Processes that sleep stand for guests."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from dsharness import proc
from dsharness.errors import HarnessError
from dsharness.targets import atonce


def test_jobs_run_at_once() -> None:
    here = threading.Barrier(2, timeout=60)
    met: list[int] = []
    atonce.run([lambda: met.append(here.wait()), lambda: met.append(here.wait())])
    assert sorted(met) == [0, 1]


def fail() -> None:
    raise HarnessError("the guest crashed")


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT interrupt: a shell that starts the tests in the background has them ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize(("end", "kind"), [(fail, HarnessError), (interrupt, KeyboardInterrupt)])
def test_what_ends_one_ends_the_others(end: Callable[[], None], kind: type[BaseException]) -> None:
    begun = threading.Event()
    ended: list[int] = []

    def sleep() -> None:
        with proc.child(["sleep", "60"]) as process:
            begun.set()
            ended.append(process.wait())

    def follow() -> None:
        assert begun.wait(30)
        end()

    with pytest.raises(kind):
        atonce.run([sleep, follow])
    assert ended == [-signal.SIGTERM]


def test_one_job_runs_in_this_thread() -> None:
    ran: list[threading.Thread] = []
    atonce.run([lambda: ran.append(threading.current_thread())])
    assert ran == [threading.current_thread()]
