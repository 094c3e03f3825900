# SPDX-License-Identifier: GPL-2.0
"""The C tools: they build without a warning, again only when they have to, and their manual is sound."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from dsharness import proc
from dsharness.errors import HarnessError
from dsharness.kernel import buildroot, tools


def test_it_builds_without_a_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(tools.paths, "BUILD", tmp_path)
    program = tools.udptunctl()
    assert "warning" not in capfd.readouterr().err
    made = program.stat().st_mtime_ns
    assert tools.udptunctl().stat().st_mtime_ns == made
    done = subprocess.run([program, "help"], check=True, capture_output=True, text=True)
    assert done.stdout.startswith("Usage: udptunctl add NAME")


def test_a_source_replaced_by_an_older_file_is_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tools.paths, "BUILD", tmp_path / "build")
    monkeypatch.setattr(tools, "SOURCES", tmp_path)
    (tmp_path / "udptunctl").mkdir()
    source = tmp_path / "udptunctl" / "main.c"
    for status in (3, 4):
        source.write_text(f"int main(void) {{ return {status}; }}\n", encoding="utf-8")
        os.utime(source, (1, 1))
        assert subprocess.run([tools.udptunctl()], check=False).returncode == status


def test_two_at_once_build_it_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tools.paths, "BUILD", tmp_path)
    monkeypatch.setattr(tools.paths, "LOGS", tmp_path / "logs")
    compilers: list[object] = []
    stream = proc.stream
    monkeypatch.setattr(proc, "stream", lambda argv, **how: compilers.append(argv) or stream(argv, **how))
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: tools.udptunctl(), range(2))
    assert first == second and len(compilers) == 1
    assert subprocess.run([first, "help"], check=False, capture_output=True).returncode == 0


def test_an_error_of_the_compiler_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tools.paths, "BUILD", tmp_path)
    monkeypatch.setattr(tools, "SOURCES", tmp_path / "tools")
    sources = tmp_path / "tools" / "udptunctl"
    sources.mkdir(parents=True)
    (sources / "main.c").write_text("int main(void) { return nothing; }\n", encoding="utf-8")
    with pytest.raises(HarnessError, match="udptunctl does not build .*nothing.*undeclared"):
        tools.udptunctl()
    assert not (tmp_path / "udptunctl").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Usage: udptunctl"),
        (["make"], 'Error: command "make" is unknown'),
        (["-j", "del", "x"], 'Error: "-j" is valid only with "show"'),
        (["add", "x", "kind", "vxlan"], 'Error: argument "vxlan" is wrong: "kind" takes udptun or udptun_rust'),
        (["add", "x", "kind", "udptun", "kind", "udptun"], 'Error: "kind" is given twice'),
        (["add", "x", "ttl", "0x100"], 'Error: argument "0x100" is wrong: "ttl" takes a number from 1 to 255, or inherit'),
        (["show", "no-such-device"], 'Cannot find device "no-such-device"'),
        (["del", "lo"], 'Error: "lo" is not a udptun device'),
    ],
)
def test_wrong_usage(words: list[str], sentence: str) -> None:
    done = subprocess.run([tools.udptunctl(), *words], check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(sentence)


@pytest.mark.parametrize("debian", ["this", "next"])
def test_ip_has_the_interface_that_its_plugin_declares(debian: str) -> None:
    """No header says so: compare the functions that ip exports, and the size of its structures, with what the plugin takes them for."""
    program = Path("/usr/sbin/ip").resolve()
    if debian == "next":
        try:
            program = buildroot.find().path / "usr/bin/ip"
        except HarnessError as error:
            pytest.skip(str(error))
    plugin, ip = symbols(tools.ip_plugin()), symbols(program)
    taken = {name for name, symbol in plugin.items() if symbol.kind == "U" and "@" not in name}
    assert len(taken) > 5
    assert taken <= {name for name, symbol in ip.items() if symbol.kind == "T"}
    kinds = {symbol.size for name, symbol in ip.items() if name.endswith("_link_util")}
    kinds_of_ours = {"udptun_link_util", "udptun_rust_link_util"}
    assert kinds == {plugin[name].size for name in kinds_of_ours}
    ours = {name for name, symbol in plugin.items() if symbol.kind in "TDBR"}
    assert ours == kinds_of_ours, "ip's functions of the same name would replace ours"


@dataclass(frozen=True)
class Symbol:
    """A dynamic symbol: its kind, a letter of nm, and its size in bytes."""

    kind: str
    size: int


def symbols(program: Path) -> dict[str, Symbol]:
    """Return the dynamic symbols of a program by name."""
    listed = subprocess.run(["nm", "--dynamic", "--print-size", program], check=True, capture_output=True, text=True).stdout
    rows = (line.split() for line in listed.splitlines())
    return {row[-1]: Symbol(row[-2], int(row[1], 16) if len(row) == 4 else 0) for row in rows}


@pytest.mark.parametrize("kind", ["udptun", *tools.MORE_KINDS])
def test_the_usage_is_made_of_the_table(kind: str) -> None:
    """What udptunctl and ip print differs by what ip has itself."""
    usage = subprocess.run([tools.udptunctl(), "help"], check=True, capture_output=True, text=True).stdout
    help_of_ip = ["ip", "link", "help", kind]
    environment = {**os.environ, "IP_LIB_DIR": str(tools.ip_plugin().parent)}
    done = subprocess.run(help_of_ip, check=False, capture_output=True, text=True, env=environment)
    options = [" ".join(text.partition("OPTIONS := ")[2].split()) for text in (usage, done.stdout)]
    assert done.stdout.startswith(f"Usage: ... {kind} local ADDR")
    assert options[0] == f"[ kind {{ udptun | udptun_rust }} ] {options[1]} [ mtu BYTES ]"
    assert all(len(line) <= 80 for line in usage.splitlines())


def test_a_full_disk_is_noticed() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([tools.udptunctl(), "help"], check=False, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert "Cannot write: No space left on device" in done.stderr


def test_the_manual_names_every_word() -> None:
    manual = (tools.SOURCES / "udptunctl" / "udptunctl.8").read_text(encoding="utf-8")
    usage = subprocess.run([tools.udptunctl(), "help"], check=True, capture_output=True, text=True).stdout
    for word in set(usage.replace("|", " ").split()):
        if word.islower() and word.isalnum() and word != "udptunctl" and ".." not in word:
            assert word in manual, word
