# SPDX-License-Identifier: GPL-2.0
"""For the end-to-end tests: a script in a guest, and the table of /proc/dsbench.

The table is not read by results/samples.py here: what the kernel printed is to be seen word by word ("-", "below_resolution"),
more tables than one, and among whatever else the script printed, which results/samples.py rightly calls damaged.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dsharness.targets import Target

CONTAINERS = ("list", "hashtable", "rbtree", "xarray", "maple", "rhashtable", "llist", "idr", "sorted_array")
OPS = ("fill", "find", "for_each", "erase")
FLOORS = ("empty", "walk", "random", "chase")
ABSENT = frozenset({("llist", "find"), ("sorted_array", "erase")})
CELLS = sorted({(container, op) for container in CONTAINERS for op in OPS} - ABSENT)
"""What a run of all has: a row each."""

RUN = "/sys/kernel/debug/dsbench/run"
SAMPLES = "/sys/kernel/debug/dsbench/samples"
RESULTS = "/sys/kernel/debug/dsbench/results"
PARAMETERS = "/sys/module/dsbench/parameters"

# What the kernel says when something went wrong that must never go wrong.
TROUBLE = ("BUG:", "WARNING:", "Oops", "Call Trace", "soft lockup", "blocked for more than", "scheduling while atomic")


@dataclass(frozen=True)
class Row:
    """One row of /proc/dsbench."""

    container: str
    op: str
    n: int
    tries: int
    disturbed: int
    min: float
    p50: float
    per_element: str
    x_floor: str


def sh(target: Target, script: str, *, files: Sequence[Path] = (), timeout: float = 120, status: int = 0) -> str:
    """Run a script in the guest and give back what it printed; its exit status and the kernel's log are checked."""
    watched = f"({script}\n)\nstatus=$?\ndmesg >&2\nexit $status\n"
    result = target.run(["sh", "-c", watched], files=files, timeout=timeout)
    log = result.stderr.decode(errors="replace")
    assert result.status == status, f"status {result.status}:\n{result.stdout.decode(errors='replace')}\n{log}"
    for trouble in TROUBLE:
        assert trouble not in log, log
    return result.stdout.decode()


def broken_modules(target: Target, folder: Path) -> Path:
    """Containers that lie, built against ours in `folder` as a user's own would be; where they are."""
    for source in (Path(__file__).parent / "broken").iterdir():
        (folder / source.name).write_bytes(source.read_bytes())
    farm = target.build.ko_dir.parent / "src"
    subprocess.run(
        ["make", "-C", str(target.kernel.kdir), f"ARCH={target.kernel.arch}", f"M={folder}",
         f"DSBENCH_INCLUDE={farm}/include", f"KBUILD_EXTRA_SYMBOLS={farm}/modules/Module.symvers",
         "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


def rows(text: str) -> list[Row]:
    """The rows of a table: the lines whose first word is a container's name."""
    return table(text, (*CONTAINERS, "broken", "lossy"))


def floors(text: str) -> list[Row]:
    """The rows of the floors."""
    return table(text, ("floor",))


def table(text: str, names: Sequence[str]) -> list[Row]:
    """The rows that begin with one of these names; each has a word for every column."""
    found = []
    columns: list[str] = []
    for line in text.splitlines():
        words = line.split()
        if words[:2] == ["container", "op"]:
            columns = words
        elif words and words[0] in names:
            row = dict(zip(columns, words, strict=True))
            numbers = (int(row[name]) for name in ("n", "tries", "disturbed"))
            found.append(Row(row["container"], row["op"], *numbers, float(row["min"]), float(row["p50"]), row["per_element"], row["x_floor"]))
    return found


def header(text: str, key: str) -> list[str]:
    """The values of all header lines with that key."""
    start = f"# {key}: "
    return [line.removeprefix(start) for line in text.splitlines() if line.startswith(start)]
