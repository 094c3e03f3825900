# SPDX-License-Identifier: GPL-2.0
"""What UML needs of the machine: folders that cannot have the guest's memory, forbidden ptrace, and UML's own complaints.

The file systems are mounted in a mount namespace of each command.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from dsharness import paths
from dsharness.errors import HarnessError
from dsharness.targets import umlhost

DSBENCH = str(paths.HARNESS / "dsbench")
NAMESPACE = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]

WITHOUT_PTRACE = """
import errno, os, seccomp, sys
forbidding = seccomp.SyscallFilter(seccomp.ALLOW)
forbidding.add_rule(seccomp.ERRNO(errno.EPERM), "ptrace")
forbidding.load()
os.execv(sys.argv[1], sys.argv[1:])
"""


def beside_mount(folder: Path | str, options: str, *argv: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command where `folder` is a tmpfs mounted with `options`."""
    script = f"mount -t tmpfs -o {options} none {folder} && exec {shlex.join(argv)}"
    return ran(*NAMESPACE, "sh", "-c", script, **environment)


def ran(*argv: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, **environment}
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, env=env)


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """Build the kernel and the modules, so that no test waits for them beside its mount."""
    done = ran(DSBENCH, "build", "--target", "uml")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def namespaces() -> None:
    """Skip a test where this user may not mount anything."""
    done = ran(*NAMESPACE, "true")
    if done.returncode:
        pytest.skip(f"no mount namespace can be made here: {done.stderr.strip()}")


@pytest.mark.parametrize("options", ["noexec", "size=16m"])
def test_a_shm_that_cannot_have_the_guest_s_memory_is_passed_over(options: str, namespaces: None) -> None:
    done = beside_mount("/dev/shm", options, DSBENCH, "exec", "--", "uname", "-m", TMPDIR="")
    assert (done.returncode, done.stdout) == (0, "x86_64\n"), done.stderr


def test_doctor_names_the_folder_that_it_booted_a_guest_in(namespaces: None, tmp_path: Path) -> None:
    done = beside_mount(tmp_path, "size=2g", DSBENCH, "doctor", TMPDIR=str(tmp_path))
    line = next(line for line in done.stdout.splitlines() if line.startswith("UML guest"))
    assert "boots and ends in" in line and line.endswith(f"its memory lies in {tmp_path}")


def test_a_tmpdir_that_does_not_exist_is_named_and_ignored(tmp_path: Path) -> None:
    done = ran(DSBENCH, "exec", "--", "uname", "-m", TMPDIR=str(tmp_path / "absent"))
    assert (done.returncode, done.stdout) == (0, "x86_64\n")
    assert done.stderr.splitlines()[0] == f"warning: TMPDIR is '{tmp_path}/absent', which is not a folder: it is ignored"


@pytest.mark.parametrize("command", [("exec", "--", "true"), ("doctor",)])
def test_forbidden_ptrace_is_one_sentence_with_its_remedy(command: tuple[str, ...]) -> None:
    pytest.importorskip("seccomp", reason="python3-seccomp makes the filter")
    done = ran("/usr/bin/python3", "-c", WITHOUT_PTRACE, DSBENCH, *command)
    assert done.returncode == 1
    said = (done.stdout if command == ("doctor",) else done.stderr).splitlines()
    assert [line for line in said if umlhost.NO_PTRACE in line]
    if command == ("doctor",):
        assert said[-1] == "make plots cannot work here without: UML guest"


def test_no_folder_is_large_enough() -> None:
    with pytest.raises(HarnessError) as caught:
        umlhost.place(1 << 40)
    assert "uml finds no folder for 1099511627776 MiB of guest memory: " in str(caught.value)
    assert "/tmp has " in str(caught.value) and str(caught.value).endswith(umlhost.OTHER_FOLDER)


def test_a_folder_on_a_disk_is_the_last_resort_and_warned_about(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(umlhost, "_file_systems", lambda: {tmp_path.stat().st_dev: "ext4", os.stat("/dev/shm").st_dev: "tmpfs"})
    if os.stat("/dev/shm").st_dev == tmp_path.stat().st_dev:
        pytest.skip("the temporary folder is in /dev/shm")
    assert umlhost.place(1) == umlhost.Place(Path("/dev/shm"), "")
    monkeypatch.setattr(umlhost, "FOLDERS", ())
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    place = umlhost.place(1)
    assert place.folder == tmp_path
    assert place.warning == f"the guest's memory is in {tmp_path}, on a disk (ext4): figures scatter while it is written"


@pytest.mark.parametrize(
    ("console", "meaning"),
    [
        (["Operation not permitted", "/dev/shm must be not mounted noexec"], "the folder of the guest's memory is mounted noexec"),
        (
            ["[    0.290000] Bus error - the host /dev/shm or /tmp mount likely just ran out of space",
             "[    0.290000] Kernel panic - not syncing: Kernel mode signal 7"],
            "the folder of the guest's memory is full",
        ),
        (["setup_physmem - mapping 522661888 bytes of memory at 0x(____ptrval____) failed - errno = -12"], "cannot be mapped"),
        (["ptrace: Operation not permitted", "check_ptrace : expected SIGSTOP, got status = 9"], "this machine forbids ptrace"),
        (["start_ptraced_child : fork failed: Resource temporarily unavailable"], "no more processes can be started"),
        (["[    0.1] ptrace of a user is no complaint", "missing pieces"], ""),
    ],
)  # fmt: skip
def test_the_complaints_of_uml_are_explained(console: list[str], meaning: str) -> None:
    """The texts are those that UML 6.12 printed where these things were forbidden."""
    found = umlhost.explained(console)
    assert meaning in found and bool(meaning) == bool(found)


def test_a_limit_of_address_space_is_explained() -> None:
    done = ran("sh", "-c", f"ulimit -v 400000; exec {DSBENCH} exec -- true")
    assert done.returncode != 0
    assert "the guest's memory cannot be mapped: raise ulimit -v" in done.stderr
