# SPDX-License-Identifier: GPL-2.0
"""The build root: entered, it has the newest tools and writes only where it may; left, nothing of it stays."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from dsharness import paths, proc
from dsharness.errors import HarnessError
from dsharness.kernel import buildroot

UNREACHABLE = "http://127.0.0.1:9/debian/"


@pytest.fixture(scope="module")
def root() -> buildroot.BuildRoot:
    """The one in the cache."""
    try:
        return buildroot.find()
    except HarnessError as error:
        pytest.skip(str(error))


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of the test's own, and a mirror that does not answer."""
    monkeypatch.setenv("DSBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(buildroot, "mirror", lambda: UNREACHABLE)
    yield tmp_path


def run(root: buildroot.BuildRoot, script: str) -> subprocess.CompletedProcess[str]:
    """Run a shell script inside."""
    return subprocess.run(root.command(["sh", "-c", script]), check=False, capture_output=True, text=True)


def test_has_the_compiler_and_the_headers(root: buildroot.BuildRoot) -> None:
    answer = run(root, f"make -s -C {root.kdir} kernelrelease && x86_64-linux-gnu-gcc-14 -dumpversion")
    assert answer.stdout.split() == [root.release, "14"], answer.stderr


def test_gives_back_status_and_output(root: buildroot.BuildRoot) -> None:
    answer = run(root, "echo out; echo err >&2; exit 7")
    assert (answer.returncode, answer.stdout, answer.stderr) == (7, "out\n", "err\n")


def test_project_is_at_its_own_path(root: buildroot.BuildRoot) -> None:
    assert run(root, f"test -f {paths.HARNESS}/packages.txt").returncode == 0


def test_build_folder_is_writable(root: buildroot.BuildRoot) -> None:
    file = paths.objects() / "written-inside"
    assert run(root, f"echo inside > {file}").returncode == 0
    assert file.read_text() == "inside\n"
    file.unlink()


def test_objects_outside_of_the_project_are_writable(root: buildroot.BuildRoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are in the cache if kbuild refuses the path of the project."""
    monkeypatch.setenv("DSBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(paths, "BUILD", tmp_path / "it's 100%" / "build")
    file = paths.objects() / "written-inside"
    assert run(root, f"echo inside > {file}").returncode == 0
    assert file.read_text() == "inside\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make every mount read-only")
@pytest.mark.parametrize("folder", [str(paths.ROOT), "/usr", "/etc"])
def test_all_else_is_read_only(root: buildroot.BuildRoot, folder: str) -> None:
    answer = run(root, f"touch {folder}/written-inside")
    assert "Read-only file system" in answer.stderr


def test_sees_no_process_of_the_machine(root: buildroot.BuildRoot) -> None:
    assert run(root, f"test -e /proc/{os.getpid()}/exe").returncode != 0


def test_leaves_no_mount(root: buildroot.BuildRoot) -> None:
    run(root, "true")
    assert str(root.path) not in Path("/proc/self/mountinfo").read_text()
    assert not list((root.path / "mnt").iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_leaves_no_process(root: buildroot.BuildRoot, number: signal.Signals) -> None:
    mark = f"9{os.getpid()}{int(number)}"
    argv = root.command(["sh", "-c", f"setsid sleep {mark} & sleep {mark}"])
    with proc.child(argv) as process:
        wait_until(lambda: len(sleeping(mark)) == 2)
        os.killpg(process.pid, number)
    wait_until(lambda: not sleeping(mark))


def test_leaves_no_process_when_the_harness_is_killed(root: buildroot.BuildRoot) -> None:
    mark = f"8{os.getpid()}"
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path;"
        "from dsharness import proc; from dsharness.kernel import buildroot;"
        "proc.stream(buildroot.BuildRoot(Path(sys.argv[2]), sys.argv[3]).command(['sh', '-c', sys.argv[4]]))"
    )
    argv = [sys.executable, "-c", code, paths.HARNESS, root.path, root.release, f"sleep {mark} & sleep {mark}"]
    with subprocess.Popen(argv) as harness:
        wait_until(lambda: len(sleeping(mark)) == 2)
        harness.kill()
    wait_until(lambda: not sleeping(mark))


def test_falls_back_on_the_root_that_is_there(empty_cache: Path, capfd: pytest.CaptureFixture[str]) -> None:
    there = empty_cache / "buildroot" / f"{buildroot.SUITE}_7.3.4_x"
    there.mkdir(parents=True)
    (there / ".release").write_text("7.3.4")
    assert buildroot.find() == buildroot.BuildRoot(there, "7.3.4")
    assert "going on with the build root that is there" in capfd.readouterr().err


def test_without_mirror_says_so(empty_cache: Path) -> None:
    with pytest.raises(HarnessError, match="package lists of trixie-backports cannot be fetched: .*127.0.0.1"):
        buildroot.find()


def test_mmdebstrap_gets_the_proxies_of_apt_and_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "apt.conf").write_text('Acquire::http::Proxy "http://of-apt:3128/";\nAcquire::http::Proxy::near "DIRECT";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    monkeypatch.setenv("https_proxy", "http://of-the-environment:3128/")
    monkeypatch.setenv("http_proxy", "")
    called: list[tuple[list[str], dict[str, str]]] = []

    def call(argv: Sequence[str], *, env: dict[str, str], **_options: object) -> proc.Finished:
        called.append((list(map(str, argv)), env))
        return proc.Finished(0, ())

    monkeypatch.setattr(proc, "stream", call)
    buildroot._bootstrap(tmp_path / "root.tar", "7.3.4+deb13-amd64")
    ((argv, environment),) = called
    options = [word.removeprefix("--aptopt=") for word in argv if word.startswith("--aptopt=")]
    assert {'Acquire::http::Proxy "http://of-apt:3128/"', 'Acquire::http::Proxy::near "DIRECT"', 'Acquire::Retries "1"'} <= set(options)
    assert environment["https_proxy"] == "http://of-the-environment:3128/"
    assert "http_proxy" not in environment
    assert any("99mmdebstrap" in word for word in argv), "the root keeps no password of a proxy"


def test_mmdebstrap_uses_the_proxy_of_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """mmdebstrap itself, by a proxy at which nobody listens."""
    if not shutil.which("mmdebstrap") or not buildroot.KEYRING.exists():
        pytest.skip("mmdebstrap or its keyring is not installed")
    (tmp_path / "apt.conf").write_text('Acquire::http::Proxy "http://127.0.0.1:9/";\n')
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    monkeypatch.setattr(buildroot, "mirror", lambda: "http://127.0.0.1:7/debian/")
    with pytest.raises(HarnessError) as caught:
        buildroot._bootstrap(tmp_path / "root.tar", "7.3.4+deb13-amd64")
    assert "mmdebstrap cannot make the build root: the mirror http://" in str(caught.value)
    assert "does not answer (Could not connect to 127.0.0.1:9" in str(caught.value)
    assert 'the proxy, Acquire::http::Proxy "http://127.0.0.1:9/"' in str(caught.value)


def sleeping(mark: str) -> list[str]:
    """The processes that sleep for `mark` seconds."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", mark.encode()]:
            found.append(entry.parent.name)
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Fail unless `condition()` becomes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
