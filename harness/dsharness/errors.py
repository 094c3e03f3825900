# SPDX-License-Identifier: GPL-2.0
"""Errors that the user sees as one sentence."""

from __future__ import annotations

# Exit statuses besides 0, 1 (failure) and 2 (wrong usage). Each has one meaning in all commands.
REGRESSED = 3
"""A cell costs more than it may: more than the gate's baseline allows, or --fail-on names its verdict."""
OTHER_BASELINE = 4
"""The gate's baseline is of another kernel or compiler, so there is no comparison."""
CRASHED = 5
"""A guest ended before its command did."""
TIMED_OUT = 6
"""A guest did not boot, or a command did not end, in time."""
BISECT_BAD, BISECT_SKIPS, BISECT_ENDS = 1, 125, 128
"""Statuses of the gate for a kernel of the user's, as `git bisect run` takes them: the commit is bad, cannot be judged, or the bisection
ends."""


class HarnessError(Exception):
    """An error that the user can act on: the message is one sentence, `exit_code` the status of the process."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class BuildError(HarnessError):
    """Sources that the user can change do not build. The message has the compiler's first error and the path of the log."""


class UsageError(HarnessError):
    """A parameter has a value that is not allowed. The message names both and says what is allowed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=2)
