# SPDX-License-Identifier: GPL-2.0
"""The two ends of a link, and how a command runs at each: here, in a network namespace, or on another machine by ssh."""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15")


class Side(ABC):
    """One end. A command is an argument list at every end; no shell of ours parses it."""

    @abstractmethod
    def argv(self, command: Sequence[str]) -> list[str]:
        """Return the command to run here so that `command` runs at this end."""

    def lasting(self, command: Sequence[str]) -> list[str]:
        """Return the same for a server, which must end when the command here ends."""
        return self.argv(command)


class Here(Side):
    """This machine, as it is."""

    def argv(self, command: Sequence[str]) -> list[str]:
        return list(command)


class Netns(Side):
    """A network namespace of the machine on which the steps run."""

    def __init__(self, name: str) -> None:
        self.name = name

    def argv(self, command: Sequence[str]) -> list[str]:
        return ["ip", "netns", "exec", self.name, *command]


class Ssh(Side):
    """Another machine. ssh passes one text to the shell there, so every word is quoted."""

    def __init__(self, destination: str, config: Path | None = None) -> None:
        self.destination = destination
        self._ssh = [*SSH, *(["-F", str(config)] if config else [])]

    def argv(self, command: Sequence[str]) -> list[str]:
        return [*self._ssh, "--", self.destination, shlex.join(command)]

    def lasting(self, command: Sequence[str]) -> list[str]:
        """Run the server on a terminal of its own: when the connection ends, the server gets SIGHUP."""
        return [*self._ssh, "-tt", "--", self.destination, shlex.join(command)]
