# SPDX-License-Identifier: GPL-2.0
"""What targets refuse, and how they read what a guest leaves; the guests themselves are in test_e2e_guests.py."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from dsharness import errors, paths, targets
from dsharness.errors import HarnessError, UsageError
from dsharness.kernel.build import Build
from dsharness.kernel.kernels import Kernel
from dsharness.targets import guest, host, qemucmd
from dsharness.targets.base import check_files


@pytest.mark.parametrize(
    ("name", "accel", "sentence"),
    [
        ("vmware", None, "target 'vmware' is unknown: there are uml, qemu, host"),
        ("qemu", "fast", "accelerator 'fast' is unknown: there are auto, kvm, tcg, icount"),
        ("uml", "kvm", "--accel kvm is for target qemu: uml has no accelerator"),
    ],
)
def test_what_there_is_not(name: str, accel: str | None, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        targets.get(name, None, accel)


def test_files_must_exist_and_differ_in_name(tmp_path: Path) -> None:
    one, two = tmp_path / "one/x", tmp_path / "two/x"
    for file in (one, two):
        file.parent.mkdir()
        file.touch()
    check_files([one])
    with pytest.raises(HarnessError, match="has the same name"):
        check_files([one, two])
    with pytest.raises(HarnessError, match="there is no such file"):
        check_files([tmp_path / "absent"])


def test_a_report_counts_by_whole_lines(tmp_path: Path) -> None:
    file = tmp_path / "status"
    file.write_bytes(b"read")
    report = guest.Report(file)
    report.update()
    assert not report.ready
    file.write_bytes(b"ready\nexit 13")
    report.update()
    assert report.ready and report.status is None
    file.write_bytes(b"ready\nexit 13\n")
    report.update()
    assert report.status == 13


def test_growing_files_pass_on_each_byte_once(tmp_path: Path) -> None:
    file = tmp_path / "stdout"
    file.touch()
    pieces: list[bytes] = []
    growing = guest.Growing(file, pieces.append)
    for piece in (b"", b"a\r", b"\n\0"):
        with file.open("ab") as stream:
            stream.write(piece)
        growing.read()
    assert pieces == [b"a\r", b"\n\0"]
    assert not growing.content
    kept = guest.Growing(file)
    kept.read()
    assert kept.content == b"a\r\n\0"


def test_output_that_a_sink_took_takes_neither_memory_nor_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest, "FREED_AT_ONCE", 1 << 20)
    file = tmp_path / "stdout"
    file.write_bytes(b"")
    taken = bytearray()
    growing = guest.Growing(file, taken.extend)
    size = 0
    for number in range(5):
        with file.open("ab") as stream:
            stream.write(bytes([65 + number]) * (3 << 20))
        growing.read()
        size += 3 << 20
        assert (len(taken), file.stat().st_size, growing.content) == (size, size, b"")
    assert taken == b"".join(bytes([65 + number]) * (3 << 20) for number in range(5))
    if subprocess.run(["fallocate", "--punch-hole", "--length", "4096", file], capture_output=True).returncode:
        pytest.skip("the file system of the temporary folder cannot give back a part of a file")
    assert file.stat().st_blocks * 512 < size / 2


def test_the_host_s_command_reads_the_input(built: Build) -> None:
    with subprocess.Popen(["echo", "hello"], stdout=subprocess.PIPE) as source:
        assert source.stdout
        assert targets.Host(built).run(["cat"], stdin=source.stdout.fileno()).stdout == b"hello\n"
    assert targets.Host(built).run(["cat"]).stdout == b""


def test_output_is_passed_on_or_kept(built: Build) -> None:
    passed: list[bytes] = []
    done = targets.Host(built).run(["sh", "-c", "echo out; echo error >&2"], on_stdout=passed.append)
    assert (b"".join(passed), done.stdout, done.stderr) == (b"out\n", b"", b"error\n")


def test_console_lines_have_no_control_characters(tmp_path: Path) -> None:
    log = tmp_path / "console"
    log.write_bytes(b"\x1b[2J\x1b[mone\r\n\n\a two \xff\n")
    assert guest.console_lines(log) == ["one", " two \N{REPLACEMENT CHARACTER}"]


def test_commas_in_paths_survive_qemu() -> None:
    words = qemucmd.argv("tcg", Path("/k"), Path("/i"), [qemucmd.to_file(Path("/a,b"))])
    assert "file,id=port0,append=on,path=/a,,b" in words


def test_emulated_cpus_run_at_once_where_they_are_told_to() -> None:
    threads = [
        word for at_once in (True, False) for word in qemucmd.argv("tcg", Path("/k"), Path("/i"), [], cpus=2, at_once=at_once)
        if word.startswith("tcg")
    ]  # fmt: skip
    assert threads == ["tcg,thread=multi", "tcg,thread=single"]


def test_counts_are_of_one_cpu_whatever_the_version_of_qemu(monkeypatch: pytest.MonkeyPatch) -> None:
    """QEMU 10 emulates short string instructions, and the kernel takes them: maple's fill then counts 15 % more instructions."""
    cpus = {}
    for known in ("erms fsrm", "erms fsrm fsrs fzrm"):
        monkeypatch.setattr(qemucmd, "_features", lambda known=known: frozenset(known.split()))
        words = qemucmd.argv("icount", Path("/k"), Path("/i"), [])
        cpus[known] = words[words.index("-cpu") + 1]
    assert list(cpus.values()) == [
        "max,family=15,model=107,stepping=1,-fsrm", "max,family=15,model=107,stepping=1,-fsrm,-fsrs,-fzrm",
    ]  # fmt: skip


def test_the_features_of_this_qemu_are_known() -> None:
    assert {"erms", "fsrm", "smap"} <= qemucmd._features()


NO_PROCESS = 1 << 23
"""No process has that number: it is above what the kernel gives."""


@pytest.fixture
def built(tmp_path: Path) -> Build:
    release = os.uname().release
    kernel = Kernel(release, (0, 0), "x86", tmp_path, None, None)
    (tmp_path / "ko").mkdir()
    (tmp_path / "ko/dsbench.ko").touch()
    return Build(kernel, tmp_path / "ko", tmp_path / "root")


def test_the_newest_consoles_of_a_kind_stay(built: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "LOGS", tmp_path / "logs")
    release = built.kernel.release
    ours = [f"uml-{release}-20261122-{number:06}-{NO_PROCESS - number}.console" for number in range(guest.CONSOLES_KEPT + 5)]
    others = [f"{kind}-20250101-000000-{NO_PROCESS}.console" for kind in (f"qemu-{release}", f"uml-{release}-rt")]
    others += ["build-uml.log", f"uml-{release}-20250101-000000-{os.getppid()}.console"]
    for name in (*ours, *others):
        (paths.logs() / name).touch()
    console = targets.Uml(built)._console()
    assert {file.name for file in paths.logs().iterdir()} == {*ours[6:], *others}
    assert console.name not in ours and console.parent == paths.logs()


def test_two_guests_of_one_second_have_a_console_each(built: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "LOGS", tmp_path / "logs")
    monkeypatch.setattr("time.strftime", lambda form: "20261122-000000")
    consoles = [targets.Uml(built)._console() for _ in range(guest.CONSOLES_KEPT + 5)]
    assert len(set(consoles)) == len(consoles) and sorted(consoles) == consoles
    for console in consoles:
        console.touch()
    newest = targets.Uml(built)._console()
    assert sorted(paths.logs().iterdir()) == consoles[1 - guest.CONSOLES_KEPT :]
    assert newest > consoles[-1]


BREAKPOINT = "[    2.004865] Oops: int3: 0000 [#1] SMP NOPTI"


class Falling(targets.Qemu):
    """A small PC whose console says `console`, and which ends before it has booted, as often as it is told."""

    def __init__(self, build: Build, console: str, falls: int, cpus: int = 2) -> None:
        super().__init__(build, "tcg", cpus=cpus)
        self.console, self.falls = console, falls
        self.boots: list[bool] = []
        """Of each boot, whether its CPUs ran at once."""

    def _argv(self, job: guest.Job) -> list[str]:
        self.boots.append(self._at_once)
        fall = f"echo '{self.console}'"
        stand = f"echo ready >>{job.status}; echo done >>{job.stdout}; echo exit 0 >>{job.status}"
        return ["sh", "-c", fall if len(self.boots) <= self.falls else stand]


@pytest.mark.parametrize("console", [BREAKPOINT, "[    1.5] int3: 0000 [#1] PREEMPT SMP NOPTI"])
def test_a_guest_that_falls_over_its_emulator_is_booted_once_more_with_cpus_that_take_turns(
    built: Build, capsys: pytest.CaptureFixture[str], console: str
) -> None:
    machine = Falling(built, console, falls=1)
    for _ in range(2):
        assert machine.run(["true"]).stdout == b"done\n"
    assert machine.boots == [True, False, False]
    (warning,) = machine.warnings
    assert "take turns" in warning and warning in capsys.readouterr().err


@pytest.mark.parametrize(
    ("console", "falls", "cpus", "boots"),
    [
        (BREAKPOINT, 2, 2, [True, False]),
        (BREAKPOINT, 1, 1, [False]),
        ("Kernel panic - not syncing: VFS", 1, 2, [True]),
    ],
)
def test_a_guest_that_falls_for_good_is_an_error(built: Build, console: str, falls: int, cpus: int, boots: list[bool]) -> None:
    machine = Falling(built, console, falls, cpus)
    with pytest.raises(HarnessError, match="the qemu guest ended while it booted"):
        machine.run(["true"])
    assert machine.boots == boots


def test_host_runs_beside_the_modules(built: Build, tmp_path: Path) -> None:
    note = tmp_path / "note"
    note.write_text("x")
    target = targets.Host(built)
    plain = target.run(["sh", "-c", "printf 'a\\r\\n\\0'; echo $DSBENCH_TARGET >&2; ls; exit 3"])
    assert (plain.status, plain.stdout, plain.stderr) == (3, b"a\r\n\0dsbench.ko\n", b"host\n")
    assert target.run(["ls"], files=[note]).stdout == b"dsbench.ko\nnote\n"


def test_host_passes_on_how_the_command_ended(built: Build) -> None:
    target = targets.Host(built)
    assert target.run(["sh", "-c", "kill -TERM $$"]).status == 128 + signal.SIGTERM
    missing = target.run(["no-such-command"])
    assert missing.status == 127
    assert b"no-such-command" in missing.stderr


def test_host_ends_a_command_that_hangs(built: Build) -> None:
    with pytest.raises(targets.GuestError, match="did not end within 0.5 s") as caught:
        targets.Host(built).run(["sleep", "1000"], timeout=0.5)
    assert caught.value.exit_code == errors.TIMED_OUT


def test_host_does_not_wait_for_what_the_command_left(built: Build) -> None:
    done = targets.Host(built).run(["sh", "-c", "sleep 1000 & echo over"], timeout=30)
    assert done.stdout == b"over\n"


def test_host_does_not_listen_for_ever_to_what_the_command_left(built: Build) -> None:
    done = targets.Host(built).run(["sh", "-c", "yes & echo over >&2"], timeout=30)
    assert (done.status, done.stderr) == (0, b"over\n")
    assert set(done.stdout.split(b"\n")) <= {b"y", b""}


def test_host_takes_all_that_the_command_said(built: Build) -> None:
    done = targets.Host(built).run(["sh", "-c", "seq 300000; exec seq 13000 >&2"], timeout=30)
    assert done.stdout.splitlines()[-1] == b"300000" and len(done.stdout.splitlines()) == 300_000
    assert done.stderr.splitlines() == [str(number).encode() for number in range(1, 13_001)]


@pytest.mark.parametrize(
    ("obstacle", "content", "sentence"),
    [
        ("MODULES", None, "no loadable modules"),
        ("MODULES_DISABLED", "1\n", "until a reboot"),
        ("LOCKDOWN", "none [integrity] confidentiality\n", "locked down"),
    ],
)
def test_host_names_what_keeps_it_from_loading(
    obstacle: str, content: str | None, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, harmless in (("MODULES", ""), ("MODULES_DISABLED", "0\n"), ("LOCKDOWN", "[none] integrity\n")):
        file = tmp_path / name
        file.write_text(harmless)
        monkeypatch.setattr(host, name, file)
    if os.geteuid() == 0:
        host.require()
    if content is None:
        (tmp_path / obstacle).unlink()
    else:
        (tmp_path / obstacle).write_text(content)
    with pytest.raises(HarnessError, match=sentence if os.geteuid() == 0 or content is None else "only root"):
        host.require()


@pytest.mark.parametrize("option", [("--timeout", "0"), ("--timeout", "soon"), ("--with", "/absent"), ("--accel", "kvm")])
def test_bad_options_of_exec_are_one_sentence(option: tuple[str, str]) -> None:
    done = subprocess.run(
        [paths.HARNESS / "dsbench", "exec", *option, "--", "true"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert option[1] in done.stderr.splitlines()[-1]
