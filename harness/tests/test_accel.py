# SPDX-License-Identifier: GPL-2.0
"""Which accelerator runs: real QEMUs, one that boots and one whose CPU stands still."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dsharness.errors import HarnessError, UsageError
from dsharness.kernel import kernels
from dsharness.kernel.kernels import Kernel
from dsharness.targets import accel, qemucmd

BOOTS = ["-accel", "tcg", "-cpu", "max"]
STANDS_STILL = [*BOOTS, "-S"]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Kernel:
    """A stock kernel, found before the cache is replaced by an empty one, with a device that everybody has as /dev/kvm."""
    found = kernels.find("qemu")
    monkeypatch.setenv("DSBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(accel, "DEVICE", Path("/dev/null"))
    return found


def test_a_kernel_that_boots_is_remembered(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(qemucmd.ACCELERATORS, "kvm", BOOTS)
    monkeypatch.setattr(accel, "PROBE_SECONDS", 120.0)
    assert accel.resolve(kernel) == "kvm"
    assert accel.remembered() == {kernel.release: True}
    capsys.readouterr()
    assert accel.resolve(kernel, "kvm") == "kvm"
    assert capsys.readouterr().err == ""


def test_a_kernel_that_hangs_falls_back_within_the_deadline(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(qemucmd.ACCELERATORS, "kvm", STANDS_STILL)
    monkeypatch.setattr(accel, "PROBE_SECONDS", 1.0)
    assert accel.resolve(kernel) == "icount"
    assert "instructions, not cycles" in capsys.readouterr().err
    assert accel.remembered() == {kernel.release: False}
    monkeypatch.setitem(qemucmd.ACCELERATORS, "kvm", ["--no-such-option"])
    assert accel.resolve(kernel, "auto") == "icount"
    assert "trying" not in capsys.readouterr().err
    with pytest.raises(HarnessError, match="--accel kvm cannot run .* QEMU ends"):
        accel.resolve(kernel, "kvm")


def test_without_the_device_nothing_is_booted(kernel: Kernel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(accel, "DEVICE", tmp_path / "kvm")
    assert accel.resolve(kernel) == "icount"
    assert accel.remembered() == {}


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"a": true}'])
def test_a_damaged_memory_is_forgotten(kernel: Kernel, monkeypatch: pytest.MonkeyPatch, damaged: str, tmp_path: Path) -> None:
    (tmp_path / "kvm.json").write_text(damaged)
    assert accel.remembered() == {}
    monkeypatch.setitem(qemucmd.ACCELERATORS, "kvm", ["--no-such-option"])
    assert accel.resolve(kernel) == "icount"
    assert len(json.loads((tmp_path / "kvm.json").read_text())) == 1


@pytest.mark.parametrize("chosen", ["tcg", "icount"])
def test_who_chooses_is_not_asked(kernel: Kernel, chosen: str) -> None:
    assert accel.resolve(kernel, chosen) == chosen


def test_an_unknown_accelerator_is_a_usage_error(kernel: Kernel) -> None:
    with pytest.raises(UsageError, match="'fast' is unknown: there are auto, kvm, tcg, icount"):
        accel.resolve(kernel, "fast")
