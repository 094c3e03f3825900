# SPDX-License-Identifier: GPL-2.0
"""Curves in real UML guests: interrupted, resumed, and not mixed with another curve; the tables of the seed report."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from dsharness import paths
from dsharness.results import results

HARNESS = paths.HARNESS / "dsbench"
SIZES = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000]


def command(output: Path, *more: str) -> list[str]:
    return [str(HARNESS), "curve", "--to", "2000", "--container", "list,rbtree", "--op", "find", "--tries", "3",
            "--warmup", "0", "--output", str(output), *more]  # fmt: skip


def curve(output: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(output, *more), capture_output=True, text=True, check=False)


def test_interrupted_and_resumed(tmp_path: Path) -> None:
    output = tmp_path / "curve.json"
    with subprocess.Popen(command(output), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:
        deadline = time.monotonic() + 240
        while not output.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.2)  # the JSON file is written last: the first size is kept, and the next one runs
        os.kill(process.pid, signal.SIGINT)
        complaint = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130, complaint
    assert "of 11 sizes are kept" in complaint
    assert "the same command goes on with the rest" in complaint
    kept = results.read(output)
    assert kept.context["complete"] is False
    assert kept.sizes == SIZES[: len(kept.sizes)] and 0 < len(kept.sizes) < len(SIZES)

    other = curve(output, "--seed", "2")
    assert other.returncode == 1
    assert "is another, with parameters none instead of seed=2: name another --output" in other.stderr
    assert results.read(output).cells == kept.cells

    resumed = curve(output)
    assert resumed.returncode == 0, resumed.stderr
    assert f"going on with {output}: {len(kept.sizes)} of 11 sizes are there" in resumed.stderr
    found = results.read(output)
    assert (found.context["complete"], found.sizes, found.context["n"]) == (True, SIZES, SIZES)
    old = {cell.name for cell in kept.cells}
    assert [cell for cell in found.cells if cell.name in old] == kept.cells
    assert {cell.name for cell in found.part("element").cells} == {f"{c}/find/{n}" for c in ("list", "rbtree") for n in SIZES}
    assert "list" in resumed.stdout and "n=2000" in resumed.stdout

    again = curve(output, "--resume")
    assert again.returncode == 1
    assert again.stderr.splitlines()[-1] == f"dsbench: the curve in {output} is finished"


def test_a_size_that_exceeds_the_time_limit(tmp_path: Path) -> None:
    output = tmp_path / "curve.json"
    argv = command(output, "--from", "500000", "--timeout", "1", "--tries", "1000", "--op", "fill")
    argv[argv.index("--to") + 1] = "500000"
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert "the command did not end within 1 s" in done.stderr
    assert not output.exists()


def test_the_tables_of_the_seed_report(tmp_path: Path) -> None:
    output = tmp_path / "tables.json"
    argv = [str(HARNESS), "seed-tables", "--tries", "3", "--warmup", "0", "--output", str(output), "--pictures", str(tmp_path / "plots")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for title in ("Table 1: fill", "Table 2: find", "Table 3: for_each", "ours, TSC cycles"):
        assert title in done.stdout
    assert sorted(path.name for path in (tmp_path / "plots").iterdir() if path.stem == "seed-report") == ["seed-report.png", "seed-report.svg"]
    found = results.read(output)
    assert found.context["complete"]
    assert {(cell.container, cell.op, cell.n) for cell in found.cells} == {
        (container, op, n)
        for container in ("list", "hashtable", "rbtree", "xarray")
        for op in ("fill", "find", "for_each")
        for n in (500, 1000, 2000, 4000)
    }
    lookups = {cell.name: cell.elements for cell in found.cells if cell.op == "find"}
    assert (lookups["list/find/4000"], lookups["rbtree/find/4000"]) == (1, 1)
    assert (lookups["hashtable/find/4000"], lookups["xarray/find/4000"]) == (4000, 4000)
    assert "alloc" not in found.context and found.context["order"] == "sequential"
