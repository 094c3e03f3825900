# SPDX-License-Identifier: GPL-2.0
"""The list of packages, what is said of those that are missing, and their installation.

A stand-in database of dpkg (DPKG_ADMINDIR) says what is installed; dpkg-query, apt-get and apt-cache are the real ones.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from dsharness import apt, command, packages, paths
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


def test_a_sweep_installs_what_its_devices_need() -> None:
    """A bare machine's first picture has wireguard, whose keys wg makes."""
    assert {"iproute2", "wireguard-tools"} <= {name for entry in packages.groups()["tunnel"] for name in entry.names}


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


PLAN = """\
Reading package lists...
The following additional packages will be installed:
  libsubid4
The following NEW packages will be installed:
  libsubid4 sockperf
  uidmap
The following packages will be upgraded:
  login passwd
2 upgraded, 3 newly installed, 0 to remove and 135 not upgraded.
Need to get 1988 kB of archives.
After this operation, 650 kB of additional disk space will be used.
'http://deb.debian.org/debian/pool/main/s/shadow/uidmap_4.13_amd64.deb' uidmap_4.13_amd64.deb 190000 SHA256:0
"""


def test_what_apt_would_do_is_read() -> None:
    change = apt.installation(PLAN)
    assert change == apt.Installation(("libsubid4", "sockperf", "uidmap"), ("login", "passwd"), (), "1988 kB", "650 kB")
    cached = apt.installation(PLAN.replace("1988 kB", "0 B/1,988 kB").replace("additional disk space will be used", "disk space will be freed"))
    assert (cached.download, cached.disk) == ("0 B", "0 B")
    removing = apt.installation(f"The following packages will be REMOVED:\n  gnuplot-qt* make-guile\n{PLAN}")
    assert removing.removed == ("gnuplot-qt", "make-guile")


def test_apt_s_own_words_are_known() -> None:
    """apt-get of this machine simulates an installation: of a package that no program here needs."""
    change = apt.simulated(["sl"])
    assert not change.removed
    assert "sl" in change.new or shutil.which("sl", path="/usr/games")


def test_an_impossible_installation_has_apt_s_reason() -> None:
    with pytest.raises(HarnessError, match="Unable to locate package dsbench-no-such-package"):
        apt.simulated(["dsbench-no-such-package"])


def test_the_announcement_names_everything() -> None:
    absent = [Entry(("uidmap",), ("setuid",)), Entry(("sockperf",), ("server",))]
    said = packages.announcement(absent, ["uidmap", "sockperf"], apt.installation(PLAN)).splitlines()
    assert said == [
        "3 packages of Debian to install, 1988 kB to download, 650 kB on the disk:",
        "  needed: uidmap sockperf",
        "  with them: libsubid4",
        "  newer versions: login passwd",
        "  setuid programs: uidmap",
        "  servers, which the installation does not start: sockperf",
    ]


def test_setuid_and_server_packages_are_marked() -> None:
    marked = {str(entry): entry.warnings for entries in packages.groups().values() for entry in entries if entry.warnings}
    assert marked == {"uidmap": ("setuid",), "iperf3": ("server",), "sockperf": ("server",)}


@pytest.fixture
def installations(listing: Path, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The calls of apt-get as root, which here does nothing but note its arguments, and installs `sl`."""
    calls: list[list[str]] = []
    listing.write_text("[base]\nsl\n", encoding="utf-8")
    database("dpkg")

    def act(*arguments: str) -> tuple[int, list[str]]:
        calls.append([word for word in arguments if not word.startswith(("-", "Acquire"))])
        database("dpkg", "sl")
        return 0, ["Get:1 http://mirror/debian trixie InRelease"]

    monkeypatch.setattr(packages, "_apt", act)
    monkeypatch.setattr(packages, "_consent", packages._Consent())
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.delenv("NO_INSTALL", raising=False)
    monkeypatch.setattr(apt, "simulated", lambda names: apt.Installation(tuple(names), (), (), "13 kB", "61 kB"))
    return calls


def test_an_installation_is_announced_first(installations: list[list[str]], capfd: pytest.CaptureFixture[str]) -> None:
    packages.ensure("base")
    assert installations == [["install", "sl"]]
    said = capfd.readouterr().err
    assert said.index("1 package of Debian to install, 13 kB to download, 61 kB on the disk:") < said.index("installing sl")
    packages.ensure("base")
    assert len(installations) == 1, "nothing is missing any more"


def test_a_package_that_stays_missing_is_named(installations: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "_apt", lambda *arguments: (0, []))
    with pytest.raises(HarnessError, match="apt-get has installed sl, but dpkg does not list sl"):
        packages.ensure("base")


def test_nothing_is_removed(installations: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "simulated", lambda names: apt.Installation(tuple(names), (), ("cowsay",), "13 kB", "61 kB"))
    with pytest.raises(HarnessError, match="would remove cowsay, and dsbench removes nothing"):
        packages.ensure("base")
    assert installations == []
    assert "APT::Get::Remove=false" in packages.APT_GET


@pytest.mark.parametrize(("answer", "installs"), [("\n", True), ("Y\n", True), ("yes\n", True), ("n\n", False), ("what\n", False), ("\x04", False)])
def test_a_terminal_is_asked(
    installations: list[list[str]], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], answer: str, installs: bool
) -> None:
    with on_terminal(monkeypatch, answer):
        if installs:
            packages.ensure("base")
        else:
            with pytest.raises(HarnessError, match=r"^missing packages: sl \(nothing was installed\)"):
                packages.ensure("base")
    assert bool(installations) == installs


def test_a_refusal_is_remembered(installations: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    with on_terminal(monkeypatch, "n\ny\n"):
        for _ in range(2):
            with pytest.raises(HarnessError, match="nothing was installed"):
                packages.ensure("base")
    assert not installations


def test_yes_is_not_asked(installations: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    parser = argparse.ArgumentParser()
    command.declare(parser, lambda args: 7, needs=("base",))
    with on_terminal(monkeypatch, "n\n"):
        with pytest.raises(HarnessError, match="nothing was installed"):
            command.execute(parser.parse_args([]))
        assert command.execute(parser.parse_args(["--yes"])) == 7
    assert installations


@contextlib.contextmanager
def on_terminal(monkeypatch: pytest.MonkeyPatch, answer: str) -> Iterator[None]:
    """Standard input and error are a terminal on which somebody types."""
    own, theirs = pty.openpty()
    os.write(own, answer.encode() * 2)
    with os.fdopen(theirs, "r") as stdin, open(os.ttyname(theirs), "w", encoding="utf-8") as stderr:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys, "stderr", stderr)
        yield
    os.close(own)


@pytest.mark.parametrize("makefile_target", ["plots", "test", "test-all"])
def test_the_commands_of_the_readme_do_not_ask(makefile_target: str) -> None:
    done = subprocess.run(["make", "-n", makefile_target], cwd=paths.ROOT, check=True, capture_output=True, text=True)
    assert "--yes" in done.stdout.splitlines()[0]


REFUSED = "Could not connect to 127.0.0.1:9 (127.0.0.1). - connect (111: Connection refused)"


@pytest.mark.parametrize(
    "line",
    [
        f"E: Failed to fetch http://mirror/debian/pool/main/s/sl/sl_5.02-1_amd64.deb  {REFUSED}",
        f"W: Failed to fetch http://mirror/debian/dists/bookworm/InRelease  {REFUSED}",
        "W: Failed to fetch http://mirror/debian/dists/bookworm/InRelease  Could not resolve 'mirror'",
        "W: Failed to fetch http://mirror/debian/dists/bookworm/InRelease  Temporary failure resolving 'mirror'",
        "W: Failed to fetch http://mirror/debian/dists/bookworm/InRelease  Unable to connect to mirror:http:",
        "W: Failed to fetch http://mirror/debian/dists/b/InRelease  Could not connect to mirror:80 (192.0.2.1), connection timed out",
        "W: Failed to fetch http://mirror/debian/dists/b/InRelease  Cannot initiate the connection to mirror:80 (2001:db8::1)."
        " - connect (101: Network is unreachable)",
        "W: Failed to fetch http://mirror/debian/dists/b/InRelease  Connection failed",
    ],
)
def test_a_mirror_that_does_not_answer_is_known_by_apt_s_words(line: str) -> None:
    (silence,) = apt.silences(["Reading package lists...", line, line])
    assert silence.mirror == "http://mirror/debian"
    assert str(silence).startswith("the mirror http://mirror/debian does not answer (")
    assert "proxy" in str(silence) and "or name another mirror in /etc/apt/sources.list" in str(silence)


@pytest.mark.parametrize(
    "line",
    [
        "E: Failed to fetch http://mirror/debian/pool/main/s/sl/sl_5.02-1_amd64.deb  404  Not Found [IP: 192.0.2.1 80]",
        "E: Failed to fetch http://mirror/debian/pool/main/s/sl/sl_5.02-1_amd64.deb  Hash Sum mismatch",
        "E: Unable to locate package dsbench-no-such-package",
    ],
)
def test_another_failure_is_none_of_a_mirror_that_is_silent(line: str) -> None:
    assert apt.silences([line]) == []


def test_passwords_of_proxies_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://me:secret@proxy:3128")
    (silence,) = apt.silences([f"W: Failed to fetch http://you:hidden@mirror/debian/dists/bookworm/InRelease  {REFUSED}"])
    assert "http_proxy=http://proxy:3128" in str(silence)
    assert "secret" not in str(silence) and "hidden" not in str(silence)


def test_a_dead_mirror_is_named_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """apt-get itself, with sources and lists of the test's own and without root: refused connections are not retried."""
    (tmp_path / "lists/partial").mkdir(parents=True)
    (tmp_path / "sources").write_text("deb [trusted=yes] http://127.0.0.1:9/debian bookworm main\n", encoding="utf-8")
    settings = {
        "Dir::Etc::SourceList": tmp_path / "sources", "Dir::Etc::SourceParts": "/dev/null", "Dir::State::lists": tmp_path / "lists",
        "Dir::Cache": tmp_path, "Debug::NoLocking": "true", "APT::Sandbox::User": "root",
    }  # fmt: skip
    (tmp_path / "apt.conf").write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()), encoding="utf-8")
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.delenv("NO_INSTALL", raising=False)
    for name in apt.proxy_environment():
        monkeypatch.delenv(name)
    with pytest.raises(HarnessError) as caught:
        packages.refresh()
    assert str(caught.value).startswith("the package lists cannot be fetched: the mirror http://127.0.0.1:9/debian does not answer (Could not")
    assert str(caught.value).endswith(f"or name another mirror in {tmp_path}/sources")
    assert "Acquire::Retries=0" in (paths.logs() / packages.LOG).read_text(encoding="utf-8").rpartition("\n$ ")[2].splitlines()[0]
