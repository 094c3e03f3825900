# SPDX-License-Identifier: GPL-2.0
"""The errors that reach the user as one sentence."""

from __future__ import annotations


class HarnessError(Exception):
    """Something the user can act on: the message is one sentence, `exit_code` the status of the process."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class UsageError(HarnessError):
    """A parameter with a value that is not allowed; the message names both and says what is."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=2)
