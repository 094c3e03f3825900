# SPDX-License-Identifier: GPL-2.0
"""Real guests, from the command line: input, output, and that nothing stays behind.

One command in one guest of each target serves the tests of ordinary commands. UML runs every case. On QEMU, where a boot
costs 12 CPU seconds, cases that do not depend on the target are a matrix.
"""

from __future__ import annotations

import hashlib
import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from dsharness import errors, paths, targets
from dsharness.kernel import kernels
from dsharness.kernel.build import Build
from guests import CELLS, rows

DSBENCH = paths.HARNESS / "dsbench"
Where = tuple[str, ...]

UML: Where = ("--target", "uml")
QEMU: Where = ("--target", "qemu", "--accel", "icount")
QEMU_6_1: Where = (*QEMU, "--kernel", "6.1")


def param(where: Where, name: str, *marks: pytest.MarkDecorator) -> object:
    """A case of a test on this target; tests of different targets may run at the same time."""
    return pytest.param(where, id=name, marks=[*marks, pytest.mark.xdist_group(f"guests-{name}")])


BOTH = pytest.mark.parametrize("where", [param(UML, "uml"), param(QEMU, "qemu")])
UML_FIRST = pytest.mark.parametrize("where", [param(UML, "uml"), param(QEMU, "qemu", pytest.mark.matrix)])
"""For cases that do not depend on the target."""

HANG = ("sh", "-c", "echo begun; while :; do :; done")


def command(where: Where, argv: Sequence[str], *options: str) -> list[str]:
    return [str(DSBENCH), "exec", *where, *options, "--", *argv]


def execute(where: Where, argv: Sequence[str], *options: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(command(where, argv, *options), stdin=subprocess.DEVNULL, capture_output=True, timeout=300)


def guests_of(folder: Path) -> list[int]:
    """The processes of guests that keep their files in `folder`: it is in their working folder or command line."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
            where = os.readlink(process / "cwd")
        except OSError:
            continue
        if where.startswith(str(folder)) or str(folder).encode() in words:
            found.append(int(process.name))
    return found


def wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + 15
    while guests := guests_of(folder):
        assert time.monotonic() < deadline, f"still there: {guests}"
        time.sleep(0.1)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A TMPDIR of this test: a guest whose files are there belongs to this test."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    yield tmp_path
    wait_until_gone(tmp_path)


PARTS = {
    "input": "sha256sum",
    "machine": "cat /proc/cmdline; grep MemTotal /proc/meminfo",
    "modules": "[ $DSBENCH_TARGET = uml ] || { modprobe -a vrf nft_masq && lsmod; }",
    "bytes": r"printf 'a\r\nb\0\377\n\033[m\t'",
    "much": "seq 40000",
    "arguments": """printf '%s|' "$@" """,
    "files": "cat 'note with blank'; ls dsbench.ko; echo x >new; cat new",
    "target": "echo $DSBENCH_TARGET; [ -t 1 ] || echo pipe",
    "literal": "insmod dsbench.ko n=100 tries=10 && cat /proc/dsbench && rmmod dsbench; echo status $?",
    "kmod": "sh -c 'modprobe --version' && depmod && modprobe dsbench_list && lsmod && rmmod dsbench_list; echo status $?",
    "background": "(trap '' HUP TERM; while :; do :; done) & echo over",
}
"""Parts of one command, by the test that checks the part."""

HALF = bytes(range(256)) * 300
"""Half of the command's input. The other half comes when the guest boots already, in more than one piece."""
CHOICES = ("--memory", "700M", "--append", "slab_nomerge dsbench.note='a b'")
MARK = "@-part-@"
ARGUMENTS = ("a b", "'", '"$HOME"', "", "*\n", "ä")


@dataclass(frozen=True)
class Ran:
    """What the command with all parts left."""

    status: int
    parts: dict[str, bytes]
    """Name -> output of the part."""
    stderr: bytes
    left: list[str]
    """Names of files that the harness left in its TMPDIR."""


@pytest.fixture(scope="module")
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A command with all parts, in a guest of the target that the parameter names."""
    folder = tmp_path_factory.mktemp("ran")
    note = folder / "note with blank"
    note.write_bytes(b"hello\n")
    temporary = tmp_path_factory.mktemp("temporary")
    text = f"; printf {MARK}; ".join(PARTS.values()) + r"; printf 'e\n\r' >&2; exit 7"
    argv = command(request.param, ["sh", "-c", text, "sh", *ARGUMENTS], "--with", str(note), "--timeout", "100", *CHOICES)
    if "qemu" in request.param:
        argv[2:2] = ["--module", "vrf", "nft-masq"]
    half = folder / "half of the input"
    half.write_bytes(HALF)
    with (
        pytest.MonkeyPatch.context() as patch,
        subprocess.Popen(["sh", "-c", 'cat "$0"; sleep 2; cat "$0"', half], stdout=subprocess.PIPE) as source,
    ):
        patch.setenv("TMPDIR", str(temporary))
        done = subprocess.run(argv, stdin=source.stdout, capture_output=True, timeout=300)
        wait_until_gone(temporary)
    outputs = done.stdout.split(MARK.encode())
    assert len(outputs) == len(PARTS), (done.returncode, done.stderr)
    return Ran(done.returncode, dict(zip(PARTS, outputs, strict=True)), done.stderr, os.listdir(temporary))


RAN = pytest.mark.parametrize(
    "ran", [param(UML, "uml"), param(QEMU, "qemu"), param(QEMU_6_1, "qemu-6.1", pytest.mark.matrix)], indirect=True
)


def target_of(request: pytest.FixtureRequest) -> Where:
    """The target of a test that is parametrized by RAN."""
    where: Where = request.node.callspec.params["ran"]
    return where


@RAN
def test_output_comes_back_to_the_byte(ran: Ran) -> None:
    assert ran.status == 7
    assert ran.parts["bytes"] == b"a\r\nb\0\xff\n\x1b[m\t"
    assert ran.stderr.endswith(b"e\n\r")
    assert not ran.left


@RAN
def test_input_reaches_the_command_to_the_byte(ran: Ran) -> None:
    assert ran.parts["input"].split()[0] == hashlib.sha256(HALF * 2).hexdigest().encode()


@RAN
def test_the_guest_has_the_memory_and_the_parameters_that_were_asked_for(ran: Ran) -> None:
    line, _, memory = ran.parts["machine"].decode().partition("\n")
    assert 'slab_nomerge dsbench.note="a b"' in line
    assert 640 << 10 < int(memory.split()[1]) <= 700 << 10


@RAN
def test_modules_of_the_kernel_s_package_come_with_all_that_they_need(ran: Ran, request: pytest.FixtureRequest) -> None:
    if "uml" in target_of(request):
        pytest.skip("uml's kernel has no package with further modules")
    assert {b"vrf", b"nft_masq", b"nf_nat", b"libcrc32c"} <= {line.split()[0] for line in ran.parts["modules"].splitlines()}


def test_much_input_reaches_the_command(tmp_path: Path) -> None:
    file = tmp_path / "much"
    file.write_bytes(os.urandom(1 << 20) * 20)
    with file.open("rb") as source:
        done = subprocess.run(command(UML, ["sha256sum"]), stdin=source, capture_output=True, timeout=300)
    assert done.stdout.split()[0] == hashlib.sha256(file.read_bytes()).hexdigest().encode()


def test_a_command_ends_whatever_its_input_does(temporary: Path) -> None:
    with subprocess.Popen(["sleep", "1000"], stdout=subprocess.PIPE) as silent:
        done = subprocess.run(command(UML, ["sh", "-c", "echo over"]), stdin=silent.stdout, capture_output=True, timeout=100)
        silent.kill()
    assert (done.returncode, done.stdout) == (0, b"over\n")


@pytest.mark.parametrize("source", ["</dev/null", "<&-"])
def test_no_input_is_an_empty_one(source: str, temporary: Path) -> None:
    done = subprocess.run(["sh", "-c", f'exec "$@" {source}', "sh", *command(UML, ["cat"])], capture_output=True, timeout=100)
    assert (done.returncode, done.stdout) == (0, b"")


def test_a_terminal_is_no_input_of_a_command(temporary: Path) -> None:
    assert Interactive(command(UML, ["cat"])).status() == 0


@RAN
def test_much_output_comes_back_whole(ran: Ran) -> None:
    assert ran.parts["much"] == b"".join(b"%d\n" % number for number in range(1, 40001))


@RAN
def test_arguments_pass_unchanged(ran: Ran) -> None:
    assert ran.parts["arguments"] == 'a b|\'|"$HOME"||*\n|ä|'.encode()


@RAN
def test_files_lie_beside_the_modules(ran: Ran) -> None:
    assert ran.parts["files"] == b"hello\ndsbench.ko\nx\n"


@RAN
def test_kmod_is_the_real_one_and_finds_the_modules(ran: Ran) -> None:
    assert ran.parts["kmod"].endswith(b"status 0\n"), ran.stderr
    assert ran.parts["kmod"].startswith(b"kmod version")
    assert b"dsbench_list" in ran.parts["kmod"]


@RAN
def test_the_guest_is_told_its_target(ran: Ran, request: pytest.FixtureRequest) -> None:
    assert ran.parts["target"].split() == [target_of(request)[1].encode(), b"pipe"]


@RAN
def test_literal_use(ran: Ran, request: pytest.FixtureRequest) -> None:
    literal = ran.parts["literal"].decode()
    assert literal.endswith("status 0\n"), ran.stderr
    assert sorted((row.container, row.op) for row in rows(literal)) == CELLS
    assert ("# unit: instructions" in literal) == ("qemu" in target_of(request))


@RAN
def test_background_processes_of_the_command_are_ended(ran: Ran) -> None:
    assert (ran.status, ran.parts["background"]) == (7, b"over\n")


@UML_FIRST
def test_a_command_that_does_not_exist(where: Where, temporary: Path) -> None:
    done = execute(where, ["no-such-command"])
    assert done.returncode == 127
    assert b"no-such-command" in done.stderr


@UML_FIRST
def test_the_status_of_a_command_that_a_signal_ended(where: Where, temporary: Path) -> None:
    done = execute(where, ["sh", "-c", "kill -TERM $$"])
    assert done.returncode == 128 + signal.SIGTERM


@BOTH
def test_a_command_that_hangs_is_ended(where: Where, temporary: Path) -> None:
    done = execute(where, HANG, "--timeout", "6")
    assert done.returncode == errors.TIMED_OUT
    assert done.stdout == b"begun\n"
    assert b"the command did not end within 6 s" in done.stderr
    assert re.search(rb"its console, (.*\.console):", done.stderr)


def test_a_reader_that_closes_the_pipe_ends_the_guest(temporary: Path) -> None:
    argv = command(UML, ["sh", "-c", "while :; do echo more; done"])
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as harness:
        assert harness.stdout is not None and harness.stderr is not None
        assert harness.stdout.read(5) == b"more\n"
        harness.stdout.close()
        assert harness.wait(timeout=60) == 128 + signal.SIGPIPE
        assert b"Traceback" not in harness.stderr.read()


def test_a_panic_of_a_stock_kernel_is_shown(temporary: Path) -> None:
    done = execute(QEMU, ["sh", "-c", "echo c >/proc/sysrq-trigger"])
    assert done.returncode == errors.CRASHED
    assert b"sysrq triggered crash" in done.stderr
    named = re.search(rb"its console, (.*\.console):", done.stderr)
    assert named and b"Kernel panic" in Path(os.fsdecode(named[1])).read_bytes()


def test_an_oops_in_uml_is_shown(temporary: Path) -> None:
    module = oops_module(temporary)
    done = execute(UML, ["insmod", module.name], "--with", str(module))
    assert done.returncode == errors.CRASHED
    assert b"Kernel panic" in done.stderr
    for left in temporary.iterdir():
        assert left.name == "oops"


def oops_module(folder: Path) -> Path:
    """A module that dereferences a NULL pointer when it is loaded."""
    home = folder / "oops"
    home.mkdir()
    (home / "Kbuild").write_text("obj-m := oops.o\n")
    (home / "oops.c").write_text(
        "#include <linux/module.h>\n"
        "static int *nowhere;\n"
        "static int __init oops(void) { WRITE_ONCE(*READ_ONCE(nowhere), 1); return 0; }\n"
        'module_init(oops);\nMODULE_LICENSE("GPL");\nMODULE_DESCRIPTION("oops");\n'
    )
    kernel = kernels.find("uml")
    subprocess.run(
        ["make", "-C", kernel.kdir, f"M={home}", f"ARCH={kernel.arch}", "modules"], check=True, capture_output=True
    )
    return home / "oops.ko"


@BOTH
def test_a_guest_that_powers_off_early_is_reported(where: Where, temporary: Path) -> None:
    done = execute(where, ["busybox", "poweroff", "-f"])
    assert done.returncode == errors.CRASHED
    assert b"ended before its command did" in done.stderr


@pytest.mark.parametrize("kind", [targets.Uml, targets.Qemu])
def test_an_image_that_is_not_a_kernel_is_reported(kind: type, temporary: Path) -> None:
    image = temporary / "not-a-kernel"
    image.write_bytes(b"#!/bin/false\n")
    found = kernels.find("uml")
    kernel = kernels.Kernel(found.release, found.version, found.arch, found.kdir, image, None)
    build = Build(kernel, temporary / "ko", temporary / "root")
    target = targets.Qemu(build, "tcg") if kind is targets.Qemu else targets.Uml(build)
    (temporary / "ko").mkdir()
    with pytest.raises(targets.GuestError) as caught:
        target.run(["true"])
    assert caught.value.exit_code == errors.CRASHED
    assert "while it booted" in str(caught.value)


def test_uml_cannot_write_to_the_host(temporary: Path) -> None:
    probe = temporary / "probe"
    probe.write_text("host\n")
    script = f"echo guest >{paths.ROOT}/guest-was-here; echo guest >/etc/hostname; mount -o remount,rw /; rm -rf /usr/bin/gcc"
    done = execute(UML, ["sh", "-c", f"{script}; cat /etc/hostname; ls /usr/bin/gcc || echo gone"])
    assert done.stdout == b"guest\ngone\n"
    assert not (paths.ROOT / "guest-was-here").exists()
    assert Path("/etc/hostname").read_text() != "guest\n"
    assert Path("/usr/bin/gcc").exists()
    probe.unlink()


SIGNALS = {"INT": signal.SIGINT, "TERM": signal.SIGTERM, "KILL": signal.SIGKILL}
ORPHANS = [
    pytest.param(
        where, number, phase, id=f"{phase}-{name}-{target}",
        marks=[
            pytest.mark.xdist_group(f"guests-{target}"),
            *([pytest.mark.matrix] if (target, phase) == ("qemu", "run") and name != "KILL" else []),
        ],
    )
    for phase in ("boot", "run")
    for name, number in SIGNALS.items()
    for target, where in (("uml", UML), ("qemu", QEMU))
]  # fmt: skip


@pytest.mark.parametrize(("where", "number", "phase"), ORPHANS)
def test_no_orphan(where: Where, number: signal.Signals, phase: str, temporary: Path) -> None:
    argv = command(where, HANG)
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as harness:
        assert harness.stdout is not None
        if phase == "run":
            assert harness.stdout.read(6) == b"begun\n"
        deadline = time.monotonic() + 120
        while not guests_of(temporary):
            assert harness.poll() is None and time.monotonic() < deadline, "no guest was started"
            time.sleep(0.02)
        harness.send_signal(number)
        status = harness.wait(timeout=30)
    assert status == {signal.SIGINT: 130, signal.SIGTERM: 128 + signal.SIGTERM}.get(number, -number)
    wait_until_gone(temporary)


@BOTH
def test_shell_on_a_terminal(where: Where, temporary: Path) -> None:
    shell = Interactive([str(DSBENCH), "shell", *where])
    shell.expect(rb"dsbench:\w+:/dsbench# ")
    shell.type(b"stty size; ls dsbench.ko\n")
    shell.expect(rb"33 101\r+\n.*dsbench\.ko\r")
    shell.type(b"cat\n")
    time.sleep(1)
    shell.type(b"\x03")
    shell.expect(rb"\^C\r+\n.*# ")
    shell.type(b"exit 3\n")
    assert shell.status() == 3


@UML_FIRST
def test_shell_takes_its_input_from_a_pipe(where: Where, temporary: Path) -> None:
    done = subprocess.run(
        [DSBENCH, "shell", *where], input=b"echo $((6 * 7))\nexit 5\n", capture_output=True, timeout=300
    )
    assert done.returncode == 5
    assert b"42\r\n" in done.stdout


@UML_FIRST
def test_the_escape_ends_a_shell_that_hangs(where: Where, temporary: Path) -> None:
    shell = Interactive([str(DSBENCH), "shell", *where])
    shell.expect(rb"# ")
    shell.type(b"trap '' INT; while :; do :; done\n")
    time.sleep(1)
    shell.type(b"\x1d")
    assert shell.status() == 130


class Interactive:
    """A program on a terminal of 33 rows and 101 columns."""

    def __init__(self, argv: list[str]) -> None:
        self._read = b""
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            subprocess.run(["stty", "rows", "33", "cols", "101"], check=False)
            os.execv(argv[0], argv)

    def type(self, text: bytes) -> None:
        os.write(self._terminal, text)

    def expect(self, pattern: bytes) -> None:
        """Read until the pattern is found, for two minutes at most."""
        deadline = time.monotonic() + 120
        while not (found := re.search(pattern, self._read, re.DOTALL)):
            assert select.select([self._terminal], [], [], max(deadline - time.monotonic(), 0))[0], self._read
            self._read += os.read(self._terminal, 4096)
        self._read = self._read[found.end() :]

    def status(self) -> int:
        """Wait for the end, for two minutes at most, and return the exit status."""
        deadline = time.monotonic() + 120
        while select.select([self._terminal], [], [], max(deadline - time.monotonic(), 0))[0]:
            try:
                os.read(self._terminal, 4096)
            except OSError:
                break
        while not (ended := os.waitpid(self._pid, os.WNOHANG))[0]:
            if time.monotonic() > deadline:
                os.kill(self._pid, signal.SIGKILL)
                os.waitpid(self._pid, 0)
                pytest.fail("the program does not end")
            time.sleep(0.05)
        status = ended[1]
        os.close(self._terminal)
        return os.waitstatus_to_exitcode(status)
