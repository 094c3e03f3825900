# SPDX-License-Identifier: GPL-2.0
"""The command line as users meet it: the executable, and the Makefile."""

from __future__ import annotations

import os
import platform
import re
import signal
import subprocess
from pathlib import Path

import pytest

from dsharness import paths
from dsharness.targets import host

DSBENCH = paths.HARNESS / "dsbench"


def ran(*argv: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, cwd=paths.ROOT, env={**os.environ, **environment}, check=False, capture_output=True, text=True
    )


def test_help_names_every_command() -> None:
    text = ran(DSBENCH, "--help").stdout
    for command in ("doctor", "build", "exec", "shell", "sweep", "plot", "compare", "repeat", "lint", "clean", "load", "unload"):
        assert re.search(rf"^  {command}\b", text, re.MULTILINE)


def test_help_has_the_commands_in_groups() -> None:
    lines = ran(DSBENCH, "--help").stdout.splitlines()
    headings = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert headings[:6] == ["measure:", "compare:", "draw:", "run by hand:", "build and check:", "this machine:"]
    assert lines.index("measure:") < next(place for place, line in enumerate(lines) if line.startswith("  sweep ")) < lines.index("compare:")
    assert max(map(len, lines)) <= 100


def test_version_is_that_of_the_modules_with_the_revision() -> None:
    text = ran(DSBENCH, "--version").stdout
    header = (paths.ROOT / "modules/core/version.h").read_text(encoding="utf-8")
    match = re.fullmatch(r"dsbench ([0-9.]+)( \([0-9a-f]+(-dirty)?\))?\n", text)
    assert match and f'"{match[1]}"' in header


def test_options_are_not_abbreviated() -> None:
    result = ran(DSBENCH, "sweep", "--siz", "500")
    assert result.returncode == 2 and "--siz" in result.stderr


@pytest.mark.parametrize("command", [["--help"], ["doctor", "--help"], ["sweep", "--help"], ["plot", "--help"], ["compare", "--help"]])
def test_help_needs_no_extra_package(command: list[str]) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1));"
        "sys.modules.update(dict.fromkeys(('numpy', 'scipy', 'rich')));"
        "from dsharness.cli import main; sys.exit(main())"
    )
    result = ran("/usr/bin/python3", "-I", "-c", code, paths.HARNESS, *command)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("argv", "status", "sentence"),
    [
        (["swep"], 2, "command 'swep' is unknown: did you mean sweep?"),
        (["fly"], 2, "command 'fly' is unknown (dsbench --help lists all)"),
        (["build", "--target", "xen"], 2, "target 'xen' is unknown"),
        (["build", "--kernel", "new"], 2, "kernel 'new' is not a version"),
        (["install", "fun"], 2, "package group 'fun' is unknown"),
        (["load", "--n", "0"], 2, "--n is '0'"),
        (["load", "--tries", "many"], 2, "--tries is 'many'"),
    ],
)
def test_bad_input_is_one_sentence(argv: list[str], status: int, sentence: str) -> None:
    result = ran(DSBENCH, *argv)
    assert (result.returncode, result.stdout) == (status, "")
    assert result.stderr.startswith(f"dsbench: {sentence}") and result.stderr.count("\n") == 1


def test_an_unwritable_cache_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = ran(DSBENCH, "build", DSBENCH_CACHE=str(tmp_path / "file/cache"))
    assert result.returncode == 1
    assert result.stderr == f"dsbench: the cache (DSBENCH_CACHE) folder {tmp_path}/file/cache cannot be made: Not a directory\n"


def test_a_reader_that_leaves_is_no_error() -> None:
    result = ran("sh", "-c", f"{DSBENCH} doctor | true")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_it_with_the_usual_status(number: signal.Signals, status: int) -> None:
    code = (
        "import sys, time; sys.path.insert(0, sys.argv.pop(1));"
        "from dsharness import cli; from dsharness.commands import clean;"
        "clean.run = lambda args: (print('ready', flush=True), time.sleep(60));"
        "sys.exit(cli.main(['clean']))"
    )
    with subprocess.Popen(
        ["/usr/bin/python3", "-I", "-c", code, paths.HARNESS], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stdout.readline() == b"ready\n"
        process.send_signal(number)
        assert process.wait(10) == status


def test_doctor_looks_at_everything() -> None:
    result = ran(DSBENCH, "doctor")
    *_, verdict = result.stdout.splitlines()
    complaint = "make plots cannot work here without: "
    lacking = verdict.removeprefix(complaint).split(", ") if verdict.startswith(complaint) else []
    assert verdict == "make plots works here" or lacking
    assert result.returncode == bool(lacking)
    assert {*lacking} <= {"memory", "cache"}, "a busy machine may be short of room"
    for what in ("memory", "cache", "packages: plot", "UML kernel", "linux-source", "KVM", "headers", "loadable modules"):
        assert re.search(rf"^{what} ", result.stdout, re.MULTILINE)
    assert platform.release() in result.stdout


def test_doctor_fails_where_the_default_target_cannot_work(tmp_path: Path) -> None:
    (tmp_path / "closed").touch()
    result = ran(DSBENCH, "doctor", DSBENCH_CACHE=str(tmp_path / "closed/cache"))
    assert result.returncode == 1


def test_make_alone_explains_every_target() -> None:
    targets = re.findall(r"^([a-z_-]+):", (paths.ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    text = ran("make").stdout
    assert len(targets) > 12
    for target in targets:
        assert re.search(rf"^  {target} +\w", text, re.MULTILINE), target


@pytest.mark.parametrize("target", ["load", "modules_install"])
def test_a_host_that_cannot_load_modules_says_why(target: str) -> None:
    try:
        host.require()
    except Exception as error:
        result = ran("make", target)
        assert result.returncode != 0
        assert result.stderr.splitlines()[0] == f"dsbench: {error}"
    else:
        pytest.skip("modules can be loaded here: not done to the machine that tests")


def test_unload_with_nothing_loaded_is_well() -> None:
    result = ran("make", "unload")
    assert (result.returncode, result.stderr) == (0, "no module of dsbench is loaded\n")
