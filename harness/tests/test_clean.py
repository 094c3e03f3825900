# SPDX-License-Identifier: GPL-2.0
"""clean removes what can be made again, and nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from dsharness import cli, paths
from dsharness.commands import clean, doctor
from dsharness.kernel import buildroot, umlkernel


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "build"
    (folder / "logs").mkdir(parents=True)
    monkeypatch.setattr(paths, "BUILD", folder)
    monkeypatch.setenv("DSBENCH_CACHE", str(tmp_path / "cache"))
    return folder


def test_size_counts_each_file_once(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(bytes(8192))
    (tmp_path / "same").hardlink_to(tmp_path / "one")
    assert clean.size(tmp_path) == (tmp_path / "one").stat().st_blocks * 512


def test_sizes_read_well() -> None:
    assert clean.human(3 << 20) == "3 MiB"
    assert clean.human(3 << 29) == "1.5 GiB"


def test_the_cache_stays_unless_asked_for(build: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (paths.cache() / "uml").mkdir()
    assert cli.main(["clean"]) == 0
    assert not build.exists() and paths.cache_path().exists()
    assert cli.main(["clean", "--cache"]) == 0
    assert not paths.cache_path().exists()
    assert f"removing {paths.cache_path()}, 0 MiB" in capfd.readouterr().err


def test_only_what_is_unused_goes(build: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(umlkernel, "_recipe", lambda shelf_name: "now")
    kept = made("uml/linux-source-6.1_6.1.2_now", "linux"), made("uml/linux-source-6.12_6.12.9_now", "linux", age=1)
    unfinished = made("uml/linux-source-6.12_6.12.9_now.part", "Makefile")
    goes = [
        made("uml/linux-source-6.12_6.12.9_then", "linux"),
        made("uml/linux-source-6.12_6.12.9_then.part", "Makefile"),
        made("uml/linux-source-6.12_6.12.10_now", "linux", age=2),
        made(f"buildroot/{buildroot.SUITE}_7.3.3-amd64_{buildroot._recipe()}", buildroot.STAMP, age=1),
        made(f"buildroot/{buildroot.SUITE}_7.3.4-amd64_then", buildroot.STAMP),
    ]
    root = made(f"buildroot/{buildroot.SUITE}_7.3.4-amd64_{buildroot._recipe()}", buildroot.STAMP)
    others = made("buildroot/apt", "fetched"), made("archive/image-6.12.9-amd64", "boot")
    assert set(clean.unused()) == set(goes)
    assert "in 5 kernels and build roots" in next(doctor._unused()).detail
    assert cli.main(["clean", "--unused"]) == 0
    assert not [folder for folder in goes if folder.exists()]
    assert all(folder.exists() for folder in (*kept, unfinished, root, *others, build))
    assert list(doctor._unused()) == []
    capfd.readouterr()
    assert cli.main(["clean", "--unused"]) == 0
    assert capfd.readouterr().err == f"nothing in {paths.cache_path()} is unused\n"


def test_an_empty_cache_has_nothing_unused(build: Path) -> None:
    assert clean.unused() == []
    assert not paths.cache_path().exists()


def test_all_of_the_cache_or_what_is_unused(build: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["clean", "--cache", "--unused"])


def made(name: str, proof: str, *, age: int = 0) -> Path:
    """A folder of the cache with one file in it, `age` hours old."""
    folder = paths.cache_path() / name
    folder.mkdir(parents=True)
    (folder / proof).touch()
    then = time.time() - 3600 * age
    os.utime(folder / proof, (then, then))
    return folder


def test_a_folder_that_is_no_cache_stays(build: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (paths.cache() / "thesis").mkdir()
    assert cli.main(["clean", "--cache"]) == 1
    assert (paths.cache_path() / "thesis").exists()
    assert "does not look like a cache" in capfd.readouterr().err
