# SPDX-License-Identifier: GPL-2.0
"""The list of packages, what is said of those that are missing, and their installation.

A stand-in database of dpkg (DPKG_ADMINDIR) says what is installed; dpkg-query, apt-get and apt-cache are the real ones.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dsharness import apt, packages, paths
from dsharness.errors import HarnessError, UsageError
from dsharness.packages import Entry

DSBENCH = paths.HARNESS / "dsbench"
TRIXIE_NAMES = ("libelf1t64", "libssl3t64")

Database = Callable[..., None]


@pytest.fixture
def listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list whose group `odd` has a package that no archive has."""
    file = tmp_path / "packages.txt"
    file.write_text("# comment\n[base]\ndpkg  # always there\n\n[odd]\ndpkg\ndsbench-no-such-package\n", encoding="utf-8")
    monkeypatch.setattr(packages, "LIST", file)
    return file


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A function that makes a database of dpkg with these packages installed. "name: other" provides another one."""
    folder = tmp_path / "dpkg"
    folder.mkdir()
    (folder / "updates").mkdir()
    monkeypatch.setenv("DPKG_ADMINDIR", str(folder))

    def make(*names: str, status: str = "install ok installed") -> None:
        records = []
        for name in names:
            package, _, provided = name.partition(": ")
            provides = f"Provides: {provided}\n" if provided else ""
            records.append(
                f"Package: {package}\nStatus: {status}\nMaintainer: nobody <nobody@localhost>\nArchitecture: amd64\n"
                f"Version: 1\n{provides}Description: stands in\n"
            )
        (folder / "status").write_text("\n".join(records), encoding="utf-8")

    return make


@pytest.fixture
def no_dpkg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that is the whole PATH: everything of this machine but dpkg and apt."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for source in map(Path, ("/usr/bin", "/usr/sbin")):
        for program in source.iterdir():
            if not program.name.startswith(("dpkg", "apt")) and not (folder / program.name).exists():
                (folder / program.name).symlink_to(program)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(packages, "SYSTEM_PATH", str(folder))
    return folder


def names(entries: Sequence[Entry]) -> list[str]:
    return [str(entry) for entry in entries]


def test_the_project_has_its_groups() -> None:
    assert {"base", "plot", "uml", "qemu", "test", "lint"} <= set(packages.groups())


def test_the_default_target_needs_no_qemu() -> None:
    groups = packages.groups()
    assert not [entry for group in ("base", "plot", "uml") for entry in groups[group] if "qemu" in str(entry)]


def test_groups_and_comments(listing: Path) -> None:
    assert packages.groups() == {"base": [Entry(("dpkg",))], "odd": [Entry(("dpkg",)), Entry(("dsbench-no-such-package",))]}


def test_names_of_several_releases_and_warnings(listing: Path) -> None:
    listing.write_text("[base]\nold|new setuid server # why\n", encoding="utf-8")
    assert packages.groups() == {"base": [Entry(("old", "new"), ("setuid", "server"))]}
    listing.write_text("[base]\nold suid\n", encoding="utf-8")
    with pytest.raises(HarnessError, match="'suid' after 'old' is unknown: there are setuid, server"):
        packages.groups()


def test_a_package_outside_a_group_is_refused(listing: Path) -> None:
    listing.write_text("gcc\n", encoding="utf-8")
    with pytest.raises(HarnessError, match="'gcc' stands before"):
        packages.groups()


def test_missing_names_what_is_not_installed(listing: Path) -> None:
    assert packages.missing(["base"]) == []
    assert names(packages.missing(["base", "odd"])) == ["dsbench-no-such-package"]


def test_an_unknown_group_is_a_usage_error(listing: Path) -> None:
    with pytest.raises(UsageError, match="'evn' is unknown: there are base, odd"):
        packages.missing(["evn"])


def test_no_install_only_names(listing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_INSTALL", "1")
    packages.ensure("base")
    with pytest.raises(HarnessError, match="missing packages: dsbench-no-such-package .*apt-get install"):
        packages.ensure("odd")


def test_the_names_of_the_next_release_count(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian 13 and Ubuntu 24.04 call libelf1 and libssl3 otherwise."""
    monkeypatch.setenv("NO_INSTALL", "1")
    others = [entry.names[0] for entry in packages.groups()["base"] if len(entry.names) == 1]
    database(*others, *TRIXIE_NAMES)
    assert packages.missing(["base"]) == []
    packages.ensure("base")
    database(*others)
    assert names(packages.missing(["base"])) == ["libelf1", "libssl3"]


def test_a_package_that_provides_another_counts(listing: Path, database: Database) -> None:
    """gnuplot-qt is gnuplot-nox with windows, busybox-static a busybox: both conflict with the package of our list."""
    listing.write_text("[base]\ngnuplot-nox\nbusybox\nmake\n", encoding="utf-8")
    database("gnuplot-qt: gnuplot, gnuplot-nox, gnuplot-x11", "busybox-static: busybox", "make-guile: make (= 4.3)")
    assert packages.missing(["base"]) == []


def test_a_removed_package_does_not_count(listing: Path, database: Database) -> None:
    listing.write_text("[base]\nmake\n", encoding="utf-8")
    database("make", status="deinstall ok config-files")
    with (Path(os.environ["DPKG_ADMINDIR"]) / "status").open("a", encoding="utf-8") as file:
        file.write("\nPackage: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\nDescription: stands in\n")
    assert names(packages.missing(["base"])) == ["make"]


def test_the_name_that_the_archive_has_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [Entry(("libelf1", "libelf1t64")), Entry(("make",)), Entry(("a", "b"))]
    monkeypatch.setattr(apt, "candidates", lambda asked: {"libelf1t64", "make"} & set(asked))
    assert packages.installable(entries) == ["libelf1t64", "make", "a"]


def test_candidates_are_those_with_a_version() -> None:
    assert apt.candidates(["make", "dsbench-no-such-package"]) == {"make"}


def test_a_system_without_dpkg_needs_programs_and_modules(no_dpkg: Path) -> None:
    assert packages.missing(["base", "plot", "uml"]) == []
    (no_dpkg / "gnuplot").unlink()
    assert names(packages.missing(["plot"])) == ["gnuplot-nox"]
    with pytest.raises(HarnessError, match=r"^missing here: programs: gnuplot \(this system has no dpkg"):
        packages.ensure("plot")


def test_a_module_that_is_missing_without_dpkg_is_named(no_dpkg: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(packages.INSTEAD, "python3-rich", "dsbench_no_such_module")
    with pytest.raises(HarnessError, match="Python modules: dsbench_no_such_module"):
        packages.ensure("plot")


def test_the_database_of_a_guest_on_another_system_is_no_debian(database: Database) -> None:
    """Fedora and Arch have a package dpkg, whose database is empty."""
    database()
    assert packages.missing(["base"]) == []
    assert not packages.can_install()


@pytest.mark.parametrize(("argv", "status"), [(["doctor"], {0, 1}), (["plot", "no-such-file.json"], {1, 2}), (["clean", "--help"], {0})])
def test_commands_that_need_no_package_work_without_dpkg(no_dpkg: Path, argv: list[str], status: set[int]) -> None:
    done = subprocess.run([DSBENCH, *argv], check=False, capture_output=True, text=True)
    assert done.returncode in status
    assert "Traceback" not in done.stderr and "dpkg" not in done.stderr, done.stderr


def test_a_plot_works_without_dpkg(no_dpkg: Path, tmp_path: Path) -> None:
    result = next((paths.RESULTS / "reference").glob("uml*.json"))
    done = subprocess.run([DSBENCH, "plot", result, "--output", tmp_path / "plots"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "plots").glob("*.svg"))


def test_a_kernel_without_apt_is_one_sentence(no_dpkg: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "DSBENCH_CACHE": str(tmp_path / "cache")}
    for target in ("uml", "qemu"):
        done = subprocess.run([DSBENCH, "build", "--target", target], check=False, capture_output=True, text=True, env=environment)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert done.stderr.startswith("dsbench: there is no apt-get here: dsbench takes kernels and packages from Debian's archive")
