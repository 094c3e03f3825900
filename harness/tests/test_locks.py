# SPDX-License-Identifier: GPL-2.0
"""Clones wait for each other, and say for what."""

from __future__ import annotations

import threading
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
        waiter.join(0.3)
        order.append("first")
    waiter.join()
    assert order == ["first", "second"]
    assert "waiting for another dsbench: it builds" in capfd.readouterr().err


def test_a_free_lock_is_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with locks.held(tmp_path / "lock", "it builds"):
        pass
    assert capfd.readouterr().err == ""
