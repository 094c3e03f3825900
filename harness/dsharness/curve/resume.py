# SPDX-License-Identifier: GPL-2.0
"""Resuming an interrupted curve: whether it is the same curve, and if not, what differs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .. import ui
from ..errors import HarnessError
from ..results import results
from ..results.results import Results

WORDS = {
    "target": "target",
    "accel": "accelerator",
    "kernel": "kernel",
    "modules": "modules' sources",
    "cpu": "CPU",
    "sizes": "sizes",
    "tries": "tries",
    "containers": "containers",
    "ops": "operations",
    "settings": "parameters",
    "warmup": "warm-up",
}
"""Fields of a curve's identity, with their names for people."""


class Finished(HarnessError):
    """A curve without missing sizes."""


def chosen(output: Path | None, latest: Path, identity: Mapping[str, Any], resume: bool | None) -> tuple[Path, Results] | None:
    """Return the file of the curve to resume, and its content; None to start a new curve.

    `resume`: True: resume or fail; False: never resume; None: resume if possible, and say why not. A file that the user names for the
    results is overwritten only if `resume` is False. HarnessError has the reason.
    """
    path = output or latest
    if resume is False:
        return None
    if not path.exists():
        return None
    try:
        return path.resolve(), unfinished(path, identity)
    except HarnessError as error:
        if resume:
            raise
        if output:
            raise HarnessError(f"{error}: name another --output, or say --anew to overwrite it") from error
        if not isinstance(error, Finished):
            ui.say(f"{error}: a new one begins")
        return None


def require(path: Path) -> None:
    """HarnessError unless there is a file to resume."""
    if not path.exists():
        raise HarnessError(f"there is no curve to go on with: {path} does not exist")


def unfinished(path: Path, identity: Mapping[str, Any]) -> Results:
    """Return the curve in `path`. HarnessError says why it cannot be resumed."""
    path = path.resolve()
    found = results.read(path)
    before = found.context.get(results.CURVE)
    if not isinstance(before, dict):
        raise HarnessError(f"the result file {path} is of no curve")
    if found.context["complete"]:
        raise Finished(f"the curve in {path} is finished")
    if differing := differences(before, identity):
        raise HarnessError(f"the interrupted curve in {path} is another, with {', '.join(differing)}")
    return found


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the differences between the identities of two curves in words. Other sizes imply other tries."""
    keys = [key for key in WORDS if before.get(key) != now.get(key)]
    if "sizes" in keys:
        keys = [key for key in keys if key != "tries"]
    return [f"{WORDS[key]} {_shown(before.get(key))} instead of {_shown(now.get(key))}" for key in keys]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        text = " ".join(map(str, value)) or "none"
        return text if len(text) <= 60 else f"{text[:50]}… ({len(value)})"
    return "none" if value is None else str(value)
