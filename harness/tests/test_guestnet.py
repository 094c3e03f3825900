# SPDX-License-Identifier: GPL-2.0
"""Which of the kernel's own modules go into a guest for network tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsharness import paths
from dsharness.kernel import linuxsource
from dsharness.kernel.kernels import Kernel
from dsharness.kernel.linuxsource import Picked
from dsharness.targets import guestnet, kernelmodules
from dsharness.targets.guestnet import Foreign


@pytest.fixture
def stock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """A kernel whose own modules are in `own`; none yet."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "modules.builtin").touch()
    monkeypatch.setattr(kernelmodules, "folder", lambda kernel: own)
    return Kernel("6.12", (6, 12), "x86", tmp_path, own / "vmlinuz", None)


def test_what_the_kernel_lacks_is_built_when_it_is_named(
    stock: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build_it(kernel: Kernel, name: str) -> Foreign:
        return Foreign(Path(f"{name}.ko"), "linux-source-6.12")

    monkeypatch.setattr(guestnet, "_from_source", build_it)
    built = [Foreign(Path("bareudp.ko"), "linux-source-6.12")]
    assert guestnet.build_missing_modules(stock, ["bareudp", "vxlan"]) == built
    assert guestnet.build_missing_modules(stock, ["vxlan"]) == []
    (tmp_path / "own/modules.builtin").write_text("kernel/drivers/net/bareudp.ko\n", encoding="utf-8")
    assert guestnet.build_missing_modules(stock, ["bareudp"]) == []
    (tmp_path / "own/modules.builtin").write_text("kernel/drivers/net/bareudp_tests.ko\n", encoding="utf-8")
    assert guestnet.build_missing_modules(stock, ["bareudp"]) == built


@pytest.mark.parametrize("name", ["bareudp.ko", "bareudp.ko.xz"])
def test_modules_that_the_kernel_has_are_not_built(
    stock: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(guestnet, "_from_source", lambda kernel, name: pytest.fail(f"{name} is built"))
    (tmp_path / "own" / name).touch()
    assert guestnet.build_missing_modules(stock, ["bareudp", "vxlan"]) == []


def test_what_cannot_be_built_is_said(
    stock: Kernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pick(version: str, files: list[str], shelf: str) -> Picked:
        assert (version, files, shelf) == ("6.12", ["drivers/net/bareudp.c"], linuxsource.DRIVERS)
        return Picked("linux-source-6.12 6.12.1-1", tmp_path / "picked")

    monkeypatch.setattr(linuxsource, "pick", pick)
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    assert guestnet.build_missing_modules(stock, ["bareudp"]) == []
    said = "bareudp is not in 6.12 and cannot be built for it: linux-source-6.12 6.12.1-1 has no bareudp.c"
    assert said in capsys.readouterr().err
