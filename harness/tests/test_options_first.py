# SPDX-License-Identifier: GPL-2.0
"""A wrong value of any option, or of an argument, ends a command before a package is installed and a module is built."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest

from dsharness import cli, packages, paths
from dsharness.errors import BISECT_ENDS
from dsharness.kernel import archive, build

RESULT = str(paths.RESULTS / "reference" / "uml.json")

ARGUMENTS = {
    "ab": ["worktree", "worktree", "--datapath"],
    "compare": [RESULT, RESULT],
    "plot": [RESULT],
    "headline": [RESULT],
    "install": ["base"],
    "exec": ["--", "true"],
    "explain": ["list/fill/100"],
}
"""What a command needs besides its options."""

WRONG = {"--filter": "[", "--output": "result.txt", "--json": "result.txt", "--peer-host": "=-x"}
"""Wrong values of options that a question mark suits."""

ANYTHING = {("compare", "--output"), ("plot", "--output"), ("gate", "--baseline"), ("explain", "--folded"), ("seed-tables", "--pictures"), ("rust", "--pictures"),
            ("ab", "--kernel-git"), ("sweep", "--kernel-git")}
"""Options that take any text, files, folders and names of baselines, or several words, which test_own_kernel.py has."""

STATUS = {"--kernel-dir": 1}
"""Exit statuses of options whose value is no text of a wrong form: a folder may be missing."""


class Began(BaseException):
    """The command has begun its work."""


def commands() -> dict[str, argparse.ArgumentParser]:
    (actions,) = (action for action in cli.parser()._actions if isinstance(action, argparse._SubParsersAction))
    return dict(actions.choices)


def options() -> Iterator[tuple[str, str]]:
    """Every option with a value, by command."""
    for command, parser in commands().items():
        for action in parser._actions:
            if action.option_strings and action.nargs != 0 and (command, action.option_strings[0]) not in ANYTHING:
                yield command, action.option_strings[0]


@pytest.fixture(autouse=True)
def nothing_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever installs, fetches or builds raises Began."""

    def begin(*_args: object, **_options: object) -> None:
        raise Began

    monkeypatch.setattr(packages, "ensure", begin)
    monkeypatch.setattr(packages, "refresh", begin)
    monkeypatch.setattr(archive, "download", begin)
    monkeypatch.setattr(build, "modules", begin)


def status_of(argv: list[str]) -> int:
    try:
        return cli.main(argv)
    except SystemExit as end:
        return int(end.code or 0)


@pytest.mark.parametrize(("command", "option"), list(options()))
def test_a_wrong_option_begins_nothing(command: str, option: str, capfd: pytest.CaptureFixture[str]) -> None:
    wrong = WRONG.get(option, "?")
    status = BISECT_ENDS if (command, option) == ("gate", "--kernel-dir") else STATUS.get(option, 2)
    assert status_of([command, f"{option}={wrong}", *ARGUMENTS.get(command, [])]) == status
    complaint = capfd.readouterr().err
    assert wrong in complaint, complaint


@pytest.mark.parametrize(
    ("argv", "status"),
    [
        (["plot", "no-such-file.json"], 1),
        (["plot", "/"], 1),
        (["compare", RESULT, "no-such-file.json"], 1),
        (["ab", "no-such-revision", "worktree"], 2),
        (["install", "fun"], 2),
        (["mutants", "no-such-mutant"], 1),
        (["exec", "--with", "no-such-file", "--", "true"], 2),
        (["sweep", "--target", "uml", "--kernel", "5.4"], 2),
        (["sweep", "--target", "uml", "--accel", "icount"], 2),
        (["sweep", "--target", "qemu", "--kernel", "5.4"], 2),
        (["sweep", "--target", "host", "--kernel", "5.4"], 2),
        (["exec", "--target", "qemu", "--kernel", "5.4", "--", "true"], 2),
        (["shell", "--cpus", "2"], 2),
        (["ab", "--kernel", "6.1", "--kernel", "5.4"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_argument_begins_nothing(argv: list[str], status: int) -> None:
    assert status_of(argv) == status


@pytest.mark.parametrize("argv", [["sweep"], ["plot", RESULT], ["build"], ["exec", "--", "true"], ["gate"], ["ab", "worktree", "worktree"]])
def test_right_options_begin(argv: list[str]) -> None:
    with pytest.raises(Began):
        cli.main(argv)


def test_every_command_installs_without_asking_if_told_so() -> None:
    assert [name for name, parser in commands().items() if "--yes" not in parser.format_help()] == []
