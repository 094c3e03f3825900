# SPDX-License-Identifier: GPL-2.0
"""Where things lie: the folders of the project, and the cache that all clones share."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import HarnessError

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / "harness"
BUILD = ROOT / "build"
LOGS = BUILD / "logs"
RESULTS = ROOT / "results"
PLOTS = ROOT / "plots"


def cache_path() -> Path:
    """The cache folder, which need not exist: $DSBENCH_CACHE, else ~/.cache/dsbench."""
    named = os.environ.get("DSBENCH_CACHE")
    return Path(named).expanduser().absolute() if named else Path.home() / ".cache" / "dsbench"


def cache() -> Path:
    """The cache folder, made if need be. HarnessError when it cannot be."""
    return make_folder(cache_path(), "cache (DSBENCH_CACHE)")


def logs() -> Path:
    """The folder of the logs, made if need be. HarnessError when it cannot be."""
    return make_folder(LOGS, "log")


def make_folder(folder: Path, role: str) -> Path:
    """Make `folder` and prove that it can be written; HarnessError names its `role` when it cannot."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HarnessError(f"the {role} folder {folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise HarnessError(f"the {role} folder {folder} cannot be written")
    return folder


def short(path: Path) -> Path:
    """The path as seen from here, where it lies below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
