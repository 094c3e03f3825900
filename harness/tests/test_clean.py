# SPDX-License-Identifier: GPL-2.0
"""clean removes what can be made again, and nothing else."""

from __future__ import annotations

import ast
import importlib
import os
import re
import time
from pathlib import Path

import pytest

from dsharness import cachemark, cli, paths
from dsharness.commands import clean, doctor
from dsharness.errors import HarnessError
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
        made(f"buildroot/{buildroot.SUITE}_7.3.3-amd64_{buildroot.recipe()}", buildroot.STAMP, age=1),
        made(f"buildroot/{buildroot.SUITE}_7.3.4-amd64_then", buildroot.STAMP),
    ]
    root = made(f"buildroot/{buildroot.SUITE}_7.3.4-amd64_{buildroot.recipe()}", buildroot.STAMP)
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
    assert cli.main(["clean", "--cache", "--unused"]) == 2


def made(name: str, proof: str, *, age: int = 0) -> Path:
    """A folder of the cache with one file in it, `age` hours old."""
    folder = paths.cache_path() / name
    folder.mkdir(parents=True)
    (folder / proof).touch()
    then = time.time() - 3600 * age
    os.utime(folder / proof, (then, then))
    return folder


def others(*names: str) -> list[Path]:
    """Files of somebody else in the folder that DSBENCH_CACHE names."""
    files = [paths.cache_path() / name for name in names]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("precious", encoding="utf-8")
    return files


OLD = ("apt/pkgcache.bin", "archive/image-6.12.9-amd64/boot/vmlinuz", "debs/linux-source-6.12.lock", "kvm.json", "kvm-6.12.9-amd64.console",
       "uml/linux-source-6.12_6.12.9-1_0123456789/linux", "buildroot/trixie_7.3.4-amd64_0123456789/made")  # fmt: skip
"""Content of a cache that was made before there was a mark."""


def test_a_new_cache_is_marked(build: Path) -> None:
    folder = paths.cache()
    assert cachemark.is_marked(folder)
    text = (folder / "CACHEDIR.TAG").read_text(encoding="utf-8")
    assert text.startswith("Signature: 8a477f597d28d172789f06886806bc55\n") and "dsbench" in text
    (folder / "thesis").touch()
    assert paths.cache() == folder, "what comes later does not matter"


@pytest.mark.parametrize("names", [["thesis.tex"], ["apt/sources", "man/precious/one"], ["uml/diagram.svg"], ["kvm.json/x"], ["CACHEDIR.TAG", "a"]])
def test_a_folder_with_other_things_is_no_cache(build: Path, capfd: pytest.CaptureFixture[str], names: list[str]) -> None:
    files = others(*names)
    with pytest.raises(HarnessError, match=r"the cache folder .* \(DSBENCH_CACHE\) holds something else, .*: name a new folder"):
        paths.cache()
    assert cli.main(["clean", "--cache"]) == 1
    assert "is not marked as a cache of dsbench, and has no content of one: nothing of it is removed" in capfd.readouterr().err
    assert cli.main(["clean", "--unused"]) == 0
    assert [file.read_text(encoding="utf-8") for file in files] == ["precious"] * len(files)


def test_an_old_cache_beside_other_things_is_used_and_they_stay(build: Path, capfd: pytest.CaptureFixture[str]) -> None:
    files = others("man/precious/one", "thesis.tex", "archive/letters/one")
    ours = others(*(name for name in OLD if not name.startswith("archive/")))
    assert not cachemark.is_marked(paths.cache())
    assert cli.main(["clean", "--cache"]) == 0
    assert not any(file.exists() for file in ours) and all(file.exists() for file in files)
    assert "since it is not of dsbench: archive, man, thesis.tex\n" in capfd.readouterr().err


def test_an_old_cache_is_marked_and_removed(build: Path) -> None:
    others(*OLD)
    assert cachemark.is_ours(paths.cache_path())
    assert cachemark.is_marked(paths.cache())
    assert cli.main(["clean", "--cache"]) == 0
    assert not paths.cache_path().exists()


def test_an_old_cache_is_removed_without_being_used_again(build: Path) -> None:
    others(*OLD)
    assert cli.main(["clean", "--cache"]) == 0
    assert not paths.cache_path().exists()


def test_what_is_put_into_a_cache_later_stays_without_the_mark(build: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = paths.cache()
    (tmp_path / "elsewhere").mkdir()
    (file,) = others("man/precious/one")
    (folder / "uml").mkdir()
    (folder / "archive").symlink_to(tmp_path / "elsewhere")
    (folder / "kvm-6.12.9-amd64.console").touch()
    assert cli.main(["clean", "--cache"]) == 0
    assert file.exists() and (tmp_path / "elsewhere").exists()
    assert [entry.name for entry in folder.iterdir()] == ["man"], "a backup must not leave it out as a cache"
    assert f"kept in {folder}, since it is not of dsbench: man\n" in capfd.readouterr().err


def test_unused_kernels_are_looked_for_in_a_cache_alone(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(umlkernel, "_recipe", lambda shelf_name: "now")
    made("uml/my_own_diagrams", "linux")
    assert clean.unused() == []
    assert cli.main(["clean", "--unused"]) == 0
    assert (paths.cache_path() / "uml/my_own_diagrams/linux").exists()


def shelves() -> set[str]:
    """The names that the harness puts behind the cache's folder, found in its sources."""
    found = set()
    for file in (paths.HARNESS / "dsharness").rglob("*.py"):
        module = None
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)) or not re.search(r"\bcache(_path)?\(\)$", ast.unparse(node.left)):
                continue
            name = ast.unparse(node.right)
            if isinstance(node.right, ast.Constant) or name.rpartition(".")[2].isupper():
                module = module or importlib.import_module(".".join(file.relative_to(paths.HARNESS).with_suffix("").parts))
                found.add(str(eval(name, vars(module))))
    return found


def test_all_shelves_of_the_cache_are_known() -> None:
    found = shelves()
    assert {"apt", "archive", "buildroot", "debs", "kvm.json"} <= found
    unknown = {name for name in found | {*umlkernel.SHELVES} if name not in clean.MARKS}
    assert not unknown, "clean --cache would keep it: add it to clean.MARKS"
