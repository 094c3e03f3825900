# SPDX-License-Identifier: GPL-2.0
"""QEMU's plugins: the version of their interface, and whether this QEMU takes ours."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from ..errors import HarnessError
from ..kernel import tools
from ..targets import qemucmd

INTERFACES = (((9, 1), 3), ((9, 0), 2), ((4, 2), 1))
"""Version of QEMU -> version of its plugin interface from then on, newest first. harness/tools/profile/qemu_plugin.h knows them."""

_VERSION = re.compile(r"version (\d+)\.(\d+)")
_CHECK_SECONDS = 30.0


def interface(said: str) -> int:
    """Return the version of the interface from what QEMU calls itself. HarnessError for a QEMU that has none."""
    match = _VERSION.search(said)
    if match:
        version = int(match[1]), int(match[2])
        for first, number in INTERFACES:
            if version >= first:
                return number
    raise HarnessError(f"QEMU is {said!r}: a profile needs version 4.2 or later, which has plugins")


def plugin() -> Path:
    """Return the profile plugin, built for this QEMU, which has loaded it once. HarnessError if QEMU refuses it."""
    version = qemucmd.version()
    built = tools.profile_plugin(interface(version))
    _check(built, version)
    return built


def _check(built: Path, version: str) -> None:
    """Load the plugin into a QEMU without a machine. HarnessError with its reason if it refuses."""
    argv = [
        qemucmd.PROGRAM, "-machine", "none", "-nodefaults", "-display", "none", "-monitor", "stdio",
        "-plugin", option(built, Path("/dev/null")),
    ]  # fmt: skip
    try:
        done = subprocess.run(argv, input="quit\n", capture_output=True, encoding="utf-8", errors="replace", check=False, timeout=_CHECK_SECONDS)
    except subprocess.TimeoutExpired:
        raise HarnessError(f"{version} does not end within {_CHECK_SECONDS:g} s when it loads a plugin") from None
    if done.returncode == 0:
        return
    reason = next((line.strip() for line in reversed(done.stderr.splitlines()) if line.strip()), f"status {done.returncode}")
    if "invalid option" in done.stderr:
        raise HarnessError(f"{version} was built without plugins, which a profile needs: Debian's qemu-system-x86 has them ({reason})")
    raise HarnessError(f"{version} does not take the profile plugin, which knows versions 1 to {INTERFACES[0][1]} of its interface: {reason}")


def option(built: Path, out: Path, more: tuple[str, ...] = ()) -> str:
    """Return the value of -plugin that writes the stream to `out`. `more` are further options of the plugin."""
    return ",".join([f"file={qemucmd.escaped(built)}", f"out={qemucmd.escaped(out)}", *more])
