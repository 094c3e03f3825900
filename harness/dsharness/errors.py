# SPDX-License-Identifier: GPL-2.0
"""The errors that reach the user as one sentence."""

from __future__ import annotations

# Exit statuses beside 0, 1 (it cannot be done) and 2 (wrong usage). Each means one thing in every command.
REGRESSED = 3
"""The gate found something that costs more than its baseline allows."""
OTHER_BASELINE = 4
"""The gate's baseline is of another kernel or compiler, so it says nothing."""
CRASHED = 5
"""A guest ended before its command did."""
TIMED_OUT = 6
"""A guest did not boot, or a command did not end, in time."""


class HarnessError(Exception):
    """Something the user can act on: the message is one sentence, `exit_code` the status of the process."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class UsageError(HarnessError):
    """A parameter with a value that is not allowed; the message names both and says what is."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=2)
