# SPDX-License-Identifier: GPL-2.0
"""clean removes what can be made again, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsharness import clean, cli, paths


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


def test_a_folder_that_is_no_cache_stays(build: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (paths.cache() / "thesis").mkdir()
    assert cli.main(["clean", "--cache"]) == 1
    assert (paths.cache_path() / "thesis").exists()
    assert "does not look like a cache" in capfd.readouterr().err
