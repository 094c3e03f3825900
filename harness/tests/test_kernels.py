# SPDX-License-Identifier: GPL-2.0
"""Which kernel a name means, and what is said of names that mean none."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from dsharness.errors import HarnessError, UsageError
from dsharness.kernel import archive, kernels


def test_an_unknown_target_names_those_there_are() -> None:
    with pytest.raises(UsageError, match="target 'xen' is unknown: there are uml, qemu, host"):
        kernels.find("xen")


@pytest.mark.parametrize("target", ["uml", "qemu"])
@pytest.mark.parametrize("spec", ["new", "-1", "six.twelve"])
def test_a_kernel_that_is_no_version(target: str, spec: str) -> None:
    with pytest.raises(UsageError, match=f"kernel '{spec}' is not a version"):
        kernels.find(target, spec)


@pytest.mark.parametrize("target", ["uml", "qemu"])
@pytest.mark.parametrize("spec", ["2.6", "6.12.0-no-such-amd64", "6.120"])
def test_an_unknown_kernel_names_those_there_are(target: str, spec: str) -> None:
    with pytest.raises(UsageError, match=rf"kernel '{spec}' (is unknown: .*6\.12|cannot be had: .* is 6\.12)"):
        kernels.find(target, spec)


def test_the_host_takes_only_its_own_kernel() -> None:
    with pytest.raises(UsageError, match=f"takes only {platform.release()}"):
        kernels.find("host", "6.1.0-1-amd64")


def test_versions_are_ordered_as_numbers() -> None:
    versions = kernels.uml_versions()
    assert versions.index("6.1") < versions.index("6.12")


def test_the_newest_stock_kernels_are_of_the_ordinary_flavour() -> None:
    newest = kernels.newest_stock()
    assert {"6.1", "6.12"} <= set(newest)
    assert not [release for release in newest.values() if "cloud" in release or "-rt-" in release]


@pytest.mark.parametrize("spec", ["6.1", "6.12"])
def test_stock_kernels_can_be_had_without_installing_them(spec: str) -> None:
    kernel = kernels.find("qemu", spec)
    assert kernel.release == kernels.newest_stock()[spec]
    assert (kernel.arch, kernel.target) == ("x86", "qemu")
    assert kernel.image and kernel.image.read_bytes()[0x202:0x206].strip(b"\0"), "a bzImage has its setup header there"
    assert "include /usr/src" not in (kernel.kdir / "Makefile").read_text(encoding="utf-8") or kernel.kdir.is_relative_to("/usr/src")


def test_a_full_release_is_taken_as_it_is() -> None:
    release = kernels.newest_stock()["6.12"]
    assert kernels.find("qemu", release) == kernels.find("qemu", "6.12")


def test_the_uml_kernel_is_complete() -> None:
    kernel = kernels.find("uml")
    assert (kernel.version, kernel.arch, kernel.target) == ((6, 12), "um", "uml")
    assert kernel.image and kernel.source
    assert "debugfs_create_dir\tvmlinux" in (kernel.kdir / "Module.symvers").read_text(encoding="ascii")
    for tool in ("scripts/checkpatch.pl", "tools/testing/kunit/kunit.py"):
        assert (kernel.source / tool).exists()


def test_the_host_without_headers_is_one_sentence() -> None:
    release = platform.release()
    if (kernels.HOST_MODULES / release / "build").exists() or archive.candidate(f"linux-headers-{release}"):
        assert kernels.find("host").release == release
        return
    with pytest.raises(HarnessError, match=f"headers of the running kernel {release} are missing"):
        kernels.find("host")
