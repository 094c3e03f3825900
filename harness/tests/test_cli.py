# SPDX-License-Identifier: GPL-2.0
"""The command line as users meet it: the executable, and the Makefile."""

from __future__ import annotations

import argparse
import os
import platform
import re
import signal
import subprocess
from pathlib import Path

import pytest

from dsharness import cli, paths
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
        (["swep"], 2, "command 'swep' is unknown; did you mean sweep? (dsbench --help lists all)"),
        (["fly"], 2, "command 'fly' is unknown (dsbench --help lists all)"),
        (["build", "--target", "xen"], 2, "target 'xen' is unknown"),
        (["build", "--kernel", "new"], 2, "kernel 'new' is not a version"),
        (["install", "fun"], 2, "package group 'fun' is unknown"),
        (["load", "--n", "0"], 2, "--n is '0'"),
        (["load", "--tries", "many"], 2, "--tries is 'many'"),
        (["sweep", "--siz", "500"], 2, "option --siz is unknown; did you mean --sizes? (dsbench sweep --help lists the options)"),
        (["sweep", "--sizes"], 2, "argument --sizes: expected at least one argument (dsbench sweep --help lists the options)"),
        (["clean", "x"], 2, "'x' is one argument too many (dsbench clean --help lists the options)"),
        (["clean", "--cache", "--unused"], 2, "argument --unused: not allowed with argument --cache"),
        (["compare"], 2, "the following arguments are required: FILE"),
        (["exec", "ls", "-l"], 2, "option -l is unknown: options of COMMAND stand behind --"),
        (["exec", "--targ", "uml", "--", "ls"], 2, "option --targ is unknown: options of COMMAND stand behind --; did you mean --target?"),
        (["exec", "--cpus", "0", "--", "ls"], 2, "--cpus is '0': allowed are whole numbers from 1 to 64"),
        (["exec", "--timeout", "x", "--", "ls"], 2, "--timeout is 'x': allowed are seconds above 0"),
    ],
)
def test_bad_input_is_one_sentence(argv: list[str], status: int, sentence: str) -> None:
    result = ran(DSBENCH, *argv)
    assert (result.returncode, result.stdout) == (status, "")
    assert result.stderr.startswith(f"dsbench: {sentence}") and result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("argv", "near"),
    [
        ("exec --target uqml -- ls", "uml"),
        ("shell --accel icout", "icount"),
        ("build --target qem", "qemu"),
        ("sweep --container sorted_aray", "sorted_array"),
        ("sweep --op List fil", None),
        ("sweep --op fil", "fill"),
        ("sweep --device UDPTUN", "udptun"),
        ("sweep --order shufled", "shuffled"),
        ("ab HEAD HEAD --fail-on slowr", "slower"),
        ("compare a b --across kernal", "kernel"),
        ("crosscheck --target qmu", "qemu"),
        ("tunnel --device wiregard", "wireguard"),
        ("quality --only cycle", "cycles"),
        ("lint --only shel", "shell"),
        ("install plto", "plot"),
    ],
)
def test_a_misspelt_value_gets_the_nearest_one(argv: str, near: str | None) -> None:
    result = ran(DSBENCH, *argv.split())
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert ("; did you mean " in result.stderr) is (near is not None)
    assert near is None or result.stderr.endswith(f"; did you mean {near}?\n")


def test_no_command_takes_an_abbreviated_option() -> None:
    top = cli.parser()
    (commands,) = (action.choices for action in top._actions if isinstance(action, argparse._SubParsersAction))
    assert len(commands) > 20 and not top.allow_abbrev
    assert [name for name, parser in commands.items() if parser.allow_abbrev] == []


def test_no_option_leaves_its_choices_to_argparse() -> None:
    (commands,) = (action.choices for action in cli.parser()._actions if isinstance(action, argparse._SubParsersAction))
    assert [f"{name} {action.dest}" for name, parser in commands.items() for action in parser._actions if action.choices] == []


def test_an_unwritable_cache_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = ran(DSBENCH, "build", DSBENCH_CACHE=str(tmp_path / "file/cache"))
    assert result.returncode == 1
    assert result.stderr == f"dsbench: the cache (DSBENCH_CACHE) folder {tmp_path}/file/cache cannot be made: Not a directory\n"


def test_a_reader_that_leaves_is_no_error() -> None:
    result = ran("sh", "-c", f"{DSBENCH} doctor | true")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGQUIT, 131)])
def test_a_signal_ends_it_with_the_usual_status_and_a_sentence(number: signal.Signals, status: int) -> None:
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
        said = process.communicate(timeout=10)[1].decode()
    assert process.returncode == status
    assert said == ("dsbench: interrupted\n" if number == signal.SIGINT else f"dsbench: ended by {number.name}\n")


@pytest.mark.parametrize(("soft", "hard", "status"), [(32, 32, 1), (32, 1000, 0)])
def test_too_few_open_files_are_one_sentence_or_raised(tmp_path: Path, soft: int, hard: int, status: int) -> None:
    result = ran("sh", "-c", f'ulimit -Sn {soft}; ulimit -Hn {hard}; exec "$@"', "sh", DSBENCH, "clean", "--unused", DSBENCH_CACHE=str(tmp_path))
    assert result.returncode == status
    refused = "dsbench: 32 files may be open at once (ulimit -n): allowed are 256 or more, raise it in a new shell\n"
    assert result.stderr == (refused if status else f"nothing in {tmp_path} is unused\n")


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


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sweep", "N=10"], "make sweep does not take N: it takes ACCEL, KERNEL, PRECISION, SIZES (numbers of elements), TARGET, TRIES, NO_INSTALL, CC, LLVM, DSBENCH_CACHE, DSBENCH_OUTPUT."),
        (["gate", "KERNEL=6.1", "TRY=5", "SIZE=5"], "make gate does not take SIZE, TRY: it takes KERNEL, NO_INSTALL, CC, LLVM, DSBENCH_CACHE, DSBENCH_OUTPUT."),
        (["N=3"], "make help does not take N: it takes NO_INSTALL, CC, LLVM, DSBENCH_CACHE, DSBENCH_OUTPUT."),
        (["modules_install", "DESTDIR=/x"], "make modules_install does not take DESTDIR: it takes NO_INSTALL, CC, LLVM, DSBENCH_CACHE, DSBENCH_OUTPUT."),
    ],
)
def test_make_refuses_a_variable_that_it_would_ignore(words: list[str], sentence: str) -> None:
    result = ran("make", "-n", *words)
    assert (result.returncode, result.stdout) == (2, "")
    assert sentence in result.stderr and result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["sweep", "SIZES=500 1000", "TRIES=3"], "sweep --sizes 500 1000 --tries 3"),
        (["plots", "TARGET=qemu", "ACCEL=icount", "KERNEL=6.1", "NO_INSTALL=1"], "sweep --yes --draw --target qemu --kernel 6.1 --accel icount"),
        (["load", "N=4", "TRIES=2"], "load --n 4 --tries 2"),
        (["gate", "KERNEL=6.1", "DSBENCH_CACHE=/x"], "gate --kernel 6.1"),
        (["tunnel", "ROUNDS=3"], "tunnel --rounds 3"),
        (["curve", "TO=99"], "curve --to 99"),
        (["bench-repeat"], "repeat"),
    ],
)
def test_make_passes_its_variables_on(words: list[str], command: str) -> None:
    assert ran("make", "-n", *words).stdout.splitlines()[0].rstrip() == f"harness/dsbench {command}"


def test_a_variable_of_the_environment_is_nobody_s_mistake() -> None:
    assert ran("make", "-n", "sweep", N="10", DESTDIR="/x").stdout == "harness/dsbench sweep \n"


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
