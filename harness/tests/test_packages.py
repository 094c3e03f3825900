# SPDX-License-Identifier: GPL-2.0
"""The list of packages, and what is said of those that are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsharness import packages
from dsharness.errors import HarnessError, UsageError


@pytest.fixture
def listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list whose group `odd` has a package that no archive has."""
    file = tmp_path / "packages.txt"
    file.write_text("# comment\n[base]\ndpkg  # always there\n\n[odd]\ndpkg\ndsbench-no-such-package\n", encoding="utf-8")
    monkeypatch.setattr(packages, "LIST", file)
    return file


def test_the_project_has_its_groups() -> None:
    assert {"base", "plot", "uml", "qemu", "test", "lint"} <= set(packages.groups())


def test_the_default_target_needs_no_qemu() -> None:
    groups = packages.groups()
    assert not [name for group in ("base", "plot", "uml") for name in groups[group] if "qemu" in name]


def test_a_sweep_installs_what_its_devices_need() -> None:
    """A bare machine's first picture has wireguard, whose keys wg makes."""
    assert {"iproute2", "wireguard-tools"} <= set(packages.groups()["tunnel"])


def test_groups_and_comments(listing: Path) -> None:
    assert packages.groups() == {"base": ["dpkg"], "odd": ["dpkg", "dsbench-no-such-package"]}


def test_a_package_outside_a_group_is_refused(listing: Path) -> None:
    listing.write_text("gcc\n", encoding="utf-8")
    with pytest.raises(HarnessError, match="'gcc' stands before"):
        packages.groups()


def test_missing_names_what_is_not_installed(listing: Path) -> None:
    assert packages.missing(["base"]) == []
    assert packages.missing(["base", "odd"]) == ["dsbench-no-such-package"]


def test_an_unknown_group_is_a_usage_error(listing: Path) -> None:
    with pytest.raises(UsageError, match="'evn' is unknown: there are base, odd"):
        packages.missing(["evn"])


def test_no_install_only_names(listing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_INSTALL", "1")
    packages.ensure("base")
    with pytest.raises(HarnessError, match="missing packages: dsbench-no-such-package .*apt-get install"):
        packages.ensure("odd")
