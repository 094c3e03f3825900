# SPDX-License-Identifier: GPL-2.0
"""The kernel's netlink client in Python, and the schema of its specifications, out of linux-source."""

from __future__ import annotations

from pathlib import Path

from dsharness.kernel import linuxsource

FILES = ("tools/net/ynl/cli.py", "tools/net/ynl/lib/*.py", "Documentation/netlink/netlink-raw.yaml")


def client_files() -> Path:
    """Return the folder with the files, in the cache. HarnessError if the source cannot be had."""
    return linuxsource.pick("6.12", FILES, linuxsource.YNL).folder
