# SPDX-License-Identifier: GPL-2.0
"""Literal use on Debian's stock kernels, in QEMU, where the clock counts instructions. One guest a kernel runs all scripts."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from dsharness import targets
from dsharness.compare.comparison import Sweep, compare
from dsharness.compare.verdict import Word
from dsharness.errors import HarnessError
from dsharness.kernel import buildroot
from dsharness.plot import figures
from dsharness.results import results
from dsharness.results.results import Results
from dsharness.results.samples import parse_report, parse_samples
from dsharness.sweep.drive import initial_results, report_context
from guests import CELLS, PARAMETERS, RUN, SAMPLES, header, rows, script

pytest_plugins = ["guests"]

KERNELS = [pytest.param(kernel, marks=pytest.mark.xdist_group(f"stock-{kernel}")) for kernel in ("6.1", "6.12", "newest")]


@pytest.fixture(scope="module", params=KERNELS)
def target(request: pytest.FixtureRequest) -> targets.Target:
    """A stock kernel."""
    if request.param == "newest":
        try:
            buildroot.require_namespaces()
        except HarnessError as error:
            pytest.skip(str(error))
    return targets.get("qemu", request.param, "icount")


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("6.12", marks=pytest.mark.xdist_group("stock-6.12")),
        pytest.param("6.1", marks=[pytest.mark.matrix, pytest.mark.xdist_group("stock-6.1")]),
        pytest.param("newest", marks=[pytest.mark.matrix, pytest.mark.xdist_group("stock-newest")]),
    ],
    indirect=True,
)
@script("insmod dsbench.ko n=4000 tries=100 warmup=0 && cat /proc/dsbench", timeout=600)
def test_insmod_and_cat_print_a_row_per_cell(output: str, target: targets.Target) -> None:
    found = rows(output)
    assert sorted((row.container, row.op) for row in found) == CELLS
    assert {(row.n, row.tries) for row in found} == {(4000, 100)}
    assert header(output, "unit") == ["instructions"]
    assert header(output, "kernel")[0].split()[0] == target.kernel.release


FEW = (1, 2, 3, 7, 10)


@script(f"""
    insmod dsbench.ko tries=3 warmup=0 autorun=0
    for n in {' '.join(map(str, FEW))}; do echo $n > {PARAMETERS}/n; echo 1 > {RUN}; cat /proc/dsbench > /tmp/all; done
    cat /tmp/all
""")
def test_no_container_is_cheaper_than_its_floor_however_few_elements_it_has(output: str) -> None:
    distances = {(row.container, row.op, row.n): row.x_floor for row in rows(output)}
    assert {n for _, _, n in distances} == set(FEW)
    assert {cell: float(distance) for cell, distance in distances.items() if float(distance) < 1} == {}


@script("insmod dsbench.ko n=100 tries=3 warmup=0 && cat /proc/dsbench")
def test_a_small_run(output: str, target: targets.Target) -> None:
    found = rows(output)
    assert sorted((row.container, row.op) for row in found) == CELLS
    assert {(row.n, row.tries) for row in found} == {(100, 3)}
    assert header(output, "unit") == ["instructions"]
    assert header(output, "kernel")[0].split()[0] == target.kernel.release


@script("""
    insmod dsbench.ko n=100 tries=3 warmup=0 && cat /proc/dsbench > /dev/null
    insmod dsbench_rbtree.ko n=200 tries=2 && cat /proc/dsbench && lsmod
    rmmod dsbench && echo GONE
    rmmod dsbench_rbtree dsbench && echo ALL GONE
""")
def test_containers_come_and_go(output: str) -> None:
    assert len(rows(output)) == len(CELLS) + 4
    assert re.findall(r"^dsbench\w*", output, re.MULTILINE) == ["dsbench_rbtree", "dsbench"]
    assert "\nGONE" not in output
    assert output.endswith("ALL GONE\n")


# The nodes of some containers come from an allocator whose state differs between runs. Nothing else differs.
ALLOCATES = {"maple": 0.1, "xarray": 0.03, "idr": 0.03, "rhashtable": 0.03}


@script(f"insmod dsbench.ko n=1000 tries=5 warmup=0; cat /proc/dsbench; echo 1 > {RUN}; cat /proc/dsbench")
def test_instruction_counts_repeat(output: str) -> None:
    first, second = (rows(part) for part in output.split("# dsbench: ")[1:])
    assert first
    for one, other in zip(first, second, strict=True):
        tolerance = ALLOCATES.get(one.container, 0) if one.op in ("fill", "erase") else 0
        assert other.min == pytest.approx(one.min, rel=tolerance, abs=0), (one, other)


@script("insmod dsbench.ko n=0 2>&1; insmod dsbench.ko n=10 tries=1 warmup=0 cpu=64 2>&1; dmesg | grep dsbench; lsmod")
def test_rejected_parameters(output: str) -> None:
    assert "n=0: must be a whole number from 1" in output
    assert "cpu=64: must be the number of a CPU that is online (0)" in output
    assert not re.search(r"^dsbench ", output, re.MULTILINE)


# A container whose cost is known: 2 * turns + 3 instructions per element, as planted in broken/dsbench_oracle.c

ORACLE = "insmod dsbench.ko autorun=0 warmup=0 containers=oracle ops=fill; insmod dsbench_oracle.ko"
ON_THE_ORACLES_KERNELS = pytest.mark.parametrize(
    "target",
    [
        pytest.param("6.12", marks=pytest.mark.xdist_group("stock-6.12")),
        pytest.param("6.1", marks=[pytest.mark.matrix, pytest.mark.xdist_group("stock-6.1")]),
    ],
    indirect=True,
)
"""Its module is built outside the tree, by this machine's compiler, which cannot build for the newest kernel."""
SIZES = (1, 2, 3, 10, 1000, 4096, 100_000, 1_000_000)
SLICE = 4096
TURNS = 10


def _runs(*settings: str) -> str:
    """The script of a run of the oracle's container for each of the settings of the core or the container."""
    return "\n".join([ORACLE, *(f"{setting}; echo 1 > {RUN}; cat /proc/dsbench > /tmp/all" for setting in settings)])


def _set(**values: int) -> str:
    return "; ".join(
        f"echo {value} > {PARAMETERS if name in ('n', 'tries') else '/sys/module/dsbench_oracle/parameters'}/{name}"
        for name, value in values.items()
    )


def _costs(text: str) -> list[int]:
    """The samples of the oracle's container, in the order of the tries."""
    lines = [line.split(",") for line in text.splitlines()]
    columns = next(line for line in lines if "count" in line)
    return [int(line[columns.index("count")]) for line in lines if len(line) == len(columns) and line[columns.index("container")] == "oracle"]


@ON_THE_ORACLES_KERNELS
@script(_runs(*(_set(n=n, tries=2) for n in SIZES)) + "; cat /tmp/all", broken=True, timeout=600)
def test_the_reported_cost_is_the_planted_one_at_every_size(output: str) -> None:
    found = {row.n: row for row in rows(output) if row.container == "oracle"}
    assert tuple(sorted(found)) == SIZES
    rest = {n: row.min - n * (2 * TURNS + 3) for n, row in found.items()}
    per_slice = {n: value / -(-n // SLICE) for n, value in rest.items()}
    assert len(set(per_slice.values())) == 1, per_slice
    assert 0 <= per_slice[1] < 20
    assert all(row.min == row.max for row in found.values())


@ON_THE_ORACLES_KERNELS
@script(_runs(_set(n=1000, tries=10, second=30)) + f"; cat /tmp/all {SAMPLES}", broken=True)
def test_two_costs_by_turns_are_reported_as_such(output: str) -> None:
    costs = _costs(output)
    low, high = sorted(set(costs))
    assert high - low == 1000 * 2 * (30 - TURNS)
    assert (costs.count(low), costs.count(high)) == (5, 5)
    (row,) = (row for row in rows(output.partition("run,")[0]) if row.container == "oracle")
    assert (row.min, row.max) == (low, high)
    assert row.p50 == pytest.approx((low + high) / 2, abs=1)


@ON_THE_ORACLES_KERNELS
@script(_runs(_set(n=1000, tries=10, growth=1)) + f"; cat {SAMPLES}", broken=True)
def test_tries_that_slow_down_are_reported_in_order(output: str) -> None:
    costs = _costs(output)
    assert len(costs) == 10
    assert {later - earlier for earlier, later in zip(costs, costs[1:])} == {2000}


@ON_THE_ORACLES_KERNELS
@script(_runs(_set(n=10, tries=3, sleep_ms=2)) + "; cat /tmp/all", broken=True)
def test_an_operation_that_sleeps_is_timed_with_its_sleep(output: str) -> None:
    (row,) = (row for row in rows(output) if row.container == "oracle")
    assert row.min >= 2_000_000, "a millisecond of the guest is a million instructions"


def _load(sizes: Sequence[int] = (1000, 2000), tries: int = 2, **planted: int) -> str:
    """The script of a load of the oracle's container: a run for each of the sizes, then the report and the samples of all."""
    return f"""
        echo @load
        {ORACLE} {" ".join(f"{name}={value}" for name, value in planted.items())}
        echo {tries} > {PARAMETERS}/tries
        for n in {" ".join(map(str, sizes))}; do echo $n > {PARAMETERS}/n; echo 1 > {RUN}; cat /proc/dsbench > /tmp/all; done
        cat /tmp/all
        echo @samples
        cat {SAMPLES}
        rmmod dsbench_oracle dsbench
    """


def _sweep(load: str, target: targets.Target, path: Path) -> Sweep:
    """Write what a load printed to a file of results, whose name is a number, and read it. Loads that count the same differ in their date."""
    told, _, counted = load.partition("@samples\n")
    report, cells = parse_report(told), parse_samples(counted)
    sizes = sorted({row.n for row in rows(told)})
    context = {**report_context(report), **initial_results(target).context, "n": sizes, "cells": [cell.name for cell in cells]}
    context["date"] = f"2026-01-01T00:00:{path.stem:0>2}"
    results.write(Results(context, cells), path)
    return Sweep(path, results.read(path))


@ON_THE_ORACLES_KERNELS
@script(_load(turns=TURNS) + _load(turns=TURNS + 1), broken=True)
def test_what_was_planted_is_in_files_pictures_and_verdicts(output: str, target: targets.Target, tmp_path: Path) -> None:
    sweeps = []
    for turns, load in zip((TURNS, TURNS + 1), output.split("@load\n")[1:], strict=True):
        path = tmp_path / f"{turns}.json"
        sweeps.append(_sweep(load, target, path))
        found = {row.n: row.min for row in rows(load.partition("@samples\n")[0]) if row.container == "oracle"}
        assert found[2000] - found[1000] == 1000 * (2 * turns + 3)
        with path.with_suffix(".csv").open(newline="", encoding="utf-8") as file:
            in_file = {int(row["n"]): float(row["per_element"]) for row in csv.DictReader(file) if row["container"] == "oracle"}
        drawn = {point.x: point.median for panel in figures.per_element(sweeps[-1].results).panels for point in panel.series.get("oracle", [])}
        assert in_file == drawn == {n: count / n for n, count in found.items()}
    verdicts = {cell.name: cell for cell in compare(*sweeps).cells}
    for n in (1000, 2000):
        planted = verdicts[f"oracle/fill/{n}"]
        assert planted.word is Word.SLOWER
        assert (planted.after - planted.before) == pytest.approx(2, abs=1e-9)
    others = {name: cell.word for name, cell in verdicts.items() if not name.startswith("oracle/")}
    assert others and set(others.values()) == {Word.NO_CHANGE}, others


UNSTEADY: dict[str, tuple[dict[str, int], Word]] = {
    "steady": ({}, Word.NO_CHANGE),
    "two costs": ({"second": 30}, Word.INCONCLUSIVE),
    "slows down": ({"growth": 1}, Word.SLOWER),
    "sleeps": ({"sleep_ms": 2}, Word.SLOWER),
}
"""Parameters of loads of the oracle's container, and what they are beside a steady one. Half of the tries with two costs cost as much."""


@ON_THE_ORACLES_KERNELS
@script("".join(_load(sizes=(1000,), tries=20, **planted) for planted, _ in [*UNSTEADY.values()] * 2), broken=True)
def test_verdicts_on_costs_that_vary_from_try_to_try(output: str, target: targets.Target, tmp_path: Path) -> None:
    loads = output.split("@load\n")[1:]
    sweeps = [_sweep(load, target, tmp_path / f"{index}.json") for index, load in enumerate(loads)]
    firsts, seconds = sweeps[: len(UNSTEADY)], sweeps[len(UNSTEADY) :]

    def word(before: Sweep, after: Sweep) -> Word:
        (cell,) = (cell for cell in compare(before, after).cells if cell.name == "oracle/fill/1000")
        return cell.word

    opposite = {Word.SLOWER: Word.FASTER}
    for (name, (_, expected)), first, second in zip(UNSTEADY.items(), firsts, seconds, strict=True):
        # The kernel's timer decides how long a sleep is.
        assert word(first, second) in ({Word.NO_CHANGE, Word.INCONCLUSIVE} if name == "sleeps" else {Word.NO_CHANGE}), name
        assert word(firsts[0], second) is expected, name
        assert word(second, firsts[0]) is opposite.get(expected, expected), name
