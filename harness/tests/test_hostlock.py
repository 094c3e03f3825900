# SPDX-License-Identifier: GPL-2.0
"""The lock on the running kernel: one harness at a time, and no stale lock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dsharness import paths
from dsharness.errors import HarnessError
from dsharness.targets import hostlock

HOLDER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from dsharness.targets import hostlock
hostlock.LOCK = Path(sys.argv[2])
hostlock.claim()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(hostlock, "LOCK", tmp_path / "dsbench.lock")
    monkeypatch.setattr(hostlock, "_held", [])
    return tmp_path / "dsbench.lock"


def test_the_holder_is_named_and_its_end_frees_the_lock(lock: Path) -> None:
    argv = [sys.executable, "-c", HOLDER, paths.HARNESS, lock]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        with pytest.raises(HarnessError, match=rf"^target host: another dsbench, process {holder.pid}, uses the running kernel: wait"):
            hostlock.claim()
        holder.kill()
    hostlock.claim()
    assert lock.read_text(encoding="ascii") == f"{os.getpid()}\n"
    os.close(hostlock._held.pop())


def test_one_process_may_claim_twice(lock: Path) -> None:
    hostlock.claim()
    hostlock.claim()
    os.close(hostlock._held.pop())


def test_a_link_in_the_place_of_the_lock_is_not_followed(lock: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious", encoding="ascii")
    lock.symlink_to(tmp_path / "precious")
    with pytest.raises(HarnessError, match="cannot be opened"):
        hostlock.claim()
    assert (tmp_path / "precious").read_text(encoding="ascii") == "precious"
