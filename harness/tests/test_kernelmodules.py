# SPDX-License-Identifier: GPL-2.0
"""Which of a kernel's own modules go into a guest, and what the user may choose of a guest."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path

import pytest

from dsharness import targets
from dsharness.errors import UsageError
from dsharness.kernel import build
from dsharness.kernel.build import Build
from dsharness.kernel.kernels import Kernel
from dsharness.sweep.plan import plan_of
from dsharness.targets import guestoptions, kernelmodules
from dsharness.targets.guestoptions import GuestOptions


def choices(*words: str) -> GuestOptions:
    parser = argparse.ArgumentParser()
    guestoptions.add_options(parser)
    return guestoptions.checked(parser.parse_args(words))


def test_the_choices_of_a_guest() -> None:
    assert choices() == GuestOptions()
    found = choices("--memory", "2g", "--append", "quiet x.y='a b' z=1", "--module", "vrf", "nft-masq", "--module", "ifb,vrf")
    assert found == GuestOptions(2048, ("quiet", 'x.y="a b"', "z=1"), ("vrf", "nft-masq", "ifb"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--memory", "2"), "--memory is '2': allowed are sizes from 128M to 1T, such as 512M or 2G"),
        (("--memory", "127M"), "--memory is '127M'"),
        (("--memory", "9999999T"), "--memory is '9999999T'"),
        (("--memory", "-1G"), "--memory is '-1G'"),
        (("--append", ""), "--append has 0 letters and 0 parameters"),
        (("--append", "x" * 1001), "--append has 1001 letters and 1 parameters"),
        (("--append", "a 'b"), "its quotes do not match"),
        (("--append", "--help"), "--append has '--help': allowed are parameters such as"),
        (("--append", "a='\nb'"), "--append has"),
        (("--append", "mem=1G"), "--append has 'mem=1G': --memory SIZE sets it"),
        (("--append", "init=/bin/sh"), "--append has 'init=/bin/sh', by which dsbench boots and watches the guest"),
        (("--append", "con2=xterm"), "--append has 'con2=xterm'"),
        (("--module", "../vrf"), "--module is '../vrf': allowed are names of modules"),
    ],
)
def test_wrong_choices_are_one_sentence(words: tuple[str, str], sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        choices(f"{words[0]}={words[1]}")
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("target", "option", "sentence"),
    [
        ("host", ("--memory", "1G"), "--memory is for guests: target host is the running kernel"),
        ("host", ("--append", "quiet"), "--append is for guests"),
        ("uml", ("--module", "vrf"), "--module vrf is for target qemu"),
    ],
)
def test_a_target_refuses_what_it_does_not_have(target: str, option: tuple[str, str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        plan_of("--target", target, *option)
    with pytest.raises(UsageError, match=sentence):
        targets.get(target, guest=choices(*option))


@pytest.fixture
def stock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """A kernel with the module vrf, and with dummy built in."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "vrf.ko.xz").touch()
    (own / "modules.builtin").write_text("kernel/drivers/net/dummy.ko\n", encoding="utf-8")
    monkeypatch.setattr(kernelmodules, "folder", lambda kernel: own)
    return Kernel("6.12", (6, 12), "x86", tmp_path, own / "vmlinuz", None)


def test_modules_that_the_kernel_has_are_allowed(stock: Kernel) -> None:
    kernelmodules.require(stock, ["vrf", "dummy", "bare-udp"], ["bare_udp"])


def test_an_unknown_module_is_one_sentence_with_the_nearest_name(stock: Kernel) -> None:
    with pytest.raises(UsageError, match="--module 'vfr' is unknown: 6.12 has none of that name, did you mean vrf?"):
        kernelmodules.require(stock, ["vfr"])


def test_modules_stay_until_they_are_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo", "veth.ko"):
        (own / name).touch()
    monkeypatch.setattr(kernelmodules, "folder", lambda kernel: own)
    monkeypatch.setattr(kernelmodules, "needed", lambda own, names, release: [own / "veth.ko"])
    monkeypatch.setattr(build, "install", lambda built, root: None)
    built = Build(Kernel("6.12", (6, 12), "x86", tmp_path, own / "vmlinuz", None), tmp_path / "ko", tmp_path / "root")
    order: list[str] = []

    def second() -> None:
        with kernelmodules.root(built, ["veth"]):
            order.append("second")

    more = tmp_path / "bareudp.ko"
    more.touch()
    with kernelmodules.root(built, ["veth"], [more]) as root:
        waiter = threading.Thread(target=second)
        waiter.start()
        waiter.join(0.3)
        order.append("first")
        assert (root / "lib/modules/6.12/veth.ko").exists() and (root / "lib/modules/6.12/bareudp.ko").exists()
    waiter.join()
    assert order == ["first", "second"]
