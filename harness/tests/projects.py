# SPDX-License-Identifier: GPL-2.0
"""A project of two small modules with a harness of its own, for tests of where and as whom dsbench is run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from dsharness import paths

MODULE = """\
// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <answer.h>

MODULE_DESCRIPTION("answers");
MODULE_LICENSE("GPL");
MODULE_INFO(answer, ANSWER);
"""
NAMES = ("one", "two")
NOBODY = 65534


def make(root: Path) -> Path:
    """Make the project at `root`, with a copy of the harness. Return `root`."""
    without = shutil.ignore_patterns("tests", "__pycache__")
    shutil.copytree(paths.HARNESS, root / "harness", ignore=without)
    shutil.copy2(paths.ROOT / "Makefile", root)
    for name in ("bars.gp", "lines.gp", "ratios.gp", "style.gp"):
        (root / "plots").mkdir(exist_ok=True)
        shutil.copy2(paths.PLOT_SCRIPTS / name, root / "plots")
    (root / "results/reference").mkdir(parents=True)
    for name in ("uml.json", "seed_tables.csv"):
        shutil.copy2(paths.REFERENCE / name, root / "results/reference")
    for name in NAMES:
        (root / "modules" / name).mkdir(parents=True)
        (root / f"modules/{name}/{name}.c").write_text(MODULE, encoding="utf-8")
        (root / f"modules/{name}/Kbuild").write_text(f"obj-m := {name}.o\n", encoding="utf-8")
    (root / "modules/Kbuild").write_text("obj-m := one/ two/\nsubdir-ccflags-y := -I$(src)/../include\n", encoding="utf-8")
    (root / "modules/core").mkdir()
    shutil.copy2(paths.ROOT / "modules/core/version.h", root / "modules/core")
    (root / "include").mkdir()
    (root / "include/answer.h").write_text('/* SPDX-License-Identifier: GPL-2.0 */\n#define ANSWER "42"\n', encoding="utf-8")
    return root


def cache(folder: Path) -> Path:
    """Make a cache that has the content of this machine's, and takes new objects. Return it."""
    folder.mkdir()
    for entry in paths.cache().iterdir():
        if entry.name != paths.OBJECTS:
            (folder / entry.name).symlink_to(entry)
    return folder


def ran(
    project: Path, *argv: str | Path, user: int | None = None, seconds: float = 300, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command in the project with these variables in the environment, as another user if `user` is given."""
    become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"] if user is not None else []
    environment: Mapping[str, str] = {**{name: value for name, value in os.environ.items() if not name.startswith("DSBENCH")}, **variables}
    words: Sequence[str | Path] = [*become, *argv]
    return subprocess.run(words, cwd=project, env=environment, check=False, capture_output=True, text=True, timeout=seconds)
