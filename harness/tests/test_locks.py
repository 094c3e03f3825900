# SPDX-License-Identifier: GPL-2.0
"""Clones wait for each other, and say for what."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from dsharness import locks


def test_a_second_holder_waits_and_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lock = tmp_path / "deep/lock"
    order: list[str] = []

    def second() -> None:
        with locks.held(lock, "it builds"):
            order.append("second")

    with locks.held(lock, "it builds"):
        waiter = threading.Thread(target=second)
        waiter.start()
        deadline, said = time.monotonic() + 30, ""
        while "waiting for another dsbench: it builds" not in said:
            assert time.monotonic() < deadline, said
            time.sleep(0.01)
            said += capfd.readouterr().err
        order.append("first")
    waiter.join()
    assert order == ["first", "second"]


def test_a_free_lock_is_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with locks.held(tmp_path / "lock", "it builds"):
        pass
    assert capfd.readouterr().err == ""
