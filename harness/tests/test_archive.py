# SPDX-License-Identifier: GPL-2.0
"""Packages of the archive in the cache: whole or not there. Debian's smallest ones are really fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsharness import paths
from dsharness.errors import HarnessError
from dsharness.kernel import archive

PROOF = "bin/hostname"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DSBENCH_CACHE", str(tmp_path / "cache"))
    return paths.cache()


def hostname() -> list[archive.Package]:
    return [archive.require("hostname")]


def unpack() -> Path:
    return archive.tree("hostname", hostname, proofs=[PROOF])


def test_an_unknown_package_has_no_candidate() -> None:
    assert archive.candidate("dsbench-no-such-package") is None


def test_a_candidate_is_described() -> None:
    package = archive.candidate("hostname")
    assert package and package.version and package.size > 0 and len(package.sha256) == 64


def test_names_matches_an_expression() -> None:
    assert "linux-source-6.12" in archive.names(r"^linux-source-[0-9.]+$")


def test_a_tree_is_unpacked_once() -> None:
    first = unpack()
    stamp = first.stat().st_mtime_ns
    assert (first / PROOF).stat().st_size > 0
    assert unpack().stat().st_mtime_ns == stamp


def test_a_damaged_tree_is_made_again() -> None:
    (unpack() / PROOF).write_bytes(b"")
    assert (unpack() / PROOF).stat().st_size > 0


def test_what_an_interrupted_unpacking_left_is_replaced(cache: Path) -> None:
    (cache / "archive/hostname.part/bin").mkdir(parents=True)
    (cache / "archive/hostname.part/junk").touch()
    assert not (unpack() / "junk").exists()


def test_a_damaged_download_is_fetched_anew() -> None:
    [package] = hostname()
    whole = archive.download(package)
    content = whole.read_bytes()
    whole.write_bytes(content[:-1])
    assert archive.download(package).read_bytes() == content


def test_no_download_stays_after_unpacking(cache: Path) -> None:
    unpack()
    assert not list((cache / "debs").rglob("*.deb"))


def test_a_tree_without_its_proof_is_refused(cache: Path) -> None:
    with pytest.raises(HarnessError, match="lack bin/none"):
        archive.tree("hostname", hostname, proofs=["bin/none"])
    assert not (cache / "archive/hostname").exists()


def test_mend_gets_the_tree_before_it_has_its_name(cache: Path) -> None:
    seen = []
    archive.tree("hostname", hostname, proofs=[PROOF], mend=seen.append)
    assert seen == [cache / "archive/hostname.part"]


def test_too_little_space_is_one_sentence(cache: Path) -> None:
    with pytest.raises(HarnessError, match="MiB are needed"):
        archive.require_space(cache, 1 << 60)
